"""What the hot path takes for granted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.model.item import encode_stored, item_size
from trine.dynamodb.throughput.meter import place_of
from trine.dynamodb.throughput.partitions import HASHES, Partitions, spread


@given(st.data())
def test_stored_json_is_never_shorter_than_the_size_that_is_paid(drawn: SimpleNamespace, data: Any) -> None:
    item = data.draw(drawn.items)
    assert len(encode_stored(item)) >= item_size(item)


@given(st.binary(min_size=4, max_size=4), st.integers(1, 20))
def test_slots_agree_with_ranges(place: bytes, count: int) -> None:
    partitions = Partitions(0, count)
    part = partitions.at(place)
    assert part.start <= spread(place) < part.stop <= HASHES
    assert partitions.reads[place[3]] in (part.reads, None)
    assert partitions.writes[place[3]] in (part.writes, None)
    assert len(partitions.reads) == len(partitions.writes) == 256


def test_a_range_that_begins_with_its_table_has_a_place() -> None:
    assert len(place_of(b"i\0\0\0\1\0\0")) == 4
