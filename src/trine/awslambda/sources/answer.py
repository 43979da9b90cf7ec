"""What a function's answer means for its batch: done, failed, or failed from one record on.

Pure. Developer guide, "Reporting batch item failures": an empty list, an empty or null answer is a complete success
(so is `[]`, as recorded against AWS by public tests); an item without identifier, with an empty one or with one that
is not in the batch is a complete failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

KEY = "batchItemFailures"


class Verdict(NamedTuple):
    """`failed` are positions in the batch, in order; `complete` when all of it failed, whatever they are."""

    complete: bool
    failed: Sequence[int]
    why: str = ""


SUCCESS = Verdict(False, ())


def item_failures(payload: bytes, identifiers: Sequence[str]) -> Verdict:
    """The verdict of an answer to a batch with these identifiers (sequence numbers or message ids)."""
    try:
        answer = orjson.loads(payload) if payload else None
    except orjson.JSONDecodeError:
        return Verdict(True, (), "the answer is not JSON")
    return failures_of(answer, identifiers)


def failures_of(answer: Any, identifiers: Sequence[str]) -> Verdict:
    """As `item_failures`, of a parsed answer."""
    if not isinstance(answer, dict) or answer.get(KEY) is None:
        return SUCCESS if isinstance(answer, dict) or not answer else Verdict(True, (), "the answer is no object")
    listed = answer[KEY]
    if not isinstance(listed, list):
        return Verdict(True, (), f"{KEY} is no list")
    places = {identifier: index for index, identifier in enumerate(identifiers)}
    failed: set[int] = set()
    for item in listed:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        place = places.get(identifier) if isinstance(identifier, str) else None
        if place is None:
            return Verdict(True, (), f"an item of {KEY} names no record of the batch")
        failed.add(place)
    return Verdict(False, sorted(failed))
