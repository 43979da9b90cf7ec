"""What operations have in common: the shapes they take and give, and answers in pages by a token."""

from __future__ import annotations

import base64
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from trine.cloudwatch.errors import InvalidNextToken

Input = Mapping[str, Any]
Output = dict[str, Any]
Pending = list[Future[None]]
"""What must be durable before the answer goes out."""
Run = Callable[[Input, Pending], Output]
"""One operation."""
One = TypeVar("One")


def page_of(found: Sequence[One], token: Any, count: int) -> tuple[Sequence[One], Output]:
    """The page that a token asks for, and `NextToken` when it is not the last. InvalidNextToken."""
    skipped = offset_of(token)
    more = len(found) > skipped + count
    return found[skipped : skipped + count], {"NextToken": token_of(skipped + count)} if more else {}


def offset_of(token: Any) -> int:
    """How many were answered before. InvalidNextToken."""
    if token is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(str(token)[:64]).decode()))
    except ValueError:
        raise InvalidNextToken("The token is none that was given out.") from None


def token_of(offset: int) -> str:
    """The token that goes on after so many."""
    return base64.urlsafe_b64encode(str(offset).encode()).decode()
