"""What a FIFO queue remembers of the last five minutes: which message a deduplication id stands for.

No clock: time is an argument. After a restart it knows the messages that still lie in the queue. Source: SQS developer
guide, "Exactly-once processing".
"""

from __future__ import annotations

from trine.messaging import limits
from trine.messaging.message import Message

_Key = tuple[str | None, str]


class Deduplication:
    """The memory of one queue."""

    def __init__(self) -> None:
        self._seen: dict[_Key, tuple[float, Message]] = {}

    def original(self, message: Message, by_group: bool, now: float) -> Message | None:
        """The message that was sent under this id within five minutes, or None."""
        self._forget_old(now)
        found = self._seen.get(_key(message, by_group)) if message.deduplication_id is not None else None
        return None if found is None else found[1]

    def note(self, message: Message, by_group: bool, now: float) -> None:
        """A message was sent."""
        if message.deduplication_id is not None:
            bare = Message(message.message_id, "", now, "", sequence_number=message.sequence_number)
            self._seen[_key(message, by_group)] = (now + limits.DEDUPLICATION_SECONDS, bare)

    def forget(self, message: Message, by_group: bool) -> None:
        """It could not be kept after all."""
        if message.deduplication_id is not None:
            self._seen.pop(_key(message, by_group), None)

    def forget_all(self) -> None:
        """The queue was purged."""
        self._seen.clear()

    def _forget_old(self, now: float) -> None:
        while self._seen:
            key = next(iter(self._seen))
            if self._seen[key][0] > now:
                return
            del self._seen[key]


def _key(message: Message, by_group: bool) -> _Key:
    assert message.deduplication_id is not None
    return (message.group_id if by_group else None, message.deduplication_id)
