"""The log under damage: torn tails are left out, everything else is refused, nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import errno
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kv_faults import FailingDisk, abandon, pair, pairs_present, without_folding

from trine.clock import ManualClock
from trine.kv.durable import DurableStore
from trine.kv.errors import StoreDamaged, StoreError, StoreFull
from trine.kv.record import SECTOR_BYTES, Replay, pack_record, pack_segment_header, payload, unpack_payload


async def fill(directory: Path, count: int, segment_bytes: int = 1 << 20) -> list[int]:
    """A store with `count` transactions, one group each, abandoned as by a crash; the offsets where groups end."""
    store = without_folding(DurableStore(directory, ManualClock(), segment_bytes=segment_bytes, frozen_limit=99))
    ends = []
    for number in range(count):
        assert await store.transact([], lambda current, n=number: pair(n)) == number
        ends.append(store._log.offset)
    await abandon(store)
    return ends


async def reopened(directory: Path) -> int:
    """Open, count the transactions, write one more, close; and once more to see that it was kept."""
    store = without_folding(DurableStore(directory, ManualClock()))
    present = pairs_present(store)
    await store.transact([], lambda current: pair(present))
    await store.close()
    store = without_folding(DurableStore(directory, ManualClock()))
    assert pairs_present(store) == present + 1
    await store.close()
    return present


class Torn:
    """A state whose last group can be damaged again and again."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        ends = asyncio.run(fill(self.state, 6))
        self.before_last, self.end = ends[-2], ends[-1]
        self.file = self.state / "log" / f"{1:016x}"
        self.content = self.file.read_bytes()
        self.record_end = self.content.rstrip(b"\0").rfind(b"5") + 1

    def outcome(self, content: bytes) -> int | str:
        """How many groups a replay of that content finds, or "damaged"."""
        try:
            replay = Replay(content, str(self.file))
        except StoreDamaged:
            return "damaged"
        assert len(replay.puts) == 2 * replay.records
        return replay.records


@pytest.fixture
def torn(tmp_path: Path) -> Torn:
    return Torn(tmp_path)


def test_a_tail_cut_at_any_byte_loses_only_the_group_it_cuts(torn: Torn) -> None:
    for cut in range(torn.before_last, torn.end + 1):
        assert torn.outcome(torn.content[:cut]) == (6 if cut >= torn.record_end else 5), cut


def test_a_tail_that_was_never_written_at_any_byte_is_the_same(torn: Torn) -> None:
    for cut in range(torn.before_last, torn.record_end + 1):
        content = torn.content[:cut] + bytes(len(torn.content) - cut)
        assert torn.outcome(content) == (6 if content == torn.content else 5), cut


def test_a_changed_byte_anywhere_in_the_last_group_loses_it_whole(torn: Torn) -> None:
    for place in range(torn.before_last, torn.record_end):
        content = bytearray(torn.content)
        content[place] ^= 1 << place % 8
        assert torn.outcome(bytes(content)) == 5, place


def test_a_changed_byte_anywhere_before_the_last_group_is_refused(torn: Torn) -> None:
    used = [n for n in range(torn.before_last) if torn.content[n] or torn.content[n - 1]]
    for place in used:
        content = bytearray(torn.content)
        content[place] ^= 255
        unused_header = 36 <= place < SECTOR_BYTES
        assert torn.outcome(bytes(content)) == (6 if unused_header else "damaged") or _padding(torn, place), place


def _padding(torn: Torn, place: int) -> bool:
    """Between the end of a payload and its sector's end nothing is stored."""
    return torn.content[place : place + 1] == b"\0"


def test_any_sectors_of_the_last_group_may_be_missing(torn: Torn) -> None:
    chance = random.Random(7)
    for _ in range(100):
        content = bytearray(torn.content)
        for place in range(torn.before_last, torn.end, SECTOR_BYTES):
            if chance.random() < 0.4:
                content[place : place + SECTOR_BYTES] = bytes(SECTOR_BYTES)
        assert torn.outcome(bytes(content)) == (6 if content == torn.content else 5)


@pytest.mark.parametrize("place", [0, 1, 30, -1])
def test_a_store_goes_on_after_a_torn_tail(torn: Torn, place: int) -> None:
    cut = torn.before_last + place if place >= 0 else torn.record_end - 1
    torn.file.write_bytes(torn.content[:cut])
    assert asyncio.run(reopened(torn.state)) == 5


def test_damage_is_named_with_its_file_and_byte(torn: Torn) -> None:
    content = bytearray(torn.content)
    content[700] ^= 1
    torn.file.write_bytes(content)
    with pytest.raises(StoreDamaged, match=rf"{torn.file.name}.*byte 512"):
        DurableStore(torn.state, ManualClock())
    torn.file.write_bytes(b"")
    with pytest.raises(StoreDamaged, match=rf"{torn.file.name}.*header"):
        DurableStore(torn.state, ManualClock())
    torn.file.write_bytes(torn.content)
    assert asyncio.run(reopened(torn.state)) == 6


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "state", 12, segment_bytes=1500))
    files = sorted((tmp_path / "state" / "log").iterdir())
    assert len(files) >= 3
    for file in files:
        shutil.copytree(tmp_path / "state", tmp_path / "copy")
        (tmp_path / "copy" / "log" / file.name).unlink()
        if file == files[-1]:
            # Its predecessor has an end, and a crash may have come before its successor was made.
            continue
        with pytest.raises(StoreDamaged, match=file.name):
            DurableStore(tmp_path / "copy", ManualClock())
        shutil.rmtree(tmp_path / "copy")


def test_a_missing_log_is_noticed(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "state", 2))
    shutil.rmtree(tmp_path / "state" / "log")
    with pytest.raises(StoreDamaged, match="latest writes"):
        DurableStore(tmp_path / "state", ManualClock())


def test_a_segment_in_another_ones_place_is_refused(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "state", 12, segment_bytes=1500))
    first, second, *_ = sorted((tmp_path / "state" / "log").iterdir())
    shutil.copy(first, second)
    with pytest.raises(StoreDamaged, match=second.name):
        DurableStore(tmp_path / "state", ManualClock())


async def crash_at(directory: Path, step: int, seed: int) -> bool:
    """Run a series until operation `step`, cut the power, start again; True when the series ran to its end."""
    disk = FailingDisk(stop_at=step)
    acknowledged = 0
    try:
        store = without_folding(DurableStore(directory, ManualClock(), disk=disk, segment_bytes=1500, frozen_limit=99))
    except (StoreError, OSError):
        disk.lose_power(random.Random(seed))
        assert await reopened(directory) == 0
        return False
    finished = True
    for number in range(0, 15, 3):
        futures = [store.transact([], lambda current, n=n: pair(n)) for n in range(number, number + 3)]
        results = await asyncio.gather(*futures, return_exceptions=True)
        if results == [number, number + 1, number + 2]:
            assert finished
            acknowledged = number + 3
        else:
            assert all(isinstance(result, StoreError) for result in results)
            finished = False
    assert pairs_present(store) == acknowledged
    await abandon(store)
    disk.lose_power(random.Random(seed))
    present = await reopened(directory)
    assert acknowledged <= present <= acknowledged + 3
    assert present % 3 == 0
    return finished


@pytest.mark.parametrize("seed", [1, pytest.param(range(2, 30), marks=pytest.mark.slow, id="many")])
@pytest.mark.timeout(600)
def test_power_lost_at_every_step_loses_nothing_acknowledged(tmp_path: Path, seed: int | range) -> None:
    for one in [seed] if isinstance(seed, int) else seed:
        step = 0
        while not asyncio.run(crash_at(tmp_path / f"{one}-{step}", step, one)):
            step += 1
        assert step > 20


async def full_at(directory: Path, step: int, times: int) -> bool:
    """The disk is full for `times` operations from `step` on; afterwards everything goes on. True when unharmed."""
    disk = FailingDisk()
    store = without_folding(DurableStore(directory, ManualClock(), disk=disk, segment_bytes=1500, frozen_limit=99))
    disk.stop_at, disk.number, disk.times = disk.operations + step, errno.ENOSPC, times
    acknowledged = failed = 0
    while acknowledged < 8:
        [outcome] = await asyncio.gather(
            store.transact([], lambda current, n=acknowledged: pair(n)), return_exceptions=True
        )
        if isinstance(outcome, StoreFull):
            assert "make room" in str(outcome)
            failed += 1
        elif isinstance(outcome, StoreError):  # even taking the record back failed: it refuses to go on
            assert "restart" in str(outcome)
            failed = -1
            break
        else:
            acknowledged += 1
        assert pairs_present(store) == acknowledged
    await abandon(store)
    assert acknowledged <= await reopened(directory) <= acknowledged + (failed < 0)
    assert failed or disk.times
    return not failed


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_disk_full_at_every_step_harms_only_the_group_it_meets(tmp_path: Path, times: int) -> None:
    step = 0
    while not asyncio.run(full_at(tmp_path / f"{step}", step, times)):
        step += 1
    assert step > 20


@given(st.dictionaries(st.binary(min_size=1, max_size=9), st.none() | st.binary(max_size=9)))
def test_a_payload_comes_back(puts: dict[bytes, bytes | None]) -> None:
    content = payload(puts)
    assert dict(unpack_payload(content, 0, len(content))) == puts


@given(st.binary(max_size=2000))
def test_random_bytes_are_never_a_group(noise: bytes) -> None:
    content = pack_segment_header(3, 7) + noise
    assert Replay(content, "file").records == 0
    one = pack_segment_header(3, 7) + pack_record(payload({b"k": noise}), 7, 3, SECTOR_BYTES)
    assert Replay(one, "file").puts == {b"k": noise}
    elsewhere = pack_segment_header(4, 7) + pack_record(payload({b"k": noise}), 7, 3, SECTOR_BYTES)
    assert Replay(elsewhere, "file").records == 0
