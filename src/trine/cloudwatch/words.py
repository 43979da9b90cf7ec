"""The words of a text that people write: metric math, searches, rules of composite alarms. Pure.

Enters a text and the pattern of its words, with space before them and a named group for each kind; leaves the word at
hand, from left to right. A reader of one of these languages is `Words` with its grammar.
"""

from __future__ import annotations

import re

from trine.cloudwatch.errors import ValidationError


class Words:
    """Reads from left to right; the word at hand is `kind` and `value`, both empty at the end."""

    def __init__(self, text: str, word: re.Pattern[str]) -> None:
        self.text = text
        self.kind = self.value = ""
        self._pattern, self._at = word, 0
        self.next()

    def next(self) -> None:
        """Step to the next word. ValidationError when there is something else."""
        found = self._pattern.match(self.text, self._at)
        if found is None:
            if rest := self.text[self._at :].strip():
                raise self.strange(rest)
            self.kind = self.value = ""
            return
        self._at = found.end()
        self.kind = str(found.lastgroup)
        self.value = found[self.kind]

    def is_sign(self, sign: str) -> bool:
        """Whether this sign is at hand."""
        return self.kind == "sign" and self.value == sign

    def take(self, sign: str) -> None:
        """Step over a sign that must be at hand. ValidationError."""
        if not self.is_sign(sign):
            raise self.wrong()
        self.next()

    def wrong(self) -> ValidationError:
        """What to say of the word at hand."""
        return ValidationError(f"unexpected {self.value[:40] or 'end'!r}.")

    def strange(self, rest: str) -> ValidationError:
        """What to say of a text that goes on with no word."""
        return self.wrong()
