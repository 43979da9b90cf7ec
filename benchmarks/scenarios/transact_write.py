"""TransactWriteItems of four: two puts, a conditional update, a condition check.

No two in flight share a key, and every put changes its item (see `put_item`).
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import TABLE, item, key, place
from benchmarks.scenario import REQUESTS, Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, index: int) -> Call:
    first, second, third, fourth = (place(4 * (index % (REQUESTS // 2)) + step) for step in range(4))
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
