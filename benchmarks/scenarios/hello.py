"""A function that does nothing, through the front door, at one and at sixteen connections, in Python and in Node.js."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.scenario import FrontRow, Goal


def make(_source: random.Random, _index: int) -> str:
    return "/hello"


def make_node(_source: random.Random, _index: int) -> str:
    return "/hello-node"


def check(path: str, answer: Any) -> bool:
    return bool(answer == {"hello": path})


PEER = ("serverless-offline + dynoxide",)
ONE = FrontRow("hello, 1 connection", make, check, (Goal("Trine", 2.0, PEER),), connections=1)
SIXTEEN = FrontRow("hello, 16 connections", make, check, (Goal("Trine", 2.0, PEER),), connections=16)
NODE_SIXTEEN = FrontRow(
    "hello in Node.js, 16 connections", make_node, check, (Goal("Trine", 2.0, PEER),), connections=16
)
