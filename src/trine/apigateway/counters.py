"""Counters that several processes of one machine may share: small records of one size in a mapped file.

Enters a path (None: memory of this process alone) and names; leaves for each name a `Record` whose bytes every process
that opened the file sees at once, and which survive the death of any of them: what was written lies in the kernel's
cache. A process that is killed in between loses its lock with its life. A lock is waited for two seconds and no longer
(its holder may be stopped); then the work goes on without it, and counts may be lost.

Layout: a head of 64 bytes (magic, record size, records in use), then records in the order in which they were first
named: the name's digest, then its bytes, all zero at first. Records are never removed.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from time import sleep

_log = logging.getLogger("trine.apigateway")
MAGIC = b"TrineCt1"
HEAD = struct.Struct("<8sQQ")
"""Magic, bytes of a record, records in use."""
HEAD_BYTES = 64
DIGEST_BYTES = 16
GROWTH_RECORDS = 64
RECORDS_MAX = 100_000
"""Records in one file; names beyond are counted by each process for itself."""
YIELDS, PAUSE_SECONDS = 50, 0.001
"""How a lock is waited for: first the processor is left to others, then time."""
LOCK_TRIES = 2_000
"""Two seconds: on a busy machine the holder may have to wait for a processor."""


class CountersUnusable(Exception):
    """The file cannot be opened, or is none of ours."""


class Record:
    """The bytes of one name: `offset` in `buffer`, which may be replaced as the file grows, so ask for it each time."""

    __slots__ = ("_counters", "offset")

    def __init__(self, counters: Counters, offset: int) -> None:
        self._counters, self.offset = counters, offset

    @property
    def buffer(self) -> mmap.mmap:
        """What `offset` is counted in."""
        return self._counters.buffer


class Counters:
    """One file of records. `with counters:` holds its lock; between processes only that makes a change one change."""

    def __init__(self, path: Path | None, record_bytes: int, *, shared: bool = True) -> None:
        """`shared` False: no other process has the file, so no lock is taken. CountersUnusable."""
        self._path, self._shared = path, shared and path is not None
        self._stride = DIGEST_BYTES + record_bytes
        self._offsets: dict[bytes, int] = {}
        self._seen = 0
        self._fd = -1
        self._depth = 0
        self._patient = True
        self.buffer = self._open() if path is not None else mmap.mmap(-1, self._size(GROWTH_RECORDS))
        if path is None:
            HEAD.pack_into(self.buffer, 0, MAGIC, self._stride, 0)

    def _size(self, records: int) -> int:
        return HEAD_BYTES + records * self._stride

    def _open(self) -> mmap.mmap:
        assert self._path is not None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with self:
                size = os.fstat(self._fd).st_size
                if size == 0 or self._is_unwritten(size):
                    size = self._size(GROWTH_RECORDS)
                    os.ftruncate(self._fd, size)
                    os.pwrite(self._fd, HEAD.pack(MAGIC, self._stride, 0), 0)
                head = os.pread(self._fd, HEAD.size, 0)
                magic, stride, count = HEAD.unpack(head) if len(head) == HEAD.size else (b"", 0, 0)
                if (magic, stride) != (MAGIC, self._stride) or count > RECORDS_MAX or size < self._size(count):
                    raise CountersUnusable(f"{self._path} is no file of Trine's counters; name another one")
            return mmap.mmap(self._fd, size)
        except OSError as error:
            raise CountersUnusable(f"{self._path} cannot be used for counters: {error.strerror or error}") from None

    def _is_unwritten(self, size: int) -> bool:
        """Whether the file was made and then nothing reached it: its maker was killed, or the power went."""
        grown, rest = divmod(size - HEAD_BYTES, GROWTH_RECORDS * self._stride)
        return grown > 0 and rest == 0 and os.pread(self._fd, HEAD.size, 0) == bytes(HEAD.size)

    # -- the lock --------------------------------------------------------------------------------------------------

    def __enter__(self) -> None:
        self._depth += 1
        if not self._shared or self._depth > 1:
            return
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._wait()

    def _wait(self) -> None:
        """The lock is somebody else's: for microseconds, unless that one does not get to run, or is stopped. Who was
        waited for in vain once is not waited for again before the lock has been had."""
        for attempt in range(LOCK_TRIES if self._patient else 1):
            sleep(0 if attempt < YIELDS else PAUSE_SECONDS)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            self._patient = True
            return
        if self._patient:
            _log.warning("%s is held by a process that does not run on; counting goes on without its lock", self._path)
        self._patient = False

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._shared and self._depth == 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    # -- records ---------------------------------------------------------------------------------------------------

    def record(self, name: str, *, first: Callable[[mmap.mmap, int], None] | None = None) -> Record:
        """The record of `name`, made when it is first asked for; `first` then fills it, under the lock."""
        digest = blake2b(name.encode(), digest_size=DIGEST_BYTES).digest()
        with self:
            if digest not in self._offsets:
                self._look()
            if digest not in self._offsets:
                if self._seen >= RECORDS_MAX:
                    _log.warning("%s is full; %s is counted by this process alone", self._path, name)
                    return Counters(None, self._stride - DIGEST_BYTES).record(name, first=first)
                self._append(digest, first)
        return Record(self, self._offsets[digest])

    def _look(self) -> None:
        """Learn of records that others have made."""
        count = min(HEAD.unpack_from(self.buffer, 0)[2], RECORDS_MAX)
        if self._size(count) > len(self.buffer):
            self.buffer.resize(os.fstat(self._fd).st_size)
        for number in range(self._seen, count):
            start = self._size(number)
            self._offsets[self.buffer[start : start + DIGEST_BYTES]] = start + DIGEST_BYTES
        self._seen = count

    def _append(self, digest: bytes, first: Callable[[mmap.mmap, int], None] | None) -> None:
        start = self._size(self._seen)
        if start + self._stride > len(self.buffer):  # `resize` sets the file's length too: never a shorter one
            known = os.fstat(self._fd).st_size if self._fd >= 0 else 0
            self.buffer.resize(max(self._size(self._seen + GROWTH_RECORDS), known))
        offset = start + DIGEST_BYTES
        self.buffer[start:offset] = digest
        if first is not None:
            first(self.buffer, offset)
        self._seen += 1
        self._offsets[digest] = offset
        HEAD.pack_into(self.buffer, 0, MAGIC, self._stride, self._seen)  # last: a kill before it leaves no half record

    def close(self) -> None:
        """Let go of the file."""
        self.buffer.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
