"""What the operations on streams share: finding a stream, and the shard iterator as text. Sentences are AWS's.

A shard iterator is the stream's ARN, a version, and the position and time of issue in base 64: everything that
GetRecords needs, so no server remembers iterators.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence

from trine.aws.arn import Arn
from trine.dynamodb.errors import (
    ExpiredIteratorException,
    ResourceNotFoundException,
    TrimmedDataAccessException,
    ValidationException,
)
from trine.dynamodb.limits import STREAM_ITERATOR_SECONDS, STREAM_RETENTION_SECONDS
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.shape import Document
from trine.dynamodb.storage.stream import Stream
from trine.dynamodb.storage.table import Table

_TIME_BYTES = 8
_VERSION = "1"


def readable(rooms: Rooms, table: Table) -> Iterator[Stream]:
    """The table's streams that still hold records: the running one, and those switched off within 24 hours."""
    for stream in table.streams:
        if stream.disabled_at is None or rooms.clock.now() - stream.disabled_at < STREAM_RETENTION_SECONDS:
            yield stream


def stream_of(rooms: Rooms, arn: str) -> tuple[Table, Stream]:
    """The stream with this ARN. ValidationException or ResourceNotFoundException."""
    name, label = stream_parts(arn)
    table = rooms.tables.find(name)
    if table is not None and arn.startswith(f"{table.arn}/"):
        for stream in readable(rooms, table):
            if stream.label == label:
                return table, stream
    raise ResourceNotFoundException(f"Requested resource not found: Stream: {arn} not found")


def stream_parts(arn: str) -> tuple[str, str]:
    """Table name and stream label in a stream's ARN. ValidationException when it is none."""
    try:
        resource = Arn.parse(arn).resource.split("/")
    except ValueError:
        resource = []
    if len(resource) != 4 or resource[0] != "table" or resource[2] != "stream":
        raise ValidationException(f"Invalid StreamArn provided as input {arn}")
    return resource[1], resource[3]


def checked_limit(limit: int | None, most: int) -> int:
    """The page's limit. ValidationException beyond what AWS takes."""
    if limit is None:
        return most
    if limit > most:
        raise ValidationException(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )
    return limit


def on_stream(name: str) -> Callable[[Rooms, Document], Sequence[Permission]]:
    """The permission of an operation whose document names a stream."""
    action = f"dynamodb:{name}"
    return lambda rooms, document: ((action, document["StreamArn"], None),)


def iterator_text(stream: Stream, position: bytes, now: float) -> str:
    """A shard iterator for `position`."""
    token = int(now * 1000).to_bytes(_TIME_BYTES, "big") + position[len(stream.prefix) :]
    return f"{stream.arn}|{_VERSION}|{urlsafe_b64encode(token).decode()}"


def stream_arn_of(iterator: str) -> str:
    """The ARN of the stream that a shard iterator reads. ValidationException when it is no iterator."""
    arn, _, rest = iterator.partition("|")
    if not rest.startswith(f"{_VERSION}|"):
        raise ValidationException("Invalid ShardIterator")
    return arn


def position_of(rooms: Rooms, iterator: str) -> tuple[Table, Stream, bytes]:
    """What a shard iterator means. ValidationException, ExpiredIteratorException, TrimmedDataAccessException."""
    arn = stream_arn_of(iterator)
    try:
        token = urlsafe_b64decode(iterator.rpartition("|")[2])
    except ValueError:
        raise ValidationException("Invalid ShardIterator") from None
    if len(token) < _TIME_BYTES or not arn.startswith(rooms.place.table("")):  # of nowhere, or of another region
        raise ValidationException("Invalid ShardIterator")
    try:
        table, stream = stream_of(rooms, arn)
    except ResourceNotFoundException:
        raise TrimmedDataAccessException("The stream of the shard iterator is no longer there") from None
    issued_at = int.from_bytes(token[:_TIME_BYTES], "big") / 1000
    if rooms.clock.now() - issued_at > STREAM_ITERATOR_SECONDS:
        raise ExpiredIteratorException("Iterator expired. The iterator was created more than 15 minutes ago.")
    return table, stream, stream.prefix + token[_TIME_BYTES:]
