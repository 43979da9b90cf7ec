"""What differs between two answers, or between two tables after equal answers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.differential.exchange import Answer
from tests.differential.known import KNOWN, Known

READS = {"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}


@dataclass(frozen=True)
class Difference:
    """`what` is one of these.

    status, error, message, document, capacity, reasons (of a refusal): of the answers. number-text: documents agree
    but for how equal numbers are written. state: the answers are equal and the tables are not. nothing-made: the other
    table has more items, of keys alone.
    """

    what: str
    known: Known | None
    diverges: bool


def difference(operation: str, document: Any, ours: Answer, theirs: Answer) -> Difference | None:
    """The first thing in which the two answers differ, or None."""
    what = _what(operation, document, ours, theirs)
    if what is None:
        return None
    return Difference(what, _known(operation, what, ours, theirs), operation not in READS)


def state_difference(operation: str, tables: Sequence[Answer]) -> Difference | None:
    """What differs between the `tables` (a Scan of each, all of it) after a write that answered alike, or None."""
    ours, theirs = tables
    left, right = ({_text(item) for item in table.document["Items"]} for table in tables)
    if left == right:
        return None
    more = [json.loads(item) for item in right - left]
    what = "state"
    if left < right and all(item.keys() == {"p", "s"} for item in more):
        what = "nothing-made"
    elif {_text(even(json.loads(item))) for item in left} == {_text(even(json.loads(item))) for item in right}:
        what = "number-text"
    return Difference(what, _known(operation, what, ours, theirs), True)


def _known(operation: str, what: str, ours: Answer, theirs: Answer) -> Known | None:
    for entry in KNOWN:
        if (
            re.fullmatch(entry.operation, operation) is not None
            and re.fullmatch(entry.what, what) is not None
            and re.search(entry.ours, ours.text, re.DOTALL) is not None
            and re.search(entry.theirs, theirs.text, re.DOTALL) is not None
        ):
            return entry
    return None


def _what(operation: str, document: Any, ours: Answer, theirs: Answer) -> str | None:
    if ours.status != theirs.status:
        return "status"
    for field in ("error", "message"):
        if getattr(ours, field) != getattr(theirs, field):
            return field
    if ours.error:
        return None if ours.document == theirs.document else "reasons"
    left, right = dict(ours.document), dict(theirs.document)
    consumed = left.pop("ConsumedCapacity", None), right.pop("ConsumedCapacity", None)
    if not _same(operation, document, left, right):
        return "number-text" if _same(operation, document, even(left), even(right)) else "document"
    return None if consumed[0] == consumed[1] else "capacity"


def _same(operation: str, document: Any, left: dict[str, Any], right: dict[str, Any]) -> bool:
    if left == right:
        return True
    if operation in ("Scan", "ExecuteStatement") or "IndexName" in document:
        # Partitions follow each other by a hash that is each server's own, and so do equal keys of an index.
        if "Limit" in document or "TotalSegments" in document or "ExclusiveStartKey" in document:
            return True
        return _unordered(left) == _unordered(right)
    if operation == "BatchGetItem":
        return _unordered(left.get("Responses", {})) == _unordered(right.get("Responses", {}))
    return False


def _unordered(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(part, key=_text) if isinstance(part, list) else part for name, part in answer.items()}


def _text(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


def even(document: Any) -> Any:
    """`document` with equal numbers written alike."""
    if isinstance(document, dict):
        if len(document) == 1:
            kind, content = next(iter(document.items()))
            if kind == "N" and isinstance(content, str):
                return {kind: _number(content)}
            if kind == "NS" and isinstance(content, list):
                return {kind: sorted(map(_number, content))}
        return {name: even(part) for name, part in document.items()}
    return [even(part) for part in document] if isinstance(document, list) else document


def _number(text: Any) -> str:
    try:
        number = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        return str(text)
    return str(number.normalize()) if number else "0"
