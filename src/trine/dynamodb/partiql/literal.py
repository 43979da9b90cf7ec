"""PartiQL literals as attribute values: strings, numbers, booleans, null, lists, structs and bags (sets).

A `Reader` at a literal enters, a validated attribute value leaves. Where inside the value a fault lies is told as AWS
tells it: `under root.a[0]`.
"""

from __future__ import annotations

from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import DOCUMENT_MAX_LEVELS
from trine.dynamodb.model.attribute import AttributeValue, in_order
from trine.dynamodb.model.number import normalise
from trine.dynamodb.partiql.reader import Reader
from trine.dynamodb.partiql.token import NUMBER, PARAMETER, QUOTED, STRING, not_well_formed

_INVALID = "One or more parameter values were invalid: "
_MAX_INT32 = 2**31 - 1
_OPENING = frozenset((STRING, NUMBER, "{", "[", "<<", "+", "-"))
_WORDS: dict[str, AttributeValue] = {"TRUE": {"BOOL": True}, "FALSE": {"BOOL": False}, "NULL": {"NULL": True}}


def is_literal(reader: Reader) -> bool:
    """Whether a literal comes."""
    return reader.token.kind in _OPENING or reader.token.keyword in _WORDS


def literal(reader: Reader, place: str = "root", depth: int = 1) -> AttributeValue:
    """The literal that comes. ValidationException."""
    if depth > DOCUMENT_MAX_LEVELS:
        raise ValidationException(f"Nesting Levels have exceeded supported limits under {place}")
    token = reader.token
    if token.kind == STRING:
        return {"S": reader.advance().text}
    if token.kind in (NUMBER, "+", "-"):
        return {"N": _number(reader, place)[0]}
    if token.keyword in _WORDS:
        reader.advance()
        return dict(_WORDS[token.keyword])
    if reader.accept("["):
        return {"L": _list(reader, place, depth)}
    if reader.accept("{"):
        return {"M": _struct(reader, place, depth)}
    if reader.accept("<<"):
        return _bag(reader, place)
    if token.kind == PARAMETER:
        raise ValidationException(f"Unsupported data type: Parameter under key {place} {token.place}")
    if reader.next_is_call():
        raise ValidationException(f"Unsupported data type: {token.text.lower()} under key {place} {token.place}")
    if token.keyword == "MISSING":
        raise ValidationException("MISSING must be compared using IS operator")
    if reader.is_name():
        raise ValidationException(f"Unsupported data type: {token.text} under key {place} {token.place}")
    raise reader.unexpected()


def _number(reader: Reader, place: str) -> tuple[str, str]:
    """The number normalised, and as written."""
    negative = False
    while reader.token.kind in ("+", "-"):
        negative ^= reader.advance().kind == "-"
    text = reader.expect(NUMBER).text
    mantissa, _, exponent = text.lower().partition("e")
    # Written as Java's BigDecimal is: exponent and scale fit 32 bits, or the statement cannot be read at all.
    if exponent:
        power = int(exponent) if len(exponent) < 12 else _MAX_INT32 + 1
        scale = len(mantissa.partition(".")[2]) - power
        if abs(power) > _MAX_INT32 or abs(scale) > _MAX_INT32:
            raise not_well_formed()
    try:
        plain = normalise(f"-{text}" if negative else text)
    except ValidationException as error:
        raise ValidationException(f"{error.message} under {place}") from None
    return plain, f"-{text}" if negative else text


def _list(reader: Reader, place: str, depth: int) -> list[AttributeValue]:
    elements: list[AttributeValue] = []
    if reader.accept("]"):
        return elements
    while True:
        elements.append(literal(reader, f"{place}[{len(elements)}]", depth + 1))
        if not reader.accept(","):
            reader.expect("]")
            return elements


def _struct(reader: Reader, place: str, depth: int) -> dict[str, AttributeValue]:
    members: dict[str, AttributeValue] = {}
    if reader.accept("}"):
        return members
    while True:
        name = struct_key(reader, members, place)
        members[name] = literal(reader, f"{place}.{name}", depth + 1)
        if not reader.accept(","):
            reader.expect("}")
            return members


def struct_key(reader: Reader, members: dict[str, Any], place: str = "root") -> str:
    """A struct's next key with its colon; it must not be among `members` already."""
    token = reader.token
    if token.kind not in (STRING, QUOTED):
        if token.kind == NUMBER:
            raise ValidationException(f"Tuple keys must be of type String. Actual type: NUMERIC under {place}")
        raise reader.unexpected()
    reader.advance()
    reader.expect(":")
    if token.text in members:
        raise ValidationException(f"Duplicate keys in tuple. Key: {token.text} under {place}")
    if not token.text:
        raise ValidationException(f"{_INVALID}Empty attribute name")
    return token.text


def _bag(reader: Reader, place: str) -> AttributeValue:
    kinds: set[str] = set()
    elements: list[str] = []
    written: list[str] = []
    while not reader.accept(">>"):
        if elements:
            reader.expect(",")
        kind = reader.token.kind
        if kind == STRING:
            kinds.add("SS")
            elements.append(reader.advance().text)
            written.append(elements[-1])
        elif kind in (NUMBER, "+", "-"):
            kinds.add("NS")
            plain, text = _number(reader, place)
            elements.append(plain)
            written.append(text)
        elif kind == "end":
            raise reader.unexpected()
        else:
            kinds.add("?")
            break
    if not elements and not kinds:
        raise ValidationException("Empty bags are not supported")
    if len(kinds) > 1 or "?" in kinds:
        raise ValidationException(
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
        )
    kind = kinds.pop()
    if len(set(elements)) != len(elements):
        end = f"! under {place}" if kind == "NS" else "."
        raise ValidationException(f"{_INVALID}Input collection [{', '.join(written)}] contains duplicates{end}")
    return {kind: in_order(kind, elements)}
