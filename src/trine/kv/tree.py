"""The settled part of the durable store: one LMDB B+tree, written in synced transactions, read through frozen views.

LMDB's keys end at 511 bytes and ours do not: keys that share their first 511 bytes lie together, sorted, in one
*bucket* under those bytes. Order is kept, short keys pay nothing; many long keys with one beginning cost more with
every key. In: sorted changes with a mark (how far the log is folded in). Out: `TreeView`.
"""

from __future__ import annotations

import errno
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb

from trine.kv.errors import StoreDamaged, StoreError, StoreFull
from trine.kv.view import Pairs

BUCKET_KEY_BYTES = 511
"""LMDB's longest key (mdb_env_get_maxkeysize); keys of this length name buckets."""
MAP_BYTES = 1 << 40
"""Address space reserved for the tree, not disk: the file grows as it is filled, so the map never needs to."""
_SMALLEST_MAP_BYTES = 1 << 28
_READERS = 2048
_FIRST_CHUNK = 12  # a page reads past its range's end by less than this

_HEAD = struct.Struct(">HI")  # bucket entry: suffix length, value length
_BUCKETS = b"buckets"
_MARK = b"mark"


class TreeView:
    """The tree as it was when the view was made; garbage collection ends it."""

    __slots__ = ("_bucketed", "_cursor", "_get", "_transaction", "mark")

    def __init__(self, environment: lmdb.Environment, data: Any, meta: Any) -> None:
        transaction = environment.begin(db=data)
        self._transaction = transaction
        self._get = transaction.get
        self._cursor = transaction.cursor()
        self._bucketed = transaction.get(_BUCKETS, db=meta) is not None
        self.mark: bytes = transaction.get(_MARK, default=b"", db=meta)

    def get(self, key: bytes) -> bytes | None:
        if 0 < len(key) < BUCKET_KEY_BYTES:
            value: bytes | None = self._get(key)
            return value
        if not self._bucketed or not key:
            return None
        return _unpack(self._get(key[:BUCKET_KEY_BYTES]) or b"").get(key[BUCKET_KEY_BYTES:])

    def page(self, start: bytes, stop: bytes, limit: int, reverse: bool) -> Pairs:
        if self._bucketed or len(start) >= BUCKET_KEY_BYTES or len(stop) >= BUCKET_KEY_BYTES:
            return list(islice(self._scan_buckets(start, stop, reverse), limit))
        cursor = self._cursor
        if reverse:
            pairs = self._backward(start, stop, limit)
            if pairs and pairs[-1][0] < start:
                pairs.reverse()
                del pairs[: bisect_left(pairs, (start,))]
                pairs.reverse()
            return pairs
        if not cursor.set_range(start):
            return []
        forward = cursor.iternext()
        pairs = list(islice(forward, min(limit, _FIRST_CHUNK)))
        chunk = _FIRST_CHUNK
        while pairs[-1][0] < stop:
            left = limit - len(pairs)
            if left <= 0:
                return pairs
            chunk *= 2
            more = list(islice(forward, min(left, chunk)))
            if not more:
                return pairs
            pairs += more
        del pairs[bisect_left(pairs, (stop,)) :]
        return pairs

    def _backward(self, start: bytes, stop: bytes, limit: int) -> Pairs:
        """Pairs below `stop`, descending, until `limit` or past `start`."""
        cursor = self._cursor
        if not (cursor.prev() if cursor.set_range(stop) else cursor.last()):
            return []
        backward = cursor.iterprev()
        pairs: Pairs = []
        chunk = _FIRST_CHUNK
        while (left := limit - len(pairs)) > 0:
            more = list(islice(backward, min(left, chunk)))
            pairs += more
            if not more or more[-1][0] < start:
                break
            chunk *= 2
        return pairs

    def _scan_buckets(self, start: bytes, stop: bytes, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """The range with buckets opened: a physical key is a key, or the first 511 bytes of several."""
        lower, upper = start[:BUCKET_KEY_BYTES], stop[:BUCKET_KEY_BYTES]
        cursor = self._transaction.cursor()
        if reverse:
            found = cursor.set_range(upper)
            if not (cursor.last() if not found else cursor.key() == upper or cursor.prev()):
                return
            physical = cursor.iterprev()
        else:
            if not cursor.set_range(lower):
                return
            physical = cursor.iternext()
        for key, value in physical:
            if key < lower or key > upper:
                return
            if len(key) < BUCKET_KEY_BYTES:
                if start <= key < stop:
                    yield key, value
                continue
            entries = sorted((key + suffix, held) for suffix, held in _unpack(value).items())
            for pair in reversed(entries) if reverse else entries:
                if start <= pair[0] < stop:
                    yield pair


class LmdbTree:
    """The environment in `directory`; one writer thread or process, views for readers."""

    def __init__(self, directory: Path) -> None:
        """Open or make it. StoreDamaged when LMDB does not know the files, StoreFull when they cannot be made."""
        self._directory = directory
        directory.mkdir(exist_ok=True)
        map_bytes = MAP_BYTES
        while True:
            try:
                self._environment = self._open(map_bytes)
                break
            except (lmdb.Error, MemoryError) as error:
                # A limit on address space: reserve less. LMDB reports errno in the message only.
                if map_bytes > _SMALLEST_MAP_BYTES and "allocate memory" in str(error):
                    map_bytes //= 4
                    continue
                raise self._named(error) from error
        self.map_bytes = map_bytes
        try:
            self._data = self._environment.open_db(b"data")
            self._meta = self._environment.open_db(b"meta")
        except lmdb.Error as error:
            self._environment.close()
            raise self._named(error) from error

    def _open(self, map_bytes: int) -> lmdb.Environment:
        return lmdb.open(
            str(self._directory), map_size=map_bytes, max_dbs=2, max_readers=_READERS, readahead=False, meminit=False
        )

    def view(self) -> TreeView:
        """The newest state."""
        return TreeView(self._environment, self._data, self._meta)

    def write(self, puts: Mapping[bytes, bytes | None], mark: bytes) -> None:
        """Make `puts` (None deletes) and the mark durable, all or nothing. StoreFull, StoreDamaged."""
        pairs: list[tuple[bytes, bytes]] = []
        gone: list[bytes] = []
        long: list[tuple[bytes, bytes | None]] = []
        for key, value in sorted(puts.items()):
            if len(key) >= BUCKET_KEY_BYTES:
                long.append((key, value))
            elif value is None:
                gone.append(key)
            else:
                pairs.append((key, value))
        try:
            with self._environment.begin(write=True, db=self._data) as transaction:
                transaction.cursor().putmulti(pairs)
                for key in gone:
                    transaction.delete(key)
                for key, value in long:
                    self._put_long(transaction, key, value)
                transaction.put(_MARK, mark, db=self._meta)
        except lmdb.Error as error:
            raise self._named(error) from error

    def _put_long(self, transaction: Any, key: bytes, value: bytes | None) -> None:
        physical, suffix = key[:BUCKET_KEY_BYTES], key[BUCKET_KEY_BYTES:]
        bucket = _unpack(transaction.get(physical) or b"")
        if value is None:
            bucket.pop(suffix, None)
        else:
            bucket[suffix] = value
            transaction.put(_BUCKETS, b"1", db=self._meta)
        if bucket:
            transaction.put(physical, _pack(bucket))
        else:
            transaction.delete(physical)

    def statistics(self) -> dict[str, int]:
        """Entries and bytes on disk."""
        with self._environment.begin() as transaction:
            data = transaction.stat(self._data)
        return {
            "tree_keys": data["entries"],
            "tree_depth": data["depth"],
            "tree_bytes": self._environment.info()["last_pgno"] * data["psize"],
        }

    def close(self) -> None:
        """Let go of the files; views are ended by it."""
        self._environment.close()

    def _named(self, error: Exception) -> StoreError:
        text = str(error)
        file = self._directory / "data.mdb"
        if isinstance(error, lmdb.MapFullError) or any(_says(text, number) for number in (errno.ENOSPC, errno.EDQUOT)):
            return StoreFull(f"{file}: {text}; make room on the disk")
        return StoreDamaged(f"{file}: {text}; restore the state directory from a copy, or start with an empty one")


def _says(text: str, number: int) -> bool:
    return os.strerror(number) in text


def _pack(bucket: Mapping[bytes, bytes]) -> bytes:
    parts: list[bytes] = []
    for suffix, value in sorted(bucket.items()):
        parts += (_HEAD.pack(len(suffix), len(value)), suffix, value)
    return b"".join(parts)


def _unpack(packed: bytes) -> dict[bytes, bytes]:
    bucket = {}
    place = 0
    while place < len(packed):
        suffix_bytes, value_bytes = _HEAD.unpack_from(packed, place)
        place += _HEAD.size
        suffix = packed[place : place + suffix_bytes]
        place += suffix_bytes
        bucket[suffix] = packed[place : place + value_bytes]
        place += value_bytes
    return bucket
