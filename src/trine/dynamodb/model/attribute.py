"""The attribute value: DynamoDB JSON with exactly one member, checked, normalised and measured in one pass.

Decoded JSON enters (`{"S": "x"}`), its size in bytes leaves; the value is normalised in place (numbers as DynamoDB
prints them, Boolean words as Booleans, sets in order, unknown members dropped). Wrong JSON types raise
SerializationException, everything else ValidationException, with AWS's sentences. Sizes are AWS's: "DynamoDB item
sizes and formats".
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trine.dynamodb.errors import SerializationException, ValidationException
from trine.dynamodb.limits import (
    ATTRIBUTE_NAME_MAX_BYTES,
    DOCUMENT_MAX_LEVELS,
    ITEM_MAX_BYTES,
    SUBSTITUTION_MAX_BYTES,
)
from trine.dynamodb.model.number import NUMBER_CACHED_MAX_CHARACTERS, compare_numbers, measured, measured_cached

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]


TYPES = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"))
SET_TYPES = frozenset(("SS", "NS", "BS"))
NO_TYPE = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
MANY_TYPES = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
TOO_LARGE = "Item size has exceeded the maximum allowed size"
_INVALID = "One or more parameter values were invalid: "
_NAME_TOO_LARGE = f"Attribute name is too large, must be less than {ATTRIBUTE_NAME_MAX_BYTES + 1} bytes"


class ValueTooLarge(ValidationException):
    """A value that nothing may hold: it is refused before all of it has been looked at.

    A body of 16 MB holds millions of elements; to look at each takes seconds, in which nobody else is served.
    """

    def __init__(self) -> None:
        super().__init__(TOO_LARGE)


def validate_item(item: Any) -> int:
    """Check and normalise a whole item in place; its size in bytes (names and values, without the 100 of storage)."""
    if item.__class__ is not dict:
        raise SerializationException(_map_fault(item))
    return _attributes(item, 1)


def validate_value(value: Any, depth: int = 1) -> int:
    """Check and normalise one attribute value in place; its size in bytes. `depth` 1 is an item's own attribute."""
    if value.__class__ is not dict:
        raise SerializationException(_structure_fault(value))
    if len(value) != 1:
        return _irregular(value, depth)
    ((kind, content),) = value.items()
    if kind == "S":
        if content.__class__ is not str:
            return _wrong_string(value, kind, content)
        return len(content) if content.isascii() else len(content.encode())
    if kind == "N":
        if content.__class__ is not str:
            return _wrong_string(value, kind, content)
        plain, size = measured(content)
        if plain != content:
            value["N"] = plain
        return size
    check = _CHECKS.get(kind)
    if check is None or content is None:
        raise ValidationException(NO_TYPE)
    return check(value, content, depth)


def _attributes(members: dict[str, Any], depth: int) -> int:
    # Most values are strings and numbers: as `validate_value`, without a call for each; names are measured together.
    names = "".join(members)
    size = len(names) if names.isascii() else len(names.encode())
    if size > ATTRIBUTE_NAME_MAX_BYTES or "" in members:
        return _named_attributes(members, depth)
    for value in members.values():
        if value.__class__ is dict and len(value) == 1:
            if (content := value.get("S")).__class__ is str:
                size += len(content) if content.isascii() else len(content.encode())
                continue
            (kind,) = value
            content = value[kind]
            if kind == "N" and content.__class__ is str and len(content) <= NUMBER_CACHED_MAX_CHARACTERS:
                plain, number_bytes = measured_cached(content)
                if plain != content:
                    value["N"] = plain
                size += number_bytes
                continue
            if content is not None and (check := _CHECKS.get(kind)) is not None:
                size += check(value, content, depth)
                if size > SUBSTITUTION_MAX_BYTES:
                    raise ValueTooLarge
                continue
        size += validate_value(value, depth)
    return size


def _named_attributes(members: dict[str, Any], depth: int) -> int:
    """As `_attributes`, where a name may be wrong: name and value in turns, so that the first fault is told."""
    size = 0
    for name, value in members.items():
        name_size = len(name.encode())
        if not 0 < name_size <= ATTRIBUTE_NAME_MAX_BYTES:
            raise ValidationException(_INVALID + (_NAME_TOO_LARGE if name else "Empty attribute name"))
        size += name_size + validate_value(value, depth)
    return size


def _irregular(value: dict[str, Any], depth: int) -> int:
    """No member, or several: members that are null or unknown to AWS do not count."""
    for kind in [kind for kind, content in value.items() if content is None or kind not in TYPES]:
        del value[kind]
    if not value:
        raise ValidationException(NO_TYPE)
    if len(value) == 1:
        return validate_value(value, depth)
    for kind, content in value.items():
        validate_value({kind: content}, depth)
    raise ValidationException(MANY_TYPES)


def _wrong_string(value: dict[str, Any], kind: str, content: Any) -> int:
    if content is None:
        raise ValidationException(NO_TYPE)
    raise SerializationException(_scalar_fault(content, "String"))


def _scalar_fault(content: Any, wanted: str) -> str:
    if content is True or content is False:
        return f"{'TRUE_VALUE' if content else 'FALSE_VALUE'} cannot be converted to {wanted}"
    if isinstance(content, int):
        return f"NUMBER_VALUE cannot be converted to {wanted}"
    if isinstance(content, float):
        return f"DECIMAL_VALUE cannot be converted to {wanted}"
    if isinstance(content, list):
        return f"Unrecognized collection type class java.lang.{wanted}"
    if isinstance(content, dict):
        return "Start of structure or map found where not expected"
    return f"STRING_VALUE cannot be converted to {wanted}"


def _map_fault(content: Any) -> str:
    if isinstance(content, list):
        return (
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>"
        )
    return "Unexpected field type"


def _structure_fault(content: Any) -> str:
    if isinstance(content, list):
        return "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"
    return "Unexpected value type in payload"


def _boolean(kind: str, value: dict[str, Any], content: Any) -> bool:
    if content.__class__ is bool:
        return bool(content)
    if content.__class__ is not str:
        raise SerializationException(_scalar_fault(content, "Boolean"))
    word = content.upper()
    if word not in _BOOLEAN_WORDS:
        raise SerializationException("Unexpected token received from parser")
    answer = value[kind] = _BOOLEAN_WORDS[word]
    return answer


_BOOLEAN_WORDS = {"TRUE": True, "1": True, "YES": True, "FALSE": False, "0": False, "NO": False}


def _check_boolean(value: dict[str, Any], content: Any, depth: int) -> int:
    if content.__class__ is not bool:
        _boolean("BOOL", value, content)
    return 1


def _check_null(value: dict[str, Any], content: Any, depth: int) -> int:
    if not _boolean("NULL", value, content):
        raise ValidationException(f"{_INVALID}Null attribute value types must have the value of true")
    return 1


def _check_map(value: dict[str, Any], content: Any, depth: int) -> int:
    if content.__class__ is not dict:
        raise SerializationException(_map_fault(content))
    if depth >= DOCUMENT_MAX_LEVELS:
        raise ValidationException(TOO_DEEP)
    if len(content) > ITEM_MAX_BYTES:  # each member counts for a byte and more
        raise ValueTooLarge
    return 3 + len(content) + (_attributes(content, depth + 1) if content else 0)


def _check_list(value: dict[str, Any], content: Any, depth: int) -> int:
    if content.__class__ is not list:
        raise SerializationException(_list_fault(content))
    if depth >= DOCUMENT_MAX_LEVELS:
        raise ValidationException(TOO_DEEP)
    if len(content) > ITEM_MAX_BYTES:
        raise ValueTooLarge
    size = 3 + len(content)
    depth += 1
    for element in content:
        if element.__class__ is dict and len(element) == 1:
            if (text := element.get("S")).__class__ is str:
                size += len(text) if text.isascii() else len(text.encode())
                continue
            if (text := element.get("N")).__class__ is str and len(text) <= NUMBER_CACHED_MAX_CHARACTERS:
                plain, number_bytes = measured_cached(text)
                if plain != text:
                    element["N"] = plain
                size += number_bytes
                continue
        size += validate_value(element, depth)
        if size > SUBSTITUTION_MAX_BYTES:
            raise ValueTooLarge
    return size


def _list_fault(content: Any) -> str:
    return (
        "Start of structure or map found where not expected" if isinstance(content, dict) else "Unexpected field type"
    )


def _set_of_strings(content: Any) -> list[str]:
    if content.__class__ is not list:
        raise SerializationException(_list_fault(content))
    for element in content:
        if element.__class__ is not str:
            raise SerializationException(_scalar_fault(element, "String"))
    return content


def _check_string_set(value: dict[str, Any], content: Any, depth: int) -> int:
    try:
        joined = "".join(content) if content.__class__ is list else ""
    except TypeError:  # not all of them are strings
        joined = ""
    if not joined:  # no members, or none that says anything
        strings = _set_of_strings(content)
        if not strings:
            raise ValidationException(f"{_INVALID}An string set  may not be empty")
    if len(content) > ITEM_MAX_BYTES:
        raise ValueTooLarge
    if len(set(content)) != len(content):
        raise ValidationException(f"{_INVALID}Input collection [{', '.join(content)}] contains duplicates.")
    content.sort()
    return len(joined) if joined.isascii() else len(joined.encode())


def _check_number_set(value: dict[str, Any], content: Any, depth: int) -> int:
    texts = _set_of_strings(content)
    if not texts:
        raise ValidationException(f"{_INVALID}An number set  may not be empty")
    if len(texts) > ITEM_MAX_BYTES // 2:  # each but 0 counts for two bytes and more
        raise ValueTooLarge
    numbers = []
    size = 0
    for text in texts:
        plain, number_bytes = measured(text)
        numbers.append(plain)
        size += number_bytes
    if len(set(numbers)) != len(numbers):
        raise ValidationException("Input collection contains duplicates")
    value["NS"] = in_order("NS", numbers)
    return size


def _check_binary_set(value: dict[str, Any], content: Any, depth: int) -> int:
    if content.__class__ is not list:
        raise SerializationException(_list_fault(content))
    if len(content) > ITEM_MAX_BYTES:
        raise ValueTooLarge
    size = sum([check_base64(element) for element in content])
    if not content:
        raise ValidationException(f"{_INVALID}Binary sets should not be empty")
    if len(set(content)) != len(content):
        # The missing space is AWS's.
        raise ValidationException(f"{_INVALID}Input collection [{', '.join(content)}]of type BS contains duplicates.")
    value["BS"] = in_order("BS", content)
    return size


def _check_binary(value: dict[str, Any], content: Any, depth: int) -> int:
    return check_base64(content)


def check_base64(content: Any) -> int:
    """Size in bytes of what a base-64 text holds. SerializationException when it is none."""
    if content.__class__ is not str:
        if isinstance(content, list):
            raise SerializationException("Unrecognized collection type class java.nio.ByteBuffer")
        if isinstance(content, dict):
            raise SerializationException("Start of structure or map found where not expected")
        raise SerializationException("only base-64-encoded strings are convertible to bytes")
    if len(content) % 4:
        raise SerializationException(
            f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(content)}"
        )
    try:
        data = a2b_base64(content, strict_mode=True) if content else b""
    except (Base64Error, ValueError):
        raise SerializationException("Invalid last non-pad Base64 character dectected") from None
    if b2a_base64(data, newline=False).decode() != content:
        raise SerializationException("Invalid last non-pad Base64 character dectected")
    return len(data)


_CHECKS: dict[str, Callable[[dict[str, Any], Any, int], int]] = {
    "B": _check_binary,
    "BOOL": _check_boolean,
    "NULL": _check_null,
    "M": _check_map,
    "L": _check_list,
    "SS": _check_string_set,
    "NS": _check_number_set,
    "BS": _check_binary_set,
}


def type_of(value: AttributeValue) -> str:
    """The value's one type: `S`, `N`, …"""
    for kind in value:
        return kind
    raise AssertionError("a validated attribute value has one member")


def in_order(kind: str, elements: list[str]) -> list[str]:
    """A set's elements as they are kept and answered: strings by UTF-8, numbers by value, binaries by bytes.

    AWS documents no order of a set; this is DynamoDB Local's, and what suites of mappers compare with.
    """
    return sorted(elements, key=_ORDERS[kind])


_ORDERS: dict[str, Callable[[str], Any] | None] = {"SS": None, "NS": Decimal, "BS": a2b_base64}


def equal(left: AttributeValue, right: AttributeValue) -> bool:
    """AWS's equality of two validated values: same type, same content, sets without order."""
    if left == right:
        return True
    (kind,) = left
    if kind not in right:
        return False
    ours, theirs = left[kind], right[kind]
    if kind in SET_TYPES:
        return len(ours) == len(theirs) and set(ours) == set(theirs)
    if kind == "L":
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if kind == "M":
        return ours.keys() == theirs.keys() and all(equal(ours[name], theirs[name]) for name in ours)
    return False


def compare(left: AttributeValue, right: AttributeValue) -> int | None:
    """−1, 0 or 1 for two strings (by UTF-8), numbers or binaries (unsigned bytes); None when they have no order."""
    (kind,) = left
    if kind not in right:
        return None
    ours: Any = left[kind]
    theirs: Any = right[kind]
    if kind == "N":
        return compare_numbers(ours, theirs)
    if kind == "B":
        ours, theirs = a2b_base64(ours), a2b_base64(theirs)
    elif kind != "S":
        return None
    # Python orders strings by code point, which is the order of their UTF-8 bytes.
    return int(ours > theirs) - int(ours < theirs)
