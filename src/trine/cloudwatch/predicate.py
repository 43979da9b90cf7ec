"""Predicates joined: what rules of composite alarms and search expressions are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Of = TypeVar("Of")
Predicate = Callable[[Of], bool]


def both(left: Predicate[Of], right: Predicate[Of]) -> Predicate[Of]:
    """Holds where `left` and `right` hold; `right` is not asked where `left` does not."""
    return lambda value: left(value) and right(value)


def one_of(left: Predicate[Of], right: Predicate[Of]) -> Predicate[Of]:
    """Holds where `left` or `right` holds; `right` is not asked where `left` does."""
    return lambda value: left(value) or right(value)


def negation(of: Predicate[Of]) -> Predicate[Of]:
    """Holds where `of` does not."""
    return lambda value: not of(value)
