"""The settled part of the durable store: one LMDB B+tree, written in synced transactions, read through frozen views.

LMDB's keys end at 511 bytes and ours do not: keys that share their first 511 bytes lie together, sorted, in one
*bucket* under those bytes. Order is kept, short keys pay nothing; many long keys with one beginning cost more with
every key. In: sorted changes with a mark (how far the log is folded in). Out: `TreeView`.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import lmdb

from trine.kv.errors import StoreDamaged, StoreError, StoreFull
from trine.kv.view import Pairs

BUCKET_KEY_BYTES = 511
"""LMDB's longest key (mdb_env_get_maxkeysize); keys of this length name buckets."""
MAP_BYTES = 1 << 40
"""Address space reserved for the tree, not disk: the file grows as it is filled, so the map never needs to."""
_SMALLEST_MAP_BYTES = 1 << 28
_READERS = 2048
_LOCK_FILE_BYTES = _READERS * 64 + 4096  # lmdb.h: a reader's slot is a cache line
_FIRST_CHUNK = 12  # a page reads past its range's end by less than this

_HEAD = struct.Struct(">HI")  # bucket entry: suffix length, value length
_BUCKETS = b"buckets"
_MARK = b"mark"
_CHECKSUM = (
    b"checksum"  # sum of the CRC-32 of every pair, kept up with every change: verification has something to meet
)
_CHECKSUM_MODULUS = 1 << 64


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
        """The value of `key`. StoreDamaged."""
        try:
            if 0 < len(key) < BUCKET_KEY_BYTES:
                value: bytes | None = self._get(key)
                return value
            if not self._bucketed or not key:
                return None
            return _unpack(self._get(key[:BUCKET_KEY_BYTES]) or b"").get(key[BUCKET_KEY_BYTES:])
        except lmdb.Error as error:
            raise _damaged(error) from error

    def page(self, start: bytes, stop: bytes, limit: int, reverse: bool) -> Pairs:
        """At most `limit` pairs of [start, stop), in order or in reverse. StoreDamaged."""
        try:
            return self._page(start, stop, limit, reverse)
        except lmdb.Error as error:
            raise _damaged(error) from error

    def _page(self, start: bytes, stop: bytes, limit: int, reverse: bool) -> Pairs:
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


def discard_unborn(directory: Path) -> None:
    """Remove a tree that was being made when the power went: it is no longer than LMDB's two headers and holds nothing.

    Only for a state that has no log yet, so nothing was ever acknowledged. OSError.
    """
    file = directory / "data.mdb"
    if file.exists() and file.stat().st_size <= 2 * mmap.PAGESIZE:
        file.unlink()


class LmdbTree:
    """The environment in `directory`; one writer thread or process, views for readers."""

    def __init__(self, directory: Path) -> None:
        """Open or make it. StoreDamaged when LMDB does not know the files, StoreFull when they cannot be made."""
        self._directory = directory
        self._allocate_lock_file()
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
        cut_bytes: int | None = None
        try:
            cut_bytes = self._fill_cut_file()
            self._data = self._environment.open_db(b"data")
            self._meta = self._environment.open_db(b"meta")
            if cut_bytes is not None and (faults := self.faults()):
                raise StoreDamaged(f"{faults[0]}; restore the state directory from a copy")
        except (lmdb.Error, StoreDamaged) as error:
            self._environment.close()
            if cut_bytes is not None:  # leave the damage as it was found
                os.truncate(self._directory / "data.mdb", cut_bytes)
            raise error if isinstance(error, StoreDamaged) else self._named(error) from error

    def _fill_cut_file(self) -> int | None:
        """Lengthen a file that ends before its last page, for reading past its end would kill the process (SIGBUS).

        Pages at the end that were given back at once are never written, so a short file can be a good one: the caller
        must then check all of it. Returns the length it had, None for the usual whole file.
        """
        whole_bytes = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
        size_bytes = (self._directory / "data.mdb").stat().st_size
        if size_bytes >= whole_bytes:
            return None
        if whole_bytes > self.map_bytes:
            raise StoreDamaged(f"{self._directory / 'data.mdb'}: its header is damaged; restore it from a copy")
        os.truncate(self._directory / "data.mdb", whole_bytes)
        return size_bytes

    def _allocate_lock_file(self) -> None:
        """Give LMDB's reader table its blocks: it is a map, and without room for a page of it the process dies."""
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._directory / "lock.mdb", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _LOCK_FILE_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._named(error) from error

    def _open(self, map_bytes: int) -> lmdb.Environment:
        return lmdb.open(
            str(self._directory),
            map_size=map_bytes,
            mode=0o600,
            max_dbs=2,
            max_readers=_READERS,
            readahead=False,
            meminit=False,
        )

    def view(self) -> TreeView:
        """The newest state. StoreDamaged."""
        try:
            return TreeView(self._environment, self._data, self._meta)
        except lmdb.Error as error:
            raise self._named(error) from error

    def write(self, puts: Mapping[bytes, bytes | None], mark: bytes) -> None:
        """Make `puts` (None deletes) and the mark durable, all or nothing. StoreFull, StoreDamaged."""
        try:
            with self._environment.begin(write=True, db=self._data) as transaction:
                checksum = int.from_bytes(transaction.get(_CHECKSUM, db=self._meta) or b"", "big")
                checksum += self._apply(transaction, sorted(puts.items()))
                transaction.put(_CHECKSUM, (checksum % _CHECKSUM_MODULUS).to_bytes(8, "big"), db=self._meta)
                transaction.put(_MARK, mark, db=self._meta)
        except lmdb.Error as error:
            raise self._named(error) from error

    def _apply(self, transaction: Any, changes: list[tuple[bytes, bytes | None]]) -> int:
        """Write the changes; returns by how much the checksum of all pairs changes."""
        replace, pop = transaction.cursor().replace, transaction.pop
        difference = 0
        for key, value in changes:
            if len(key) >= BUCKET_KEY_BYTES:
                key, value = self._into_bucket(transaction, key, value)
            check = crc32(key)
            if value is None:
                old = pop(key)
            else:
                old = replace(key, value)
                difference += crc32(value, check)
            if old is not None:
                difference -= crc32(old, check)
        return difference

    def _into_bucket(self, transaction: Any, key: bytes, value: bytes | None) -> tuple[bytes, bytes | None]:
        """The physical change that puts a long key's value into its bucket."""
        physical, suffix = key[:BUCKET_KEY_BYTES], key[BUCKET_KEY_BYTES:]
        bucket = _unpack(transaction.get(physical) or b"")
        if value is None:
            bucket.pop(suffix, None)
        else:
            bucket[suffix] = value
            transaction.put(_BUCKETS, b"1", db=self._meta)
        return physical, _pack(bucket) if bucket else None

    def faults(self) -> list[str]:
        """Read everything: what is wrong with the order or the checksum, as sentences; empty when all is well."""
        file = self._directory / "data.mdb"
        found = []
        total, before = 0, b""
        try:
            with self._environment.begin(db=self._data) as transaction:
                expected = int.from_bytes(transaction.get(_CHECKSUM, db=self._meta) or b"", "big")
                for key, value in transaction.cursor():
                    if key <= before:
                        found.append(f"{file}: key {key!r} is out of order")
                    before = key
                    total += crc32(value, crc32(key))
        except lmdb.Error as error:
            return [*found, str(self._named(error))]
        if total % _CHECKSUM_MODULUS != expected:
            found.append(
                f"{file}: the checksum over all keys and values is wrong: something in it has changed or is lost"
            )
        return found

    def copy_compact(self, target: Path) -> None:
        """A copy without free pages in the directory `target`. StoreFull, StoreDamaged."""
        try:
            self._environment.copy(str(target), compact=True)
            (target / "data.mdb").chmod(0o600)
        except lmdb.Error as error:
            raise self._named(error) from error

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


def _damaged(error: Exception) -> StoreDamaged:
    return StoreDamaged(f"the tree cannot be read: {error}; restore the state directory from a copy")


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
