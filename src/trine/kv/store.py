"""The promise of an ordered key-value store; it knows bytes and nothing of AWS.

A write names every key it may read or touch and brings a pure function, `decide`, from their current values to a
`Change`. The store may call `decide` again after a conflict and may run many of them in one durable group. What it
acknowledges is on disk. Readers take snapshots. `durable` keeps this promise, `memory` all of it but the disk, and one
test suite holds both to it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

Result = TypeVar("Result")

KEY_BYTES_LIMIT = 32_768
"""Longest key in bytes. (DynamoDB's longest: eight index attributes, escaped, stay below 26 KB.)"""
TRANSACTION_BYTES_LIMIT = 64 << 20
"""Keys and values of one Change together, in bytes. (DynamoDB's largest transaction is 4 MB, with its index entries
a few times that.)"""


class Change(Struct, Generic[Result], gc=False):
    """What `decide` made of the current values: the mutations to commit, and the result for the caller.

    `puts`: key → new value, None deletes. `appends`: (prefix, value); the store completes each prefix with its
    16-byte big-endian commit sequence (8 bytes group, 8 bytes position), so appended keys are unique and in commit
    order. `counters`: key → signed amount added to the 8-byte signed big-endian integer under that key (absent
    counts as 0), without naming the key in `keys` and without conflict.
    """

    result: Result
    puts: Mapping[bytes, bytes | None] = {}
    appends: Sequence[tuple[bytes, bytes]] = ()
    counters: Mapping[bytes, int] = {}


Current = Mapping[bytes, bytes | None]
Decide = Callable[[Current], Change[Result]]
Follow = Callable[[bytes | None], Mapping[bytes, int] | None]
"""What follows when a value takes an old one's place: the counters to add to, or None when it is not to be written."""


class Snapshot(Protocol):
    """A frozen view of the store; close it soon (`with`), a held snapshot keeps old pages alive."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, or None."""

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with start <= key < stop, ascending; with `reverse` the same pairs, descending."""

    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The first `limit` pairs of that scan at once: the quickest way to a bounded range.

        With `limit_bytes` it also ends after the pair whose value brings the sum of value lengths to that many bytes.
        """

    def close(self) -> None:
        """Let go of the view; harmless when repeated."""

    def __enter__(self) -> Snapshot: ...

    def __exit__(self, *exc: object) -> None: ...


class Store(Protocol):
    """Ordered bytes with atomic, durable, serializable writes. Used from one event loop."""

    def get(self, key: bytes) -> bytes | None:
        """The newest acknowledged value under `key`: a one-key snapshot without its cost."""

    def page(
        self, start: bytes, stop: bytes, limit: int, *, reverse: bool = False, limit_bytes: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """`snapshot().page(...)` without the cost of a snapshot."""

    def snapshot(self) -> Snapshot:
        """The newest acknowledged state: it holds every write acknowledged before the call."""

    def replica(self, lag_seconds: float) -> Snapshot:
        """A state that was the newest one about `lag_seconds` ago (0: same as `snapshot`).

        ValueError when the lag is longer than the history the store keeps (`keep_history`).
        """

    def keep_history(self, seconds: float) -> None:
        """From now on keep enough of the past for replicas that trail by up to `seconds` (0, the default: nothing)."""

    def transact(self, keys: Sequence[bytes], decide: Decide[Result]) -> Future[Result]:
        """Run `decide` on the current values of `keys` and commit its change, all or nothing.

        The future resolves to the change's result once it is durable. An exception that `decide` raises becomes the
        future's exception and nothing is written; a change that names a bad key, value or counter is a ValueError.
        StoreFull, StoreClosed or StoreDamaged when it cannot be kept.
        `decide` runs on the event loop's thread or another: it must be pure and quick, and may be called again.
        """

    def replace(self, key: bytes, value: bytes, follow: Follow, result: Result) -> Future[Result]:
        """`transact` of the most frequent kind: put `value` in the place of what `key` holds.

        `follow` gets the old value and is to this what `decide` is to `transact`; the future resolves to `result`.
        `key` itself must not be a counter.
        """

    def delete_range(self, start: bytes, stop: bytes) -> Future[int]:
        """Delete every key with start <= key < stop, in bounded groups; resolves to how many were deleted."""

    async def close(self) -> None:
        """Finish what was accepted, then let go of files and threads."""

    def statistics(self) -> Mapping[str, Any]:
        """Sizes, counts and groups, for people: plain JSON values."""
