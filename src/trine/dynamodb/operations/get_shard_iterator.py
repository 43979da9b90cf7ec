"""GetShardIterator: where to begin to read a shard: its oldest record, its end, or at or after a sequence number."""

from __future__ import annotations

import orjson

from trine.dynamodb.errors import ResourceNotFoundException, TrimmedDataAccessException, ValidationException
from trine.dynamodb.members import streams_model
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.operations.streams import iterator_text, on_stream, stream_of
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.stream import Stream, end_of, first_of, key_of_sequence

_WITHOUT_NUMBER = ("TRIM_HORIZON", "LATEST")


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Make the iterator."""
    kind, number = document["ShardIteratorType"], document.get("SequenceNumber")
    _check(kind, number)
    _, stream = stream_of(rooms, document["StreamArn"])
    if document["ShardId"] != stream.shard_id:
        raise ResourceNotFoundException(
            f"Requested resource not found: Shard: {document['ShardId']} in Stream: {stream.arn} not found"
        )
    position = _position(rooms, stream, kind, number)
    return orjson.dumps({"ShardIterator": iterator_text(stream, position, rooms.clock.now())})


def _check(kind: str, number: str | None) -> None:
    """What the request says of itself, before the stream is looked for."""
    if number is None:
        if kind not in _WITHOUT_NUMBER:
            raise ValidationException(f"SequenceNumber must be specified for ShardIteratorType {kind}")
    elif kind in _WITHOUT_NUMBER:
        raise ValidationException(f"SequenceNumber must not be specified for ShardIteratorType {kind}")


def _position(rooms: Rooms, stream: Stream, kind: str, number: str | None) -> bytes:
    if number is None:
        return stream.prefix if kind == "TRIM_HORIZON" else end_of(rooms.store, stream)
    key = key_of_sequence(stream, number)
    if key is None:
        raise ValidationException(f"Invalid SequenceNumber: {number}")
    oldest = first_of(rooms.store, stream)
    start = stream.prefix + bytes(16)
    if key != start and (oldest is None or key < oldest.key):
        raise TrimmedDataAccessException(
            f"The requested sequence number {number} is before the oldest record that is kept"
        )
    return key if kind == "AT_SEQUENCE_NUMBER" else key + b"\0"


GET_SHARD_ITERATOR = Operation(
    "GetShardIterator",
    DocumentCodec("GetShardIterator", streams_model),
    on_stream("GetShardIterator"),
    no_plan,
    execute,
)
