"""PutItem of an item of about 400 bytes. Trine answers when it is on disk; only it does.

Requests go round in a circle, and an item that stays as it is costs a server that notices it next to nothing: each key
comes twice in a circle, with another item each time, so that every request changes one.
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import TABLE, item, place
from benchmarks.scenario import REQUESTS, Goal, TableRow
from benchmarks.signing import Call

KEYS = REQUESTS // 2


def make(source: random.Random, index: int) -> Call:
    return Call("PutItem", {"TableName": TABLE, "Item": item(*place(index % KEYS), source)})


def check(_call: Call, answer: Any) -> bool:
    return bool(answer == {})


ROW = TableRow(
    "PutItem",
    make,
    check,
    (Goal("Trine", 2.0, ("dynalite, LevelDB",)), Goal("Trine, memory", 3.0, ("dynalite, memory",))),
)
