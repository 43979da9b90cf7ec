"""Items as Amazon Ion's text, for exports; `ion_source` reads them.

Attributes enter, a line leaves. Source: "DynamoDB table export output format", section Amazon Ion. To write needs no
library: Ion's strings, lists and structs are written as JSON's are.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import orjson

from trine.dynamodb.model.attribute import AttributeValue

_VERSION = b"$ion_1_0 "


def exported_struct(members: Mapping[str, AttributeValue]) -> bytes:
    """A line with a struct of several values: the version marker first, as in each line of AWS's files."""
    return _VERSION + _struct(members) + b"\n"


def _struct(members: Mapping[str, AttributeValue]) -> bytes:
    return b"{" + b",".join([orjson.dumps(name) + b":" + _value(value) for name, value in members.items()]) + b"}"


def _value(value: AttributeValue) -> bytes:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return orjson.dumps(content)
        case "N":
            return _decimal(content)
        case "B":
            return b"{{%b}}" % content.encode()
        case "BOOL":
            return b"true" if content else b"false"
        case "NULL":
            return b"null"
        case "L":
            return b"[" + b",".join([_value(part) for part in content]) + b"]"
        case "M":
            return _struct(content)
    parts = [_value({kind[0]: part}) for part in content]
    return b"$dynamodb_" + kind.encode() + b"::[" + b",".join(parts) + b"]"


def _decimal(text: str) -> bytes:
    """Digits and a power of ten, as AWS's examples have it: `103.`, `6d2`, `1.5`."""
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    assert isinstance(exponent, int)
    written = "-" * sign + "".join(map(str, digits))
    if exponent == 0:
        return f"{written}.".encode()
    if -len(digits) < exponent < 0:
        return f"{written[:exponent]}.{written[exponent:]}".encode()
    return f"{written}d{exponent}".encode()
