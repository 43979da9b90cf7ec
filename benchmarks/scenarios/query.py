"""Query of ten items of one partition, from a sort key on."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import ITEMS_PER_PARTITION, PARTITIONS, TABLE, key
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, _index: int) -> Call:
    start = key(source.randrange(PARTITIONS), source.randrange(ITEMS_PER_PARTITION - 10))
    return Call(
        "Query",
        {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :p AND sk >= :s",
            "ExpressionAttributeValues": {":p": start["pk"], ":s": start["sk"]},
            "Limit": 10,
        },
    )


def check(call: Call, answer: Any) -> bool:
    values: Any = call.document["ExpressionAttributeValues"]
    items = answer["Items"]
    sorts = [entry["sk"]["S"] for entry in items]
    return (
        answer["Count"] == len(items) == 10
        and sorts == sorted(sorts)
        and sorts[0] == values[":s"]["S"]
        and all(entry["pk"] == values[":p"] for entry in items)
    )


ROW = TableRow("Query, 10 items of 400 B", make, check, (Goal("Trine", 6.0, ("dynoxide, memory",)),))
