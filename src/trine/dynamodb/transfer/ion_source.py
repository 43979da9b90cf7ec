"""Items of a file in Amazon Ion, text or binary, read by Amazon's own package (extra `ion`); loaded when it is needed.

Plain bytes enter; items leave, each with what is wrong with it when something is. Source: "Amazon S3 import formats for
DynamoDB", section Amazon Ion; integers and nulls are taken beside what it lists, since exports and people write them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, BinaryIO

from amazon.ion import simpleion
from amazon.ion.exceptions import IonException
from amazon.ion.simple_types import IonPyNull

from trine.dynamodb.limits import DOCUMENT_MAX_LEVELS
from trine.dynamodb.model.attribute import AttributeValue, Item
from trine.dynamodb.transfer.buckets import TransferFault

_SETS = ("SS", "NS", "BS")


def read_items(source: BinaryIO) -> Iterator[tuple[Item | None, str]]:
    """Every item of a file, or what is wrong with it. TransferFault when the file is no Ion from some place on."""
    values = simpleion.load(source, single_value=False, parse_eagerly=False)
    while True:
        try:
            found = next(values, None)
        except IonException as fault:
            raise TransferFault("InvalidSourceFile", f"not Amazon Ion: {fault}") from fault
        if found is None:
            return
        # Items stand one after the other, or all in one list.
        for one in found if _type(found) == "LIST" else (found,):
            yield _item(one)


def _item(found: Any) -> tuple[Item | None, str]:
    item = found.get("Item") if _type(found) == "STRUCT" else None
    if item is None or _type(item) != "STRUCT":
        return None, 'the value is no struct with a struct "Item"'
    try:
        return {name: _attribute(value, 1) for name, value in item.items()}, ""
    except _NoAttribute as fault:
        return None, str(fault)


class _NoAttribute(Exception):
    """An Ion value that no attribute can have."""


def _attribute(value: Any, depth: int) -> AttributeValue:
    if depth > DOCUMENT_MAX_LEVELS + 1:  # what is one level too deep is told as everywhere
        raise _NoAttribute(f"values are nested more than {DOCUMENT_MAX_LEVELS} levels deep")
    kind = _type(value)
    match kind:
        case "STRING":
            return {"S": str(value)}
        case "DECIMAL" | "INT":
            return {"N": str(value)}
        case "BLOB":
            return {"B": b64encode(bytes(value)).decode()}
        case "BOOL":
            return {"BOOL": bool(value)}
        case "NULL":
            return {"NULL": True}
        case "STRUCT":
            return {"M": {name: _attribute(part, depth + 1) for name, part in value.items()}}
        case "LIST":
            parts = [_attribute(part, depth + 1) for part in value]
            for token in value.ion_annotations:
                if (of := (token.text or "").removeprefix("$dynamodb_")) in _SETS:
                    return {of: _members(parts, of)}
            return {"L": parts}
    raise _NoAttribute(f"Ion's {kind.lower()} has no type in DynamoDB")


def _members(parts: list[AttributeValue], kind: str) -> list[str]:
    if any(kind[0] not in part for part in parts):
        raise _NoAttribute(f"a set of type {kind} has a value of another type")
    return [part[kind[0]] for part in parts]


def _type(value: Any) -> str:
    if isinstance(value, IonPyNull):  # of whatever type
        return "NULL"
    return str(value.ion_type.name)
