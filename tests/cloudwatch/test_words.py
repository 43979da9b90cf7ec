"""Words from left to right, whatever the language."""

from __future__ import annotations

import re

import pytest

from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.words import Words

WORD = re.compile(r"\s*(?:(?P<name>[a-z]+)|(?P<sign>[()]))")


def test_the_word_at_hand_goes_from_left_to_right() -> None:
    words, found = Words("  sum (\n a )  ", WORD), []
    while words.kind:
        found.append((words.kind, words.value))
        words.next()
    assert found == [("name", "sum"), ("sign", "("), ("name", "a"), ("sign", ")")]
    words.next()
    assert (words.kind, words.value) == ("", "")


def test_a_sign_that_must_come() -> None:
    words = Words("(a", WORD)
    words.take("(")
    with pytest.raises(ValidationError, match="unexpected 'a'"):
        words.take(")")


def test_what_is_no_word_is_refused() -> None:
    words = Words("a ?", WORD)
    with pytest.raises(ValidationError):
        words.next()
