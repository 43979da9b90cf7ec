"""A table's stream: the record of each change, written by the commit that makes the change, and read in that order.

A `Transition` enters, a record's bytes leave for the store to append; a position enters, records leave with their
sequence numbers. The store completes each key with its commit sequence, from which the sequence number is made: so the
order of records is the order of commits. A stream is one shard. Records are kept for 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from trine.dynamodb.limits import STREAM_PAGE_MAX_BYTES, STREAM_RETENTION_SECONDS
from trine.dynamodb.model.attribute import equal
from trine.dynamodb.model.item import item_bytes, stored_size
from trine.dynamodb.storage.keyspace import STREAMS, table_prefix
from trine.kv.store import Store
from trine.kv.tuple import after

if TYPE_CHECKING:
    from trine.dynamodb.storage.items import Transition

SEQUENCE_BYTES = 16
SEQUENCE_DIGITS = 40
_TIME_BYTES = 8


class Stream:
    """One stream of a table, running or switched off. `number` counts the table's streams from 1."""

    __slots__ = ("arn", "created_at", "disabled_at", "label", "number", "prefix", "stop", "view_type")

    def __init__(self, table_number: int, table_arn: str, record: Mapping[str, Any]) -> None:
        self.number: int = record["Number"]
        self.label: str = record["Label"]
        self.view_type: str = record["ViewType"]
        self.created_at: float = record["CreatedAt"]
        self.disabled_at: float | None = record.get("DisabledAt")
        self.arn = f"{table_arn}/stream/{self.label}"
        self.prefix = table_prefix(STREAMS, table_number) + self.number.to_bytes(2, "big")
        self.stop = after(self.prefix)

    @property
    def shard_id(self) -> str:
        """The id of its one shard, in AWS's shape."""
        return f"shardId-{int(self.created_at * 1000):020d}-{self.number:08x}"


def stream_record(transition: Transition, stream: Stream, now: float) -> bytes | None:
    """What to append for a transition; None when the item stays equal, which AWS does not record."""
    old, new = transition.old_stored, transition.new_stored
    if old is not None and new is not None and equal({"M": transition.old}, {"M": transition.new}):
        return None
    item = transition.new if new is not None else transition.old
    assert item is not None
    keys = transition.table.definition.key_of(item)
    view = stream.view_type
    size_bytes = 0
    parts = [b'"Keys":' + orjson.dumps(keys)]
    if new is not None and view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        parts.append(b'"NewImage":' + item_bytes(new))
        size_bytes += stored_size(new)
    if old is not None and view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        parts.append(b'"OldImage":' + item_bytes(old))
        size_bytes += stored_size(old)
    size_bytes += sum(len(name) + len(str(value)) - 9 for name, value in keys.items())
    name = b"INSERT" if old is None else b"REMOVE" if new is None else b"MODIFY"
    identity = b""
    if transition.expired:
        identity = b'"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"},'
    return int(now * 1000).to_bytes(_TIME_BYTES, "big") + (
        b'"eventName":"%b",%b"dynamodb":{"ApproximateCreationDateTime":%d.0,%b,"SizeBytes":%d,"StreamViewType":"%b",'
        % (name, identity, int(now), b",".join(parts), size_bytes, view.encode())
    )


class StreamRecord(NamedTuple):
    """A record as read: where it lies, when it was written, and its JSON without sequence number and ids."""

    key: bytes
    written_at: float
    opened: bytes

    def document(self, region: str) -> bytes:
        """The record's JSON, complete."""
        sequence = self.key[-SEQUENCE_BYTES:]
        return (
            b'{"eventID":"%b","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"%b",%b"SequenceNumber":"%b"}}'
            % (sequence.hex().encode(), region.encode(), self.opened, sequence_number(self.key).encode())
        )


def sequence_number(key: bytes) -> str:
    """The sequence number of the record under `key`: all of the same length, so that they sort as numbers and text."""
    return f"1{int.from_bytes(key[-SEQUENCE_BYTES:], 'big'):0{SEQUENCE_DIGITS - 1}d}"


def key_of_sequence(stream: Stream, number: str) -> bytes | None:
    """Where the record with this sequence number lies or would lie; None when it is none of ours."""
    if len(number) != SEQUENCE_DIGITS or not number.isascii() or not number.isdigit() or number[0] != "1":
        return None
    value = int(number[1:])
    return stream.prefix + value.to_bytes(SEQUENCE_BYTES, "big") if value >> 128 == 0 else None


def read_records(
    store: Store, stream: Stream, position: bytes, limit: int, now: float
) -> tuple[list[StreamRecord], bytes]:
    """Up to `limit` records or 1 MB from `position` on, and the position behind them. Expired ones are passed over."""
    horizon = now - STREAM_RETENTION_SECONDS
    records: list[StreamRecord] = []
    while len(records) < limit:
        pairs = store.page(position, stream.stop, limit - len(records), limit_bytes=STREAM_PAGE_MAX_BYTES)
        if not pairs:
            break
        position = pairs[-1][0] + b"\0"
        records += [record for record in map(_opened, pairs) if record.written_at > horizon]
        if sum(len(record.opened) for record in records) >= STREAM_PAGE_MAX_BYTES:
            break
    return records, position


def end_of(store: Store, stream: Stream) -> bytes:
    """The position behind the newest record."""
    pairs = store.page(stream.prefix, stream.stop, 1, reverse=True)
    return pairs[0][0] + b"\0" if pairs else stream.prefix


def first_of(store: Store, stream: Stream) -> StreamRecord | None:
    """The oldest record that is still there."""
    pairs = store.page(stream.prefix, stream.stop, 1)
    return _opened(pairs[0]) if pairs else None


def expired_keys(store: Store, stream: Stream, now: float, count: int) -> Iterator[bytes]:
    """Keys of up to `count` records that are older than 24 hours."""
    for pair in store.page(stream.prefix, stream.stop, count):
        record = _opened(pair)
        if record.written_at > now - STREAM_RETENTION_SECONDS:
            return
        yield record.key


def _opened(pair: tuple[bytes, bytes]) -> StreamRecord:
    key, value = pair
    return StreamRecord(key, int.from_bytes(value[:_TIME_BYTES], "big") / 1000, value[_TIME_BYTES:])
