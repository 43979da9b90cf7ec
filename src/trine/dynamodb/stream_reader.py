"""Streams as event source mappings read them: `aws.streams.StreamReader` over the tables.

Enters a stream's ARN and a sequence number, leaves records; and a bell that rings when something was written. Reading
costs nothing while nothing happens: nobody polls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trine.aws.actor import Actor
from trine.aws.errors import AwsError
from trine.aws.streams import StreamPage, StreamRecord
from trine.dynamodb.errors import ResourceNotFoundException
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.operations.streams import stream_of
from trine.dynamodb.storage.stream import (
    SEQUENCE_BYTES,
    Stream,
    end_of,
    key_of_sequence,
    read_records,
    sequence_number,
)

if TYPE_CHECKING:
    from trine.iam.acting import Acting

_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream")


class Bell:
    """Wakes whoever waits for writes; silent and free while nobody does."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def ring(self) -> None:
        """Something may have been written."""
        for listener in self._listeners:
            listener()

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` at every ring until the answer is called."""
        self._listeners = [*self._listeners, wake]

        def stop() -> None:
            self._listeners = [one for one in self._listeners if one is not wake]

        return stop


class TableStreams:
    """The streams of one account; a `StreamReader`."""

    def __init__(self, rooms: Rooms, bell: Bell, acting: Acting) -> None:
        self._rooms, self._bell, self._acting = rooms, bell, acting

    def shard_of(self, stream_arn: str) -> str | None:
        """The id of the stream's one shard; None when there is no such stream."""
        stream = self._find(stream_arn)
        return None if stream is None else stream.shard_id

    def permit(self, actor: Actor, stream_arn: str) -> None:
        """AccessDenied when `actor` may not read the stream."""
        policy = self._rooms.policies.of(stream_arn)
        for name in _ACTIONS:
            self._acting.authorize(actor, f"dynamodb:{name}", stream_arn, policy)
        try:
            self._acting.authorize(actor, "dynamodb:ListStreams", stream_arn)
        except AwsError:
            # Policies name streams or `*` here; the API itself knows no resource for it.
            self._acting.authorize(actor, "dynamodb:ListStreams", "*")

    def newest(self, stream_arn: str) -> str | None:
        """The sequence number of the newest record; None while there is none."""
        stream = self._find(stream_arn)
        if stream is None:
            return None
        end = end_of(self._rooms.store, stream)
        return None if end == stream.prefix else sequence_number(end[:-1])

    def read(self, stream_arn: str, after: str | None, limit: int) -> StreamPage:
        """Up to `limit` records behind `after`. ResourceNotFoundException when the stream is gone."""
        stream = self._find(stream_arn)
        if stream is None:
            raise ResourceNotFoundException(f"Requested resource not found: Stream: {stream_arn} not found")
        key = None if after is None else key_of_sequence(stream, after)
        position = stream.prefix if key is None else key + b"\0"
        found, _ = read_records(self._rooms.store, stream, position, limit, self._rooms.clock.now())
        region = self._rooms.place.region
        records = [
            StreamRecord(record.document(region), sequence_number(record.key[-SEQUENCE_BYTES:]), record.written_at)
            for record in found
        ]
        return StreamPage(records, stream.disabled_at is not None and not records)

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after writes; the answer ends that."""
        return self._bell.listen(wake)

    def _find(self, stream_arn: str) -> Stream | None:
        try:
            return stream_of(self._rooms, stream_arn)[1]
        except AwsError:
            return None
