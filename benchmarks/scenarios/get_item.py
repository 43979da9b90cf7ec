"""GetItem of one item by its whole key, eventually consistent as the SDKs ask by default."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import TABLE, any_key
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, _index: int) -> Call:
    return Call("GetItem", {"TableName": TABLE, "Key": any_key(source)})


def check(call: Call, answer: Any) -> bool:
    wanted: Any = call.document["Key"]
    found = answer["Item"]
    return all(found[name] == wanted[name] for name in wanted) and len(found) >= 10


ROW = TableRow(
    "GetItem",
    make,
    check,
    (Goal("Trine", 2.0, ("dynoxide, memory",)), Goal("Trine", 0.5, ("bare echo",))),
    with_echo=True,
)
