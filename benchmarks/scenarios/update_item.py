"""UpdateItem with a condition: SET one attribute, ADD to another."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.data import TABLE, any_key
from benchmarks.scenario import Goal, TableRow
from benchmarks.signing import Call


def make(source: random.Random, _index: int) -> Call:
    return Call(
        "UpdateItem",
        {
            "TableName": TABLE,
            "Key": any_key(source),
            "UpdateExpression": "SET #s = :s ADD visits :one",
            "ConditionExpression": "attribute_exists(pk) AND active = :yes",
            "ExpressionAttributeNames": {"#s": "status"},
            "ExpressionAttributeValues": {
                ":s": {"S": source.choice(["PENDING", "DONE"])},
                ":one": {"N": "1"},
                ":yes": {"BOOL": True},
            },
            "ReturnValues": "UPDATED_NEW",
        },
    )


def check(call: Call, answer: Any) -> bool:
    values: Any = call.document["ExpressionAttributeValues"]
    new = answer["Attributes"]
    return bool(new["status"] == values[":s"] and int(new["visits"]["N"]) >= 1)


ROW = TableRow("UpdateItem, conditional SET + ADD", make, check, (Goal("Trine", 2.0, ("dynalite, LevelDB",)),))
