"""What one rendering of a mapping template may use up: its variables, its output, its steps, its depth.

Every node that runs takes a step from the budget, and everything written counts, so that no template runs long or
writes much. `Stop` and `Break` are how `#stop` and `#break` leave what they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trine.apigateway.limits import PAYLOAD_BYTES
from trine.apigateway.mapping.values import TemplateError

STEPS_MAX = 100_000
"""Nodes one rendering may run; about a tenth of a second."""
CALLS_DEEP_MAX = 20
"""Macros and defined blocks within one another: Velocity's `velocimacro.max.depth`."""


class Stop(Exception):
    """`#stop`: the rest of the template is not rendered."""


class Break(Exception):
    """`#break`: leave the innermost `#foreach`."""


class Scope:
    """Variables of one rendering, what was written so far, and how much may still happen."""

    __slots__ = ("_calls", "_steps", "_written", "out", "variables")

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.out: list[str] = []
        self._calls = 0
        self._steps = STEPS_MAX
        self._written = 0

    def step(self, count: int = 1) -> None:
        """One more node runs, or what takes as long as `count` of them. TemplateError when that is too much."""
        self._steps -= count
        if self._steps < 0:
            raise TemplateError(f"the template runs more than {STEPS_MAX} steps")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """A macro or defined block runs inside. TemplateError when too many do."""
        if self._calls >= CALLS_DEEP_MAX:
            raise TemplateError(f"macros and defined blocks are called more than {CALLS_DEEP_MAX} deep")
        self._calls += 1
        yield
        self._calls -= 1

    def write(self, text: str) -> None:
        """Add `text` to the output."""
        self._written += len(text)
        if self._written > PAYLOAD_BYTES:
            raise TemplateError(f"the template writes more than {PAYLOAD_BYTES} characters")
        self.out.append(text)
