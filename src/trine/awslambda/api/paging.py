"""Marker and MaxItems: a sorted listing cut into pages. Pure; raises InvalidParameterValue for a marker of nobody's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from trine.awslambda.errors import InvalidParameterValue

Item = TypeVar("Item")
PAGE_ITEMS = 50
"""API reference, ListFunctions and its like: at most 50 items a page, whatever MaxItems says."""


def page(
    items: Sequence[Item], key: Callable[[Item], str], given: Mapping[str, Any], most: int = PAGE_ITEMS
) -> tuple[Sequence[Item], str | None]:
    """(the page that Marker and MaxItems ask for, NextMarker). `items` are sorted by `key`."""
    if given.get("Marker"):
        after = _read(given["Marker"])
        items = [item for item in items if key(item) > after]
    wanted = items[: min(given.get("MaxItems") or most, most)]
    if len(wanted) == len(items):
        return wanted, None
    return wanted, _marker(key(wanted[-1]))


def listing(member: str, shown: Sequence[Any], marker: str | None) -> dict[str, Any]:
    """The output of a listing."""
    return {member: shown} if marker is None else {member: shown, "NextMarker": marker}


def _marker(key: str) -> str:
    # The stroke keeps the marker of an empty key from being empty itself: that would ask for the first page again.
    return base64.urlsafe_b64encode(f"{key}/".encode()).decode()


def _read(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode().removesuffix("/")
    except (binascii.Error, ValueError):
        raise InvalidParameterValue("Invalid Marker") from None
