"""Tumbling windows: which window a record belongs to, and what a function gets and gives besides its records.

Pure. Developer guide, "Implementing stateful DynamoDB stream processing": windows follow each other without gaps,
aligned to the epoch; each invocation gets the state of the one before; the last one of a window says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from trine.awslambda.sources import limits
from trine.awslambda.sources.failure_record import second


@dataclass(slots=True)
class Window:
    """An open window: its start (seconds), its length, the state so far as JSON text."""

    start: int
    length_seconds: int
    state: str = "{}"

    @property
    def end(self) -> int:
        """The first second after it."""
        return self.start + self.length_seconds

    def members(self, shard_id: str, stream_arn: str, *, final: bool, early: bool = False) -> bytes:
        """The members of the event after `Records`."""
        members = {
            "window": {"start": second(self.start), "end": second(self.end)},
            "state": orjson.Fragment(self.state),
            "shardId": shard_id,
            "eventSourceARN": stream_arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": early,
        }
        return b"," + orjson.dumps(members)[1:-1]

    @property
    def is_full(self) -> bool:
        """The state is larger than AWS keeps: the window ends early."""
        return len(self.state.encode()) > limits.STATE_MAX_BYTES


def window_of(moment: float, length_seconds: int) -> Window:
    """The window that `moment` falls into, with an empty state."""
    start = int(moment) // length_seconds * length_seconds
    return Window(start, length_seconds)


def state_in(payload: bytes) -> str | None:
    """The state that an answer brings, as JSON text; None when it brings none, which is a failure."""
    try:
        answer = orjson.loads(payload) if payload else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("state"), dict):
        return None
    return orjson.dumps(answer["state"]).decode()
