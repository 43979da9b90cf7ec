"""Group commit: many transactions decided one after the other, made durable together.

`GroupCommit` queues transactions on the event loop. When no group is on its way to disk it decides the waiting ones in
order, each seeing the changes of those before it, and hands the result to `commit`, which makes it durable off the
loop and reports back. Only then is the group published to readers and are its futures resolved. One group is under
way at a time, so what `decide` reads is the newest durable state plus its own group: the order of the queue is the
serial order. In: (keys, decide). Out: `Group`s of puts, resolved futures.
"""

from __future__ import annotations

import asyncio
import struct
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trine.kv.errors import StoreClosed, StoreError
from trine.kv.store import KEY_BYTES_LIMIT, TRANSACTION_BYTES_LIMIT, Change, Current, Decide, Follow, Result

GROUP_COUNT_LIMIT = 256
"""Transactions in one group: deciding them holds the event loop, so this bounds the pause."""
GROUP_BYTES_LIMIT = 4 << 20
"""Keys and values in one group, in bytes, beyond which no further transaction joins it."""
GATHER_ROUNDS_LIMIT = 8
"""Rounds of the event loop a group waits while each of them brings further transactions: on a busy loop one sync then
serves all of them; on a quiet one a lone transaction waits for a single empty round."""
GATHER_NS_LIMIT = 1_000_000
"""Nor longer than this since the first of those rounds, about what a sync takes: with 64 mixed connections a
round takes 3 ms and each of them brings a write, and eight such rounds were the p99 of all requests (26 ms)."""
OVERDUE_NS = 2_000_000
"""What has waited for so long while another group was on its way to disk follows in the very call that ends that
one: on a loop whose rounds are long, another round is 3 ms in which the disk is idle. Where rounds are short nothing
waits for so long, and gathering makes groups of 14 out of 8."""
LOOK_AFTER_NS = 1_000_000
"""What comes when a group has been on its way to disk for so long looks whether it is there. With 64 connections a
round of the loop takes 3 ms, and the end of a sync waits for its place among all that the round has read."""
VALUE_AT_ONCE_BYTES = 1 << 20
"""Of `replace`: larger values are held against the limits of a transaction."""
QUEUE_COUNT_LIMIT = 100_000
"""Transactions that may wait; beyond it `transact` refuses, since the caller has no bound of its own."""

_COUNTER = struct.Struct(">q")
_pack, _unpack, _COUNTER_BYTES = _COUNTER.pack, _COUNTER.unpack, _COUNTER.size
_APPENDED = struct.Struct(">QQ")

Read = Callable[[bytes], bytes | None]
Do = Callable[[Any, "Group", Read], Any]
"""How a waiting transaction is done: with what it brought, to a group, all or nothing; returns its result."""
NewFuture = Callable[[AbstractEventLoop], Future[Any]]


def _new_future(loop: AbstractEventLoop) -> Future[Any]:
    return loop.create_future()


class Group:
    """Transactions that become durable together."""

    __slots__ = ("appended", "number", "outcomes", "puts", "size_bytes")

    def __init__(self, number: int) -> None:
        self.number = number
        self.puts: dict[bytes, bytes | None] = {}
        self.size_bytes = self.appended = 0
        self.outcomes: list[tuple[Future[Any], Any, Exception | None]] = []


def settled(change: Change[Any], read: Read, number: int, position: int) -> tuple[Mapping[bytes, bytes | None], int]:
    """The puts that a transaction of group `number` comes down to, and their size in bytes.

    Appends are completed from `position` on; counters are added to what `read` gives. ValueError when a key, a value or
    a counter is not what the promise says.
    """
    puts = change.puts
    size = 0
    for key, value in puts.items():
        length = len(key)
        if not 0 < length <= KEY_BYTES_LIMIT:
            raise _bad_key(length)
        size += length if value is None else length + len(value)
    if change.appends or change.counters:
        own, puts = puts, dict(puts)
        for prefix, value in change.appends:
            key = prefix + _APPENDED.pack(number, position)
            if len(key) > KEY_BYTES_LIMIT:
                raise _bad_key(len(key))
            puts[key] = value
            size += len(key) + len(value)
            position += 1
        for key, amount in change.counters.items():
            length = len(key)
            if not 0 < length <= KEY_BYTES_LIMIT:
                raise _bad_key(length)
            value = own[key] if key in own else read(key)
            try:  # the usual counter, without a call
                puts[key] = _pack(_unpack(value)[0] + amount)  # type: ignore[arg-type]
            except (TypeError, struct.error):
                puts[key] = added(key, value, amount)
            size += length + _COUNTER_BYTES
    if size > TRANSACTION_BYTES_LIMIT:
        raise ValueError(f"a transaction of {size} bytes is larger than {TRANSACTION_BYTES_LIMIT}")
    return puts, size


def replacing(key: bytes, value: bytes, follow: Follow, result: Result) -> Decide[Result]:
    """`Store.replace` as a `decide` for `key`."""

    def decide(current: Current) -> Change[Result]:
        counters = follow(current[key])
        if counters:
            check_counters(key, counters)
        return Change(result) if counters is None else Change(result, {key: value}, (), counters)

    return decide


def _decided(wish: tuple[Sequence[bytes], Decide[Result]], group: Group, read: Read) -> Result:
    """Do what a `Store.transact` wishes."""
    keys, decide = wish
    change = decide({key: read(key) for key in keys})
    puts, size_bytes = settled(change, read, group.number, group.appended)
    group.puts.update(puts)
    group.size_bytes += size_bytes
    if change.appends:
        group.appended += len(change.appends)
    return change.result


def _replaced(wish: tuple[bytes, bytes, Follow, Result], group: Group, read: Read) -> Result:
    """Do what a `Store.replace` wishes.

    As `_decided` of what `replacing` decides, without the maps that are passed on there: 8,000 instructions less.
    """
    key, value, follow, result = wish
    counters = follow(read(key))
    if counters is None:
        return result
    size_bytes = len(key) + len(value)
    sums = []
    for counter, amount in counters.items():
        if counter == key or not 0 < len(counter) <= KEY_BYTES_LIMIT:
            check_counters(key, counters)
        sums.append((counter, added(counter, read(counter), amount)))
        size_bytes += len(counter) + _COUNTER_BYTES
    group.puts[key] = value
    group.puts.update(sums)
    group.size_bytes += size_bytes
    return result


def check_counters(key: bytes, counters: Mapping[bytes, int]) -> None:
    """ValueError when the counters that follow a value under `key` are no keys, or that key."""
    for counter in counters:
        if counter == key or not 0 < len(counter) <= KEY_BYTES_LIMIT:
            raise _bad_key(len(counter)) if counter != key else ValueError(f"{key!r} has a value, and is no counter")


def _bad_key(length: int) -> ValueError:
    return ValueError(f"a key has 1 to {KEY_BYTES_LIMIT} bytes, not {length}")


def added(key: bytes, value: bytes | None, amount: int) -> bytes:
    """The counter under `key`, which has `value` now, with `amount` more. ValueError when one of them is wrong."""
    if value is not None and len(value) != _COUNTER.size:
        raise ValueError(f"the value under {key!r} is not an 8-byte counter")
    try:
        return _COUNTER.pack((0 if value is None else _COUNTER.unpack(value)[0]) + amount)
    except struct.error:
        raise ValueError(f"the counter {key!r} leaves 64 bits") from None


class GroupCommit:
    """The queue in front of a store's commit. Every method runs on the event loop's thread."""

    def __init__(
        self,
        read: Read,
        commit: Callable[[Group, Callable[[Exception | None], None]], None],
        publish: Callable[[Group], None],
        number: int,
        ticks: Callable[[], int],
        new_future: NewFuture = _new_future,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        """`commit(group, done)` starts making it durable and calls `done` on the loop; `number` is the last group's.

        `ticks` is the Clock's `monotonic_ns`; `new_future` makes what `transact` returns; `look` calls `done` at once
        where the group is durable by now.
        """
        self._read = read
        self._commit = commit
        self._publish = publish
        self._queue: deque[tuple[Do, tuple[Any, ...], Future[Any]]] = deque()
        self._loop: AbstractEventLoop | None = None
        self._busy = False
        self._look = look
        self._begun_ns = 0
        self._ticks = ticks
        self._new_future = new_future
        self._gathered = self._rounds = self._gathering_since_ns = self._oldest_ns = 0
        self._idle: list[Future[None]] = []
        self._closed: Exception | None = None
        self.number = number
        self.groups = 0
        self.transactions = 0
        self.failed_groups = 0

    def transact(self, keys: Sequence[bytes], decide: Decide[Result]) -> Future[Result]:
        """Queue a transaction; see `Store.transact`."""
        return self._queued(_decided, (keys, decide))

    def replace(self, key: bytes, value: bytes, follow: Follow, result: Result) -> Future[Result]:
        """Queue the transaction of one value; see `Store.replace`."""
        if not 0 < len(key) <= KEY_BYTES_LIMIT or len(value) > VALUE_AT_ONCE_BYTES:
            return self.transact((key,), replacing(key, value, follow, result))
        return self._queued(_replaced, (key, value, follow, result))

    def _queued(self, do: Do, wish: tuple[Any, ...]) -> Future[Any]:
        loop = self._loop
        if loop is None or loop.is_closed():
            loop = self._loop = asyncio.get_running_loop()
        future = self._new_future(loop)
        if self._closed is not None:
            future.set_exception(self._closed)
            return future
        if self._busy and self._ticks() - self._begun_ns >= LOOK_AFTER_NS:
            self._look()
        queue = self._queue
        if len(queue) >= QUEUE_COUNT_LIMIT:
            future.set_exception(StoreError(f"{QUEUE_COUNT_LIMIT} transactions are waiting; try again later"))
            return future
        if not queue:
            self._oldest_ns = self._ticks()
        queue.append((do, wish, future))
        if not self._busy:
            self._busy = True
            self._begin_next()
        return future

    def _begin(self) -> None:
        assert self._loop is not None
        waiting = len(self._queue)
        if (
            self._gathered < waiting < GROUP_COUNT_LIMIT
            and self._rounds < GATHER_ROUNDS_LIMIT
            and self._ticks() - self._gathering_since_ns < GATHER_NS_LIMIT
        ):
            self._gathered = waiting
            self._rounds += 1
            self._loop.call_soon(self._begin)
            return
        self._gathered = self._rounds = 0
        group = self._decide()
        if not group.puts:
            self._resolve(group, None)
            return
        self._begun_ns = self._ticks()
        try:
            self._commit(group, lambda error: self._committed(group, error))
        except Exception as error:  # a value that is no bytes, for one: nothing was written, and the queue must go on
            self._done(group, error)

    def _committed(self, group: Group, error: Exception | None) -> None:
        """The disk is free again, whatever came of it."""
        self._done(group, error, at_once=True)

    def _decide(self) -> Group:
        """Run the queued decisions, within the bounds of a group."""
        group = Group(self.number + 1)
        queue, puts, outcomes, settled_read = self._queue, group.puts, group.outcomes, self._read

        def read(key: bytes) -> bytes | None:
            return puts[key] if key in puts else settled_read(key)

        while queue and len(outcomes) < GROUP_COUNT_LIMIT and group.size_bytes < GROUP_BYTES_LIMIT:
            do, wish, future = queue.popleft()
            if future.done():  # cancelled: nobody waits, and nothing was promised
                continue
            try:
                outcomes.append((future, do(wish, group, read), None))
            except Exception as error:  # the caller's own: it goes to its future, with its group
                outcomes.append((future, None, settable(error)))
        return group

    def _done(self, group: Group, error: Exception | None, *, at_once: bool = False) -> None:
        if error is None:
            self.number = group.number
            self.groups += 1
            self.transactions += len(group.outcomes)
            self._publish(group)
        else:
            self.failed_groups += 1
        self._resolve(group, error, at_once=at_once)

    def _resolve(self, group: Group, failure: Exception | None, *, at_once: bool = False) -> None:
        for future, result, error in group.outcomes:
            if future.done():
                continue
            if failure is not None:
                future.set_exception(failure)
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
        if self._queue:
            if at_once and self._ticks() - self._oldest_ns >= OVERDUE_NS:
                self._begin()
            else:
                self._begin_next()
            return
        self._busy = False
        for waiter in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        self._idle.clear()

    def _begin_next(self) -> None:
        """Begin a group when the loop has handed out what it has read: that is the first round that counts."""
        assert self._loop is not None
        self._gathering_since_ns = self._ticks()
        self._loop.call_soon(self._begin)

    async def drain(self, closed: Exception | None = None) -> None:
        """Refuse new transactions and wait until those accepted are settled."""
        self._closed = closed or StoreClosed("the store has been closed")
        if self._busy:
            waiter: Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            await waiter

    @property
    def waiting(self) -> int:
        """Transactions that wait for their group."""
        return len(self._queue)


def settable(error: Exception) -> Exception:
    """A future refuses StopIteration (it would end whoever awaits it): say it in another word."""
    if isinstance(error, StopIteration):
        wrapped = RuntimeError("decide raised StopIteration")
        wrapped.__cause__ = error
        return wrapped
    return error
