"""A mix as applications make it: 60 % GetItem, 20 % PutItem, 20 % Query, over 64 connections; the slowest count."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.scenario import TableRow
from benchmarks.scenarios import get_item, put_item, query
from benchmarks.signing import Call

PUT_KEYS = 100
"""Each is put four times in a circle of the requests, so that nearly every put changes its item (see `put_item`)."""
PARTS = {"GetItem": get_item, "PutItem": put_item, "Query": query}


def make(source: random.Random, index: int) -> Call:
    part = source.choices((get_item, put_item, query), weights=(60, 20, 20))[0]
    if part is put_item:
        index = source.randrange(PUT_KEYS)
    call: Call = part.make(source, index)
    return call


def check(call: Call, answer: Any) -> bool:
    if call.operation == "GetItem":
        wanted: Any = call.document["Key"]
        return all(answer["Item"][name] == wanted[name] for name in wanted)
    return bool(PARTS[call.operation].check(call, answer))


ROW = TableRow("60/20/20 get/put/query, 64 connections", make, check, connections=64, p99_goal_milliseconds=10.0)
