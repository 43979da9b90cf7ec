"""Pages of lists whose token is a position.

Enters all items, the token that the caller gave and how many it wants; leaves the page and the token of the next one,
None on the last. A token of nobody's is a ValueError: each service has its own error for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
_TOKEN_MAX_CHARACTERS = 9


def page(items: Sequence[Item], token: Any, count: int) -> tuple[list[Item], str | None]:
    """(`count` of `items` from the position that `token` names, the token of what comes after them). ValueError."""
    text = str(token or "0")
    if not (text.isascii() and text.isdigit() and len(text) <= _TOKEN_MAX_CHARACTERS):
        raise ValueError("the token is none")
    end = int(text) + count
    return list(items[int(text) : end]), str(end) if end < len(items) else None
