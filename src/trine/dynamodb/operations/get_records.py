"""GetRecords: the next records of a shard, and the iterator behind them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from trine.dynamodb.limits import STREAM_PAGE_MAX_RECORDS
from trine.dynamodb.members import streams_model
from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.operations.streams import checked_limit, iterator_text, position_of, stream_arn_of
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.stream import read_records
from trine.metering.usage import STREAM, take


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """GetRecords on the stream that the iterator reads."""
    return (("dynamodb:GetRecords", stream_arn_of(document["ShardIterator"]), None),)


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Read on."""
    limit = checked_limit(document.get("Limit"), STREAM_PAGE_MAX_RECORDS)
    table, stream, position = position_of(rooms, document["ShardIterator"])
    if rooms.trace is not None:
        take(rooms.trace, table.name, STREAM, 1.0, 0.0)
    now = rooms.clock.now()
    records, position = read_records(rooms.store, stream, position, limit, now)
    body = b",".join([record.document(rooms.place.region) for record in records])
    # A shard that is closed and read to its end has no next iterator.
    if stream.disabled_at is not None and len(records) < limit:
        return b'{"Records":[' + body + b"]}"
    following = orjson.dumps(iterator_text(stream, position, now))
    return b'{"Records":[' + body + b'],"NextShardIterator":' + following + b"}"


GET_RECORDS = Operation("GetRecords", DocumentCodec("GetRecords", streams_model), permissions, no_plan, execute)
