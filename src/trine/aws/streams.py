"""How an event source mapping reads a stream without knowing whose it is.

The table wing offers a `StreamReader`, `stack` hands it to the function wing. Positions are sequence numbers; what a
reader has seen it may see again (at least once).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from trine.aws.actor import Actor


class StreamRecord(NamedTuple):
    """One change: its JSON as GetRecords gives it, its sequence number, when it was written (seconds)."""

    document: bytes
    sequence_number: str
    written_at: float


class StreamPage(NamedTuple):
    """Records in order. `closed`: the shard has ended and there will be no more."""

    records: Sequence[StreamRecord]
    closed: bool


class StreamReader(Protocol):
    """Whoever owns streams."""

    def shard_of(self, stream_arn: str) -> str | None:
        """The id of the stream's one shard; None when there is no such stream."""

    def permit(self, actor: Actor, stream_arn: str) -> None:
        """AwsError when `actor` may not read the stream (GetRecords, GetShardIterator, DescribeStream, ListStreams)."""

    def newest(self, stream_arn: str) -> str | None:
        """The sequence number of the newest record (`LATEST` begins behind it); None while there is none."""

    def read(self, stream_arn: str, after: str | None, limit: int) -> StreamPage:
        """Up to `limit` records behind the sequence number `after`; None begins at the oldest (`TRIM_HORIZON`)."""

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever there may be new records; the answer ends that."""
