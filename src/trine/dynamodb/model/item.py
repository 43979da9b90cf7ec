"""The item: its size as AWS counts it, and the bytes it is stored and answered in.

A validated item enters, stored bytes leave, and the other way round. The stored form is a header of four bytes (a
format byte, then the item's size in three, big-endian) followed by the item's DynamoDB JSON exactly as it goes out,
so that answers are spliced from stored bytes and sizes are read without decoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from struct import Struct
from typing import Any

import msgspec
import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import ITEM_MAX_BYTES
from trine.dynamodb.model.attribute import TOO_LARGE, AttributeValue, Item
from trine.dynamodb.model.number import number_size

STORED_FORMAT = 1
STORED_HEADER_SIZE_BYTES = 4
_pack_header = Struct(">I").pack

TOO_LARGE_UPDATED = "Item size to update has exceeded the maximum allowed size"


class UnknownStoredFormat(Exception):
    """Stored bytes that a newer Trine wrote, or that are damaged."""


def item_size(item: Item) -> int:
    """Size in bytes of a validated item: names in UTF-8 and values."""
    size = 0
    for name, value in item.items():
        size += len(name) if name.isascii() else len(name.encode())
        if (text := value.get("S")) is not None:  # most values are strings; they need no call
            size += len(text) if text.isascii() else len(text.encode())
        else:
            size += value_size(value)
    return size


def changed_size(size_bytes: int, old: Item, new: Item, names: Iterable[str]) -> int:
    """Size in bytes of `new`, made of `old` of `size_bytes` by changing no more than the top-level `names`."""
    for name in names:
        before, after = old.get(name), new.get(name)
        if before is after:
            continue
        if before is None or after is None:
            name_bytes = len(name) if name.isascii() else len(name.encode())
            size_bytes += name_bytes if before is None else -name_bytes
        if before is not None:
            size_bytes -= value_size(before)
        if after is not None:
            size_bytes += value_size(after)
    return size_bytes


def value_size(value: AttributeValue) -> int:
    """Size in bytes of one validated value."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode())
    if kind == "N":
        return number_size(content)
    return _SIZES[kind](content)


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _binary_size(text: str) -> int:
    return len(text) // 4 * 3 - text[-2:].count("=")


def _one(content: Any) -> int:
    return 1


def _map_size(content: Item) -> int:
    return 3 + len(content) + item_size(content)


def _list_size(content: list[AttributeValue]) -> int:
    return 3 + len(content) + sum([value_size(element) for element in content])


def _sum_of(size: Callable[[str], int]) -> Callable[[list[str]], int]:
    return lambda content: sum([size(element) for element in content])


_SIZES: dict[str, Callable[[Any], int]] = {
    "B": _binary_size,
    "BOOL": _one,
    "NULL": _one,
    "M": _map_size,
    "L": _list_size,
    "SS": _sum_of(_text_size),
    "NS": _sum_of(number_size),
    "BS": _sum_of(_binary_size),
}


def check_item_size(size_bytes: int, *, updated: bool = False) -> None:
    """ValidationException when an item of this size is too large; UpdateItem has a sentence of its own."""
    if size_bytes > ITEM_MAX_BYTES:
        raise ValidationException(TOO_LARGE_UPDATED if updated else TOO_LARGE)


def encode_stored(item: Item, size_bytes: int | None = None) -> bytes:
    """The stored form of a validated item; give `size_bytes` when it is known already."""
    if size_bytes is None:
        size_bytes = item_size(item)
    return _pack_header(STORED_FORMAT << 24 | size_bytes) + orjson.dumps(item)


def stored_form(text: bytes, size_bytes: int) -> bytes:
    """The stored form of an item whose JSON is there already."""
    return _pack_header(STORED_FORMAT << 24 | size_bytes) + text


def item_bytes(stored: bytes) -> bytes:
    """The item's JSON, ready to be spliced into an answer."""
    return stored[STORED_HEADER_SIZE_BYTES:]


def stored_size(stored: bytes) -> int:
    """The item's size in bytes as AWS counts it, read from the header."""
    return int.from_bytes(stored[1:STORED_HEADER_SIZE_BYTES], "big")


def decode_stored(stored: bytes) -> Item:
    """The item. UnknownStoredFormat when the bytes are not of this format."""
    if not stored or stored[0] != STORED_FORMAT:
        raise UnknownStoredFormat(f"stored item of format {stored[:1].hex() or 'none'}, this Trine reads 01")
    item: Item = orjson.loads(stored[STORED_HEADER_SIZE_BYTES:])
    return item


def part_of_stored(stored: bytes, names: tuple[str, ...]) -> bytes:
    """The JSON of an item with no more than the top-level `names`, all of which it has, in this order.

    UnknownStoredFormat when the bytes are not of this format.
    """
    decode = _decoder_of(names)
    if decode is None or stored[:1] != _FORMAT_BYTE:
        item = decode_stored(stored)
        return orjson.dumps({name: item[name] for name in names})
    return b"{" + b",".join([b"%b:%b" % pair for pair in decode(stored[STORED_HEADER_SIZE_BYTES:])]) + b"}"


_FORMAT_BYTE = bytes((STORED_FORMAT,))


@lru_cache(256)
def _decoder_of(names: tuple[str, ...]) -> Callable[[bytes], Iterable[tuple[bytes, msgspec.Raw]]] | None:
    """What finds the attributes `names` in an item's JSON and skips the rest; None where names need escapes."""
    members = {f"a{at}": name for at, name in enumerate(dict.fromkeys(names))}
    try:
        shape = msgspec.defstruct("Part", [(member, msgspec.Raw) for member in members], rename=members)
    except ValueError:
        return None
    decode = msgspec.json.Decoder(shape).decode
    texts = [orjson.dumps(name) for name in members.values()]
    return lambda text: zip(texts, msgspec.structs.astuple(decode(text)), strict=True)
