"""BatchWriteItem of 25 puts of about 400 bytes each, every one of which changes its item (see `put_item`)."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import TABLE, item, place
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call

REQUESTS = 400


def make(source: random.Random, index: int) -> Call:
    first = 25 * (index % (REQUESTS // 2))
    puts = [{"PutRequest": {"Item": item(*place(first + step), source)}} for step in range(25)]
    return Call("BatchWriteItem", {"RequestItems": {TABLE: puts}})


def check(_call: Call, answer: Any) -> bool:
    return not answer.get("UnprocessedItems")


ROW = TableRow("BatchWriteItem of 25", make, check, (Goal("Trine", 2.0),), requests=REQUESTS)
