"""TransactWriteItems of four: two puts, a conditional update, a condition check. No two in flight share a key."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import ITEMS_PER_PARTITION, PARTITIONS, TABLE, item, key
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, index: int) -> Call:
    places = [divmod((4 * index + step) % (PARTITIONS * ITEMS_PER_PARTITION), ITEMS_PER_PARTITION) for step in range(4)]
    first, second, third, fourth = places
    return Call(
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": TABLE, "Item": item(*first, source)}},
                {"Put": {"TableName": TABLE, "Item": item(*second, source)}},
                {
                    "Update": {
                        "TableName": TABLE,
                        "Key": key(*third),
                        "UpdateExpression": "ADD visits :one",
                        "ConditionExpression": "attribute_exists(pk)",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": key(*fourth),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        },
    )


def check(_call: Call, answer: Any) -> bool:
    return not any(answer.values())  # AWS answers {}; empty lists say the same


ROW = TableRow("TransactWriteItems of 4", make, check, (Goal("Trine", 2.0),))
