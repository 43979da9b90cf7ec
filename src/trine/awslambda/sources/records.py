"""Stream records as a function gets them, and batches of them as one event.

Pure. Developer guide, "DynamoDB Streams events": what GetRecords gives, with `eventSourceARN` and the user identity in
small letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from trine.aws.event_pattern import Pattern
from trine.aws.streams import StreamRecord

ENVELOPE_BYTES = len(b'{"Records":[]}')


class Change(NamedTuple):
    """One record on its way to a function."""

    sequence_number: str
    written_at: float
    document: bytes
    """Its JSON in the event."""
    lane: int
    """Which lane keeps its key's order."""


def change_of(record: StreamRecord, stream_arn: str, patterns: Sequence[Pattern], lanes: int) -> Change | None:
    """The record for the function; None when no filter lets it through."""
    document: dict[str, Any] = orjson.loads(record.document)
    identity = document.get("userIdentity")
    if identity is not None:
        document["userIdentity"] = {"principalId": identity.get("PrincipalId"), "type": identity.get("Type")}
    document["eventSourceARN"] = stream_arn
    if patterns and not any(pattern.matches(document) for pattern in patterns):
        return None
    lane = crc32(orjson.dumps(document["dynamodb"]["Keys"])) % lanes if lanes > 1 else 0
    return Change(record.sequence_number, record.written_at, orjson.dumps(document), lane)


def event_of(batch: Sequence[Change], further: bytes = b"") -> bytes:
    """The event of a batch. `further` are members after `Records`, with their comma."""
    return b'{"Records":[' + b",".join([change.document for change in batch]) + b"]" + further + b"}"
