"""DynamoDB's number: 38 significant decimal digits, magnitude 1E-130 to 9.99…E+125, kept as normalised text.

A text enters, normalised text leaves: plain notation, no leading or trailing zeros, no `+`, no `-0`, so that equal
numbers are equal strings. Arithmetic is exact or an error. Sizes are in bytes as AWS counts them: one for the
exponent, one for every two digits, one more for a minus sign. Source: "Supported data types" and "Item sizes" of the
DynamoDB developer guide; the sentences of errors are those of the service.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from functools import lru_cache

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import NUMBER_MAX_DIGITS, NUMBER_MAX_EXPONENT, NUMBER_MIN_EXPONENT

_MAX_INT64 = 2**63 - 1
NUMBER_CACHED_MAX_CHARACTERS = 64

NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
TOO_PRECISE = "Attempting to store more than 38 significant digits in a Number"

_MAX_INT32 = 2**31 - 1


class NumberOutOfRange(ValidationException):
    """A number whose magnitude DynamoDB does not keep. `spelling` is how it was written."""

    def __init__(self, message: str, spelling: str) -> None:
        super().__init__(message)
        self.spelling = spelling

    def as_a_big_decimal(self) -> str:
        """What a part of AWS says that reads numbers as Java's BigDecimal does: parameters of statements.

        An exponent beyond 32 bits is none at all, and the magnitude (precision − scale) wraps in 32 bits. Seen on AWS
        by a public suite (paritysuite/dynamodb-conformance, October 2026).
        """
        match = _NUMBER(self.spelling)
        assert match is not None
        _, whole, fraction, bare_fraction, exponent = match.groups()
        fraction = fraction or bare_fraction or ""
        power = int(exponent or 0)
        scale = len(fraction) - power
        if abs(power) > _MAX_INT32 or abs(scale) > _MAX_INT32:
            return f"{NOT_NUMERIC}: {self.spelling}"
        magnitude = len(((whole or "") + fraction).lstrip("0")) - scale
        if magnitude > _MAX_INT32:
            return UNDERFLOW
        return OVERFLOW if magnitude > 0 else UNDERFLOW


_NUMBER = re.compile(r"([+-]?)(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))(?:[eE]([+-]?[0-9]{1,19}))?").fullmatch
# A sum of the largest and the smallest number has 256 digits; this context never rounds one.
_EXACT = Context(prec=300, Emax=999_999, Emin=-999_999)


def normalise(text: str) -> str:
    """`text` as DynamoDB prints that number. ValidationException when it is none, or out of range."""
    return measured(text)[0]


def number_size(text: str) -> int:
    """Bytes that the number counts for in an item's size."""
    return measured(text)[1]


def measured(text: str) -> tuple[str, int]:
    """The normalised number and its size in bytes. ValidationException when it is no number, or out of range."""
    # Long spellings (leading zeros, long fractions) stay out of the cache: its memory is bounded.
    return measured_cached(text) if len(text) <= NUMBER_CACHED_MAX_CHARACTERS else _measure(text)


def _measure(text: str) -> tuple[str, int]:
    if not text:
        raise ValidationException(NOT_NUMERIC)
    match = _NUMBER(text)
    if match is None:
        raise ValidationException(f"{NOT_NUMERIC}: {text}")
    sign, whole, fraction, bare_fraction, exponent = match.groups()
    whole = whole or ""
    fraction = fraction or bare_fraction or ""
    digits = (whole + fraction).lstrip("0")
    power = int(exponent) if exponent else 0
    if not -_MAX_INT64 <= power <= _MAX_INT64:
        raise ValidationException(f"{NOT_NUMERIC}: {text}")
    # Exponent of the first digit that counts, as in d.ddd × 10^exponent; of a zero, the exponent it is written with.
    leading = (len(digits) - 1 if digits else 0) - len(fraction) + power
    if leading > NUMBER_MAX_EXPONENT:
        raise NumberOutOfRange(OVERFLOW, text)
    if not digits:
        if power and leading < NUMBER_MIN_EXPONENT:
            raise NumberOutOfRange(UNDERFLOW, text)
        return "0", 1
    if leading < NUMBER_MIN_EXPONENT:
        raise NumberOutOfRange(UNDERFLOW, text)
    digits = digits.rstrip("0")
    if len(digits) > NUMBER_MAX_DIGITS:
        raise ValidationException(TOO_PRECISE)
    negative = sign == "-"
    return _plain(negative, digits, leading), _size(negative, len(digits), leading)


measured_cached = lru_cache(16384)(_measure)
"""As `measured`, for texts of up to `NUMBER_CACHED_MAX_CHARACTERS`: what hot loops call, to spare a frame."""


def _plain(negative: bool, digits: str, leading: int) -> str:
    sign = "-" if negative else ""
    if leading < 0:
        return f"{sign}0.{'0' * (-leading - 1)}{digits}"
    if len(digits) <= leading + 1:
        return f"{sign}{digits}{'0' * (leading + 1 - len(digits))}"
    return f"{sign}{digits[: leading + 1]}.{digits[leading + 1 :]}"


def _size(negative: bool, digit_count: int, leading: int) -> int:
    # Digits are kept in base 100, aligned to even exponents; an even count at an even exponent straddles one more.
    pairs = (digit_count + 1) // 2
    if digit_count % 2 == 0 and leading % 2 == 0:
        pairs += 1
    return 1 + pairs + (1 if negative else 0)


def add(left: str, right: str) -> str:
    """left + right, normalised operands. ValidationException when the sum cannot be kept exactly."""
    if len(left) < 18 and len(right) < 18 and "." not in left and "." not in right:
        return str(int(left) + int(right))
    return _exact(_EXACT.add(Decimal(left), Decimal(right)))


def subtract(left: str, right: str) -> str:
    """left − right, normalised operands. ValidationException when the difference cannot be kept exactly."""
    if len(left) < 18 and len(right) < 18 and "." not in left and "." not in right:
        return str(int(left) - int(right))
    return _exact(_EXACT.subtract(Decimal(left), Decimal(right)))


def _exact(result: Decimal) -> str:
    try:
        return _measure(str(result) if result else "0")[0]
    except ValidationException as error:
        # AWS answers a sum of too many digits with the sentence for too large a magnitude.
        raise ValidationException(OVERFLOW if error.message == TOO_PRECISE else error.message) from None


def compare_numbers(left: str, right: str) -> int:
    """−1, 0 or 1; operands normalised."""
    if left == right:
        return 0
    if "." in left or "." in right:
        return -1 if Decimal(left) < Decimal(right) else 1
    return -1 if int(left) < int(right) else 1


def digits_of(text: str) -> tuple[int, int, str]:
    """(sign −1, 0 or 1, exponent of the first digit, digits without trailing zeros) of a normalised number.

    The input of a key encoding that sorts as numbers do.
    """
    if text == "0":
        return 0, 0, ""
    sign, text = (-1, text[1:]) if text[0] == "-" else (1, text)
    whole, _, fraction = text.partition(".")
    if whole != "0":
        return sign, len(whole) - 1, (whole + fraction).rstrip("0")
    digits = fraction.lstrip("0")
    return sign, len(digits) - len(fraction) - 1, digits


_INVERTED = bytes(range(255, -1, -1))


def sortable_number(text: str) -> bytes:
    """Bytes that sort as the numbers do and end themselves: no such string is the prefix of another.

    Sign, exponent biased by 130, digits in pairs (1 to 100, so no zero byte), a zero byte; all but the sign inverted
    for negative numbers. At most 22 bytes.
    """
    sign, exponent, digits = digits_of(text)
    if sign == 0:
        return b"\x02"
    if len(digits) % 2:
        digits += "0"
    pairs = bytes([int(digits[i : i + 2]) + 1 for i in range(0, len(digits), 2)])
    body = bytes((exponent - NUMBER_MIN_EXPONENT,)) + pairs + b"\0"
    return b"\x03" + body if sign > 0 else b"\x01" + body.translate(_INVERTED)
