"""One queue's order: which messages are visible to whom, and when hidden ones come back.

Knows entries, not bodies, and no clock: time is an argument. A standard queue gives what is visible, the oldest first.
A FIFO queue gives the messages of a group in order, and none of a group while an earlier one is hidden; a group that
was given from waits behind the others. Source: SQS developer guide, "Visibility timeout" and "FIFO delivery logic".
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from trine.messaging.queue_attributes import Settings


class Entry:
    """A message's place in its queue. Times in seconds since the epoch."""

    __slots__ = ("first_received_at", "group", "in_flight", "message_id", "receipts", "receive_count", "sent_at",
                 "sequence", "visible_at")  # fmt: skip

    def __init__(self, sequence: int, message_id: str, sent_at: float, visible_at: float, group: str | None) -> None:
        self.sequence, self.message_id = sequence, message_id
        self.sent_at, self.visible_at, self.group = sent_at, visible_at, group
        self.receive_count = 0
        self.receipts = 0
        """Receives of this run; the handle of the latest one carries it."""
        self.first_received_at = 0.0
        self.in_flight = False
        """Hidden because it was received; hidden otherwise, it is delayed."""


class Queue:
    """The entries of one queue."""

    def __init__(self, name: str, arn: str, number: int, settings: Settings) -> None:
        self.name, self.arn, self.number, self.settings = name, arn, number, settings
        self._entries: dict[int, Entry] = {}
        self._ready: list[int] = []
        self._hidden: list[tuple[float, int]] = []
        self._groups: dict[str, dict[int, Entry]] = {}
        self._latest = 0
        self.in_flight = 0
        """Messages that were received and are neither deleted nor back."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def next_sequence(self, now: float) -> int:
        """A number above all before it, also those of earlier runs."""
        self._latest = max(self._latest + 1, int(now * 1000) << 20)
        return self._latest

    def add(self, entry: Entry, now: float) -> None:
        """A message is there."""
        self._entries[entry.sequence] = entry
        self._latest = max(self._latest, entry.sequence)
        if self.settings.fifo:
            self._groups.setdefault(entry.group or "", {})[entry.sequence] = entry
        if entry.visible_at > now:
            heapq.heappush(self._hidden, (entry.visible_at, entry.sequence))
        elif not self.settings.fifo:
            heapq.heappush(self._ready, entry.sequence)

    def get(self, sequence: int) -> Entry | None:
        """The entry, or None when it is gone."""
        return self._entries.get(sequence)

    def remove(self, entry: Entry) -> None:
        """A message is gone."""
        if self._entries.pop(entry.sequence, None) is not None and entry.in_flight:
            self.in_flight -= 1
        group = self._groups.get(entry.group or "")
        if group is not None:
            group.pop(entry.sequence, None)
            if not group:
                del self._groups[entry.group or ""]

    def receive(self, entry: Entry, now: float, until: float) -> None:
        """Count a receive and hide the message until then."""
        entry.receive_count += 1
        entry.receipts += 1
        entry.first_received_at = entry.first_received_at or now
        group = self._groups.pop(entry.group or "", None)
        if group is not None:
            self._groups[entry.group or ""] = group  # it goes behind the groups that have waited
        self.hide(entry, until)

    def hide(self, entry: Entry, until: float) -> None:
        """Nobody sees the message that was received before `until`."""
        if not entry.in_flight:
            entry.in_flight = True
            self.in_flight += 1
        entry.visible_at = until
        heapq.heappush(self._hidden, (until, entry.sequence))

    def release(self, now: float) -> None:
        """Bring back what is hidden no longer."""
        while self._hidden and self._hidden[0][0] <= now:
            until, sequence = heapq.heappop(self._hidden)
            entry = self._entries.get(sequence)
            if entry is None or entry.visible_at != until:
                continue
            if entry.in_flight:
                entry.in_flight = False
                self.in_flight -= 1
            if not self.settings.fifo:
                heapq.heappush(self._ready, sequence)

    def next_return(self) -> float | None:
        """When the next hidden message comes back; None when none is hidden."""
        while self._hidden:
            until, sequence = self._hidden[0]
            entry = self._entries.get(sequence)
            if entry is not None and entry.visible_at == until:
                return until
            heapq.heappop(self._hidden)
        return None

    def visible(self, now: float) -> Iterator[Entry]:
        """Messages to give now, in order; the receiver hides or removes each one before it takes the next."""
        self.release(now)
        if self.settings.fifo:
            yield from self._visible_in_groups(now)
            return
        while self._ready:
            entry = self._entries.get(self._ready[0])
            if entry is None or entry.in_flight or entry.visible_at > now:
                heapq.heappop(self._ready)
                continue
            receipts = entry.receipts
            yield entry
            if entry.sequence in self._entries and entry.receipts == receipts:
                return  # left as it was: the receiver wants no more

    def _visible_in_groups(self, now: float) -> Iterator[Entry]:
        for group in list(self._groups.values()):
            for entry in list(group.values()):
                if entry.visible_at > now:
                    break
                receipts = entry.receipts
                yield entry
                if entry.sequence in self._entries and entry.receipts == receipts:
                    return

    def expired(self, now: float) -> list[Entry]:
        """The oldest messages, while they are older than the queue keeps them."""
        horizon = now - self.settings.retention_seconds
        gone = []
        for entry in self._entries.values():
            if entry.sent_at >= horizon:
                break
            gone.append(entry)
        return gone

    def counts(self, now: float) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        self.release(now)
        hidden = sum(entry.visible_at > now for entry in self._entries.values())
        return len(self._entries) - hidden, self.in_flight, hidden - self.in_flight
