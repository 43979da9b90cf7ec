"""A function that reads an item with boto3, through the front door, at one and at sixteen connections."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.front_servers import USERS
from benchmarks.scenario import FrontRow, Goal


def make(source: random.Random, _index: int) -> str:
    return f"/users/u{source.randrange(USERS)}"


def check(path: str, answer: Any) -> bool:
    number = path.removeprefix("/users/u")
    return bool(answer == {"id": f"u{number}", "name": f"Name {number}"})


PEER = ("serverless-offline + dynoxide",)
ONE = FrontRow("GET user (boto3), 1 connection", make, check, connections=1, with_floor=True)
SIXTEEN = FrontRow(
    "GET user (boto3), 16 connections",
    make,
    check,
    (Goal("Trine", 2.0, PEER), Goal("Trine", 1.0, ("bare floor",))),
    connections=16,
    with_floor=True,
)
