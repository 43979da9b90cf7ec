"""Partitions: every hash has one, equal ranges by capacity, cuts where the heat is."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.limits import PARTITIONS_MAX_COUNT
from trine.dynamodb.throughput.meter import place_of
from trine.dynamodb.throughput.partitions import HASHES, Partitions, spread
from trine.kv.tuple import pack_str

SECOND = 1_000_000_000


def _place(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _whole(partitions: Partitions) -> bool:
    ranges = partitions.ranges()
    return ranges[0][0] == 0 and ranges[-1][1] == HASHES and all(a[1] == b[0] for a, b in pairwise(ranges))


@given(st.integers(1, 400), st.integers(0, HASHES - 1))
def test_every_hash_has_its_partition(count: int, place: int) -> None:
    partitions = Partitions(0, count)
    assert len(partitions) == min(count, PARTITIONS_MAX_COUNT)
    assert _whole(partitions)
    part = partitions.at(_place(place))
    assert part.start <= spread(_place(place)) < part.stop


def test_powers_of_two_are_equal_ranges() -> None:
    quarter = HASHES // 4
    assert Partitions(0, 4).ranges() == [(at * quarter, (at + 1) * quarter) for at in range(4)]


def test_no_place_is_the_first_one() -> None:
    assert Partitions(0, 4).at(place_of(b"i\0\0\0\1\0\0")).start == 0


def _heat(partitions: Partitions, places: list[int], from_second: int, seconds: int) -> None:
    for second in range(from_second, from_second + seconds, 10):
        for place in places:
            partitions.refused(partitions.at(_place(place)), _place(place), second * SECOND)


def test_heat_of_five_minutes_splits_a_partition_between_its_hot_keys() -> None:
    partitions = Partitions(0)
    _heat(partitions, [1000, 2000], 0, 290)
    assert len(partitions) == 1
    _heat(partitions, [1000, 2000], 290, 30)
    assert partitions.heat_splits == 1
    assert partitions.at(_place(1000)) is not partitions.at(_place(2000))
    assert _whole(partitions)


def test_heat_that_pauses_begins_anew() -> None:
    partitions = Partitions(0)
    _heat(partitions, [7], 0, 200)
    _heat(partitions, [7], 400, 200)
    assert len(partitions) == 1


def test_one_hot_key_is_isolated_and_then_left_alone() -> None:
    partitions = Partitions(0)
    _heat(partitions, [77], 0, 3600)
    assert partitions.at(_place(77)).heat_cut() is None
    assert (spread(_place(77)), spread(_place(77)) + 1) in partitions.ranges()
    assert len(partitions) == 3


@given(st.text(max_size=8), st.integers(0, 10_000))
def test_keys_in_a_row_part(prefix: str, start: int) -> None:
    """Checksums of numbered keys share their upper bits; their partitions must not be shared."""
    partitions = Partitions(0, 4)
    places = [crc32(pack_str(f"{prefix}{number}")).to_bytes(4, "big") for number in range(start, start + 200)]
    counts = Counter(partitions.at(place) for place in places)
    assert len(counts) == 4
    assert max(counts.values()) <= 110
