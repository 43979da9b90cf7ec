"""DescribeStream: what a stream records, and its shard."""

from __future__ import annotations

from typing import Any

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import STREAMS_PER_LIST_MAX_COUNT
from trine.dynamodb.members import streams_model
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.operations.streams import checked_limit, on_stream, stream_of
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.stream import end_of, sequence_number


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe the stream."""
    checked_limit(document.get("Limit"), STREAMS_PER_LIST_MAX_COUNT)
    _check_filter(document.get("ShardFilter"))
    table, stream = stream_of(rooms, document["StreamArn"])
    shard: dict[str, Any] = {
        "ShardId": stream.shard_id,
        "SequenceNumberRange": {"StartingSequenceNumber": sequence_number(bytes(16))},
    }
    if stream.disabled_at is not None:
        newest = end_of(rooms.store, stream)
        last = newest[:-1] if newest != stream.prefix else bytes(16)
        shard["SequenceNumberRange"]["EndingSequenceNumber"] = sequence_number(last)
    shards = [shard]
    # The one shard has no children, and an id given to start after leaves nothing that sorts behind it.
    if "ShardFilter" in document or document.get("ExclusiveStartShardId", "") >= stream.shard_id:
        shards = []
    description = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.label,
        "StreamStatus": "ENABLED" if stream.disabled_at is None else "DISABLED",
        "StreamViewType": stream.view_type,
        "CreationRequestDateTime": round(stream.created_at, 3),
        "TableName": table.name,
        "KeySchema": table.definition.key.document(),
        "Shards": shards,
    }
    return orjson.dumps({"StreamDescription": description})


def _check_filter(wish: Document | None) -> None:
    if wish is None:
        return
    for member in ("Type", "ShardId"):
        if member not in wish:
            raise ValidationException(f"ShardFilter.{member} must be specified")


DESCRIBE_STREAM = Operation(
    "DescribeStream", DocumentCodec("DescribeStream", streams_model), on_stream("DescribeStream"), no_plan, execute
)
