"""BatchWriteItem of 25 puts of about 400 bytes each."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import ITEMS_PER_PARTITION, PARTITIONS, TABLE, item
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, index: int) -> Call:
    items = PARTITIONS * ITEMS_PER_PARTITION
    puts = [
        {"PutRequest": {"Item": item(*divmod((25 * index + step) % items, ITEMS_PER_PARTITION), source)}}
        for step in range(25)
    ]
    return Call("BatchWriteItem", {"RequestItems": {TABLE: puts}})


def check(_call: Call, answer: Any) -> bool:
    return not answer.get("UnprocessedItems")


ROW = TableRow("BatchWriteItem of 25", make, check, (Goal("Trine", 2.0),), requests=400)
