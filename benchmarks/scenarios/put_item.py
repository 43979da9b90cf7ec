"""PutItem of an item of about 400 bytes. Trine answers when it is on disk; only it does."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import TABLE, any_item
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, _index: int) -> Call:
    return Call("PutItem", {"TableName": TABLE, "Item": any_item(source)})


def check(_call: Call, answer: Any) -> bool:
    return bool(answer == {})


ROW = TableRow(
    "PutItem",
    make,
    check,
    (Goal("Trine", 2.0, ("dynalite, LevelDB",)), Goal("Trine, memory", 3.0, ("dynalite, memory",))),
)
