"""The life of an environment as a table, and what it asks of its owner and of its runtime's connection.

Pure. What the table does not allow is forbidden; whoever moves an environment asserts it.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trine.awslambda.environments.environment import Environment
    from trine.awslambda.fault import Fault


class State(enum.Enum):
    """Where an environment stands."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is a Python call on the hot path

    INIT = "init"
    IDLE = "idle"
    INVOKE = "invoke"
    ENDING = "ending"
    ENDED = "ended"


TABLE: dict[State, frozenset[State]] = {
    State.INIT: frozenset({State.IDLE, State.ENDING, State.ENDED}),
    State.IDLE: frozenset({State.INVOKE, State.ENDING, State.ENDED}),
    State.INVOKE: frozenset({State.IDLE, State.ENDING, State.ENDED}),
    State.ENDING: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}
"""From each state, the states that may follow. Everything else is forbidden."""


class Owner(Protocol):
    """Who keeps environments: the pool."""

    def ready(self, environment: Environment) -> None:
        """It has finished its init and is idle for the first time."""

    def idle(self, environment: Environment) -> None:
        """It has finished an invocation and asks for the next one."""

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        """Nothing of it is left. `init_fault` tells why, when it never became ready."""


class Connection(Protocol):
    """Where a runtime's call came from and its answer goes."""

    can_be_polled: bool
    """`poll` finds what has come; elsewhere only the event loop does."""

    def reply(self, data: bytes, *, hold: bool = False) -> None:
        """Send `data`; with `hold`, together with what is sent next."""

    def release(self) -> None:
        """Send what is held: nothing follows soon."""

    def poll(self) -> None:
        """Take what the runtime has sent by now, if anything."""

    def hold_back(self, held: bool) -> None:
        """Read no more of what the runtime sends (True), or go on (False)."""

    def close(self) -> None:
        """Close the connection."""
