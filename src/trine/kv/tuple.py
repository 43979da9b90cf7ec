"""Tuples as bytes that sort as DynamoDB sorts: the key encoding of everything that is ordered by value.

Elements are bytes (unsigned byte order), str (UTF-8 byte order) and decimal numbers of up to 38 digits, zero or of
magnitude 1E-130 to 9.99…E+125. Each element ends itself, so the encoding of a prefix of a tuple is a prefix of its
encoding, and all tuples with that prefix lie between it and `after(prefix)`. In: a tuple. Out: bytes, and back.

    bytes   0x01, the bytes with 0x00 written as 0x00 0xFF, 0x00 0x01
    str     0x02, the UTF-8 bytes likewise, 0x00 0x01
    number  0x03, then for zero 0x80; for a positive one 0xC0 + high and low byte of the exponent, its digits in pairs
            (each pair + 1, the last one followed by 0x00); for a negative one the same with every byte inverted

The terminator 0x00 0x01 sorts below any continuation (0x00 0xFF or a byte above 0x00), so a string sorts before the
strings it begins. Numbers equal in value have one encoding, whatever their trailing zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

Element = bytes | str | Decimal

EXPONENT_MAXIMUM = 125
"""Of the first significant digit: DynamoDB's numbers end at 9.99…E+125."""
EXPONENT_MINIMUM = -130
DIGITS_LIMIT = 38

_BYTES, _STR, _NUMBER = 1, 2, 3
_END = b"\x00\x01"
_ZERO = b"\x03\x80"
_INVERT = bytes(255 - byte for byte in range(256))
# "00".."99" → one byte 1..100, so that 0 is free to end the number
_PAIR = {f"{pair:02d}": pair + 1 for pair in range(100)}


def pack(elements: Sequence[Element]) -> bytes:
    """The encoding of a tuple. ValueError for a number outside DynamoDB's range, TypeError for another type."""
    return b"".join([pack_element(element) for element in elements])


def pack_element(element: Element) -> bytes:
    """The encoding of one element."""
    if isinstance(element, str):
        return pack_str(element)
    if isinstance(element, bytes):
        return pack_bytes(element)
    if isinstance(element, Decimal):
        return pack_number(element)
    raise TypeError(f"a key element is bytes, str or Decimal, not {type(element).__name__}")


def pack_bytes(element: bytes) -> bytes:
    """The encoding of a byte string."""
    if b"\0" in element:
        element = element.replace(b"\0", b"\0\xff")
    return b"\x01" + element + _END


def pack_str(element: str) -> bytes:
    """The encoding of a text; UnicodeEncodeError (a ValueError) for lone surrogates."""
    encoded = element.encode()
    if b"\0" in encoded:
        encoded = encoded.replace(b"\0", b"\0\xff")
    return b"\x02" + encoded + _END


def pack_number(element: Decimal) -> bytes:
    """The encoding of a number."""
    negative, digit_tuple, exponent = element.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{element} is not a number")
    return pack_digits(bool(negative), "".join(map(str, digit_tuple)), exponent)


def pack_digits(negative: bool, digits: str, exponent: int) -> bytes:
    """The encoding of ±`digits` × 10^`exponent` (digits an unsigned integer in decimal), without a Decimal made.

    ValueError when more than 38 digits are significant or the magnitude is out of range.
    """
    digits = digits.lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return _ZERO
    first = len(digits) - 1 + exponent  # power of ten of the first digit
    if len(significant) > DIGITS_LIMIT:
        raise ValueError(f"more than {DIGITS_LIMIT} significant digits")
    if not EXPONENT_MINIMUM <= first <= EXPONENT_MAXIMUM:
        raise ValueError(f"magnitude outside 1E{EXPONENT_MINIMUM} to 9.99…E+{EXPONENT_MAXIMUM}")
    if len(significant) % 2:
        significant += "0"
    pairs = bytes([_PAIR[significant[place : place + 2]] for place in range(0, len(significant), 2)])
    body = (0xC000 + first - EXPONENT_MINIMUM).to_bytes(2, "big") + pairs + b"\0"
    if negative:
        body = body.translate(_INVERT)
    return b"\x03" + body


def after(prefix: bytes) -> bytes:
    """The smallest byte string above everything that begins with `prefix`: `scan(prefix, after(prefix))`.

    ValueError when there is none (empty, or nothing but 0xFF).
    """
    stripped = prefix.rstrip(b"\xff")
    if not stripped:
        raise ValueError("nothing sorts after this prefix")
    return stripped[:-1] + bytes((stripped[-1] + 1,))


def unpack(packed: bytes) -> tuple[Element, ...]:
    """The tuple that was packed; ValueError for other bytes. Numbers come back normalised."""
    elements: list[Element] = []
    place = 0
    while place < len(packed):
        kind = packed[place]
        place += 1
        if kind in (_BYTES, _STR):
            end = _end_of_string(packed, place)
            raw = packed[place:end].replace(b"\0\xff", b"\0")
            elements.append(raw if kind == _BYTES else raw.decode())
            place = end + len(_END)
        elif kind == _NUMBER:
            number, place = _number(packed, place)
            elements.append(number)
        else:
            raise ValueError(f"no element begins with byte {kind} at {place - 1}")
    return tuple(elements)


def _end_of_string(packed: bytes, place: int) -> int:
    while True:
        zero = packed.find(b"\0", place)
        if zero < 0 or zero + 1 >= len(packed):
            raise ValueError("a string has no end")
        if packed[zero + 1] == _END[1]:
            return zero
        if packed[zero + 1] != 0xFF:
            raise ValueError(f"bad escape at {zero}")
        place = zero + 2


def _number(packed: bytes, place: int) -> tuple[Decimal, int]:
    if place >= len(packed):
        raise ValueError("a number has no body")
    if packed[place] == _ZERO[1]:
        return Decimal(0), place + 1
    negative = packed[place] < _ZERO[1]
    end = packed.find(b"\xff" if negative else b"\0", place + 2)
    if end < 0:
        raise ValueError("a number has no end")
    body = packed[place:end]
    if negative:
        body = body.translate(_INVERT)
    first = int.from_bytes(body[:2], "big") - 0xC000 + EXPONENT_MINIMUM
    digits = "".join(f"{pair - 1:02d}" for pair in body[2:])
    if not digits or not EXPONENT_MINIMUM <= first <= EXPONENT_MAXIMUM:
        raise ValueError("a number's exponent or digits are damaged")
    digits = digits.rstrip("0")
    number = Decimal((int(negative), tuple(map(int, digits)), first - len(digits) + 1))
    return number, end + 1
