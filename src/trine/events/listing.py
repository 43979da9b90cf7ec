"""The lists of both APIs, cut into pages. Enters what was found, leaves an output's members, or `Invalid`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trine.aws.pages import page
from trine.events.errors import Invalid

PAGE_MAX = 100
"""API references, `Limit` and `MaxResults`: 1 to 100."""


def one_page(given: Mapping[str, Any], member: str, found: Sequence[Any], size: str) -> dict[str, Any]:
    """The page of `found` that `NextToken` and the member `size` of the input ask for, under `member`."""
    try:
        items, token = page(found, given.get("NextToken"), int(given.get(size) or PAGE_MAX))
    except ValueError:
        raise Invalid("Invalid NextToken") from None
    return {member: items} if token is None else {member: items, "NextToken": token}
