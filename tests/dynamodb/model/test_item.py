"""Items: stored bytes, sizes without decoding, the 400 KB limit."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import ITEM_MAX_BYTES
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.item import (
    UnknownStoredFormat,
    changed_size,
    check_item_size,
    decode_stored,
    encode_stored,
    item_bytes,
    item_size,
    part_of_stored,
    stored_size,
)


@given(st.data())
def test_stored_and_read_back(drawn: SimpleNamespace, data: st.DataObject) -> None:
    item = data.draw(drawn.items)
    size = validate_item(item)
    stored = encode_stored(item, size)
    assert stored == encode_stored(item)
    assert decode_stored(stored) == item
    assert stored_size(stored) == size
    assert item_bytes(stored) == orjson.dumps(item)


def test_the_largest_item_and_one_byte_more() -> None:
    largest = {"pk": {"S": "x" * (ITEM_MAX_BYTES - 2)}}
    check_item_size(item_size(largest))
    with pytest.raises(ValidationException, match=r"^Item size has exceeded the maximum allowed size$"):
        check_item_size(ITEM_MAX_BYTES + 1)
    with pytest.raises(ValidationException, match=r"^Item size to update has exceeded the maximum allowed size$"):
        check_item_size(ITEM_MAX_BYTES + 1, updated=True)
    assert stored_size(encode_stored(largest)) == ITEM_MAX_BYTES


@pytest.mark.parametrize("stored", [b"", b"\x02\x00\x00\x00{}", b"{}"])
def test_bytes_of_another_format_are_refused(stored: bytes) -> None:
    with pytest.raises(UnknownStoredFormat):
        decode_stored(stored)


@given(st.data())
def test_the_size_of_a_changed_item_is_that_of_the_whole(drawn: SimpleNamespace, data: st.DataObject) -> None:
    old, changes = data.draw(drawn.items), data.draw(drawn.items)
    validate_item(old)
    validate_item(changes)
    gone = data.draw(st.sets(st.sampled_from(sorted(old)))) if old else set()
    new = {name: value for name, value in (old | changes).items() if name not in gone}
    assert changed_size(item_size(old), old, new, gone | changes.keys()) == item_size(new)


@given(st.data())
def test_a_part_of_a_stored_item_is_that_of_the_whole(drawn: SimpleNamespace, data: st.DataObject) -> None:
    item = data.draw(drawn.items)
    size = validate_item(item)
    names = tuple(data.draw(st.sets(st.sampled_from(sorted(item))))) if item else ()
    assert part_of_stored(encode_stored(item, size), names) == orjson.dumps({name: item[name] for name in names})
    with pytest.raises(UnknownStoredFormat):
        part_of_stored(b"\x02\x00\x00\x00{}", ())
