"""What was made of a text is kept by text, in bounded memory: many short texts, few long ones.

An application repeats a few dozen expressions; what a stranger sends must not fill the memory. A compiled condition
takes up to 120 times the length of its text (measured on nothing but comparisons): 512 × 256 characters and 32 × 4 KB
come to 32 MB at the very worst.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from trine.dynamodb.limits import CACHED_LONG_TEXTS_MAX_COUNT, CACHED_SHORT_TEXTS_MAX_COUNT, SHORT_TEXT_MAX_CHARACTERS

Made = TypeVar("Made")


def cached_by_text(make: Callable[[str, str], Made]) -> Callable[[str, str], Made]:
    """`make(text, parameter)`, remembered; what raises is not."""
    short = lru_cache(CACHED_SHORT_TEXTS_MAX_COUNT)(make)
    long = lru_cache(CACHED_LONG_TEXTS_MAX_COUNT)(make)

    def cached(text: str, parameter: str) -> Made:
        return short(text, parameter) if len(text) <= SHORT_TEXT_MAX_CHARACTERS else long(text, parameter)

    return cached
