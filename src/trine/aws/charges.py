"""What services do by themselves and AWS charges for: told to whoever counts. Pure.

Calls of clients say what they count as at the door (`iam.door.Charged`); a schedule that runs, a message that a topic
hands to a queue, or a queue that is read for a function is nobody's call.
"""

from __future__ import annotations

from collections.abc import Callable

CHUNK_BYTES = 64 * 1024
"""SQS, SNS, EventBridge pricing: "each 64 KB chunk of a payload is billed as 1 request"."""
Charge = Callable[[str, dict[str, float]], None]
"""(service, what it counts as by the names of `metering.usage.COUNTED`)."""


def uncharged(service: str, counts: dict[str, float]) -> None:
    """Nobody counts."""


def chunks(size_bytes: int) -> int:
    """Requests that a payload counts as."""
    return max(1, -(-size_bytes // CHUNK_BYTES))
