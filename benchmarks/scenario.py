"""What a row of the table is: requests made from one seed, how an answer is checked, and the goal."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.signing import Call

REQUESTS = 2_000
"""Different requests of a row; the load generator sends them in a circle."""


@dataclass(frozen=True)
class Goal:
    """`subject` must reach `factor` times the best of `peers` (or of all others, where none is named)."""

    subject: str
    factor: float
    peers: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableRow:
    """A row measured on table servers."""

    title: str
    make: Callable[[random.Random, int], Call]
    """Makes the request of a number; the same for every server."""
    check: Callable[[Call, Any], bool]
    """Whether a JSON answer is right for its request."""
    goals: tuple[Goal, ...] = ()
    connections: int = 16
    requests: int = REQUESTS
    p99_goal_milliseconds: float | None = None
    with_echo: bool = False
    """Measure the bare echo too, with the same requests."""

    def calls(self) -> list[Call]:
        source = random.Random(self.title)
        return [self.make(source, index) for index in range(self.requests)]


@dataclass(frozen=True)
class FrontRow:
    """A row measured through the front door: GET requests."""

    title: str
    make: Callable[[random.Random, int], str]
    """Makes the path of a request."""
    check: Callable[[str, Any], bool]
    """Whether a JSON answer is right for its path."""
    goals: tuple[Goal, ...] = ()
    connections: int = 16
    requests: int = 500
    with_floor: bool = False
    """Measure the bare floor too."""

    def paths(self) -> list[str]:
        source = random.Random(self.title)
        return [self.make(source, index) for index in range(self.requests)]
