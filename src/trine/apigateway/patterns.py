"""Regular expressions that templates bring along, matched in bounded time.

Python's engine backtracks: `(a+)+b` takes for ever on thirty letters. The text a pattern may look at shrinks with every
further unbounded repetition, so that no match costs more than a few milliseconds. A pattern with a repetition or an
alternative inside an unbounded repetition, such as `([a-z]+-)*[a-z]+`, may cost anything: the `regex` package, loaded
when the first one comes, runs it on short texts and gives up after `RISKY_SECONDS` of processor time.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

PATTERN_CHARACTERS = 2_000
"""Longest pattern taken."""
_SUBJECT_CHARACTERS = (1_000_000, 1_000_000, 20_000, 2_000, 500)
"""Longest text for a pattern with 0, 1, 2, 3 or more unbounded repetitions."""
_SHORTEST = 100
RISKY_CHARACTERS = 2_000
"""Longest text for a pattern that could explode."""
RISKY_SECONDS = 0.05
"""Processor time that one match of such a pattern may take."""


class PatternRefused(ValueError):
    """The pattern is no regular expression, its text is too long for it, or the match takes too long."""


class _Risky(Exception):
    """The pattern could explode."""


class Pattern:
    """A compiled pattern that knows how long its text may be."""

    __slots__ = ("_compiled", "_limits", "_longest", "source")

    def __init__(self, source: str) -> None:
        if len(source) > PATTERN_CHARACTERS:
            raise PatternRefused(f"a pattern of {len(source)} characters is too long")
        self.source = source
        self._compiled: Any
        self._limits: dict[str, float] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # FutureWarning of possible set differences; Java's meaning is ours
                self._compiled = re.compile(source)
                tree = re._parser.parse(source)  # type: ignore[attr-defined]
        except (re.error, RecursionError, OverflowError) as error:
            raise PatternRefused(f"not a regular expression: {source!r}: {error}") from None
        try:
            repetitions = _unbounded(tree, inside=False)
        except _Risky:
            self._compile_risky()
            return
        index = min(repetitions, len(_SUBJECT_CHARACTERS) - 1)
        self._longest = _SUBJECT_CHARACTERS[index] if repetitions < 8 else _SHORTEST

    @property
    def risky(self) -> bool:
        """It could explode, and is matched within limits of time."""
        return bool(self._limits)

    def _compile_risky(self) -> None:
        regex: Any = import_module("regex")
        self._longest = RISKY_CHARACTERS
        self._limits = {"timeout": RISKY_SECONDS}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._compiled = regex.compile(self.source)
        except regex.error as error:
            raise PatternRefused(f"not a regular expression: {self.source!r}: {error}") from None

    @contextmanager
    def _bounded(self, text: str) -> Iterator[None]:
        """Whatever is matched inside ends. PatternRefused when it would not, or `text` is too long."""
        self._check(text)
        try:
            yield
        except TimeoutError:
            raise PatternRefused(f"{self.source!r} takes too long on this text") from None

    def _check(self, text: str) -> None:
        if len(text) > self._longest:
            raise PatternRefused(f"a text of {len(text)} characters is too long for {self.source!r}")

    def matches(self, text: str) -> bool:
        """Does the whole `text` match, as Java's `matches` means it?"""
        with self._bounded(text):
            return self._compiled.fullmatch(text, **self._limits) is not None

    def found_in(self, text: str) -> bool:
        """Is there a match anywhere in `text`, as JSON schema's `pattern` means it?"""
        with self._bounded(text):
            return self._compiled.search(text, **self._limits) is not None

    def replace(self, text: str, replacement: str, count: int = 0) -> str:
        """Java's `replaceAll` (`count` 0) or `replaceFirst` (1); `$1` in the replacement is a group."""
        groups = self._compiled.groups

        def fill(match: re.Match[str]) -> str:
            return re.sub(
                r"\\(.)|\$(\d)",
                lambda m: m[1] if m[1] is not None else (match[int(m[2])] or "") if int(m[2]) <= groups else m[0],
                replacement,
            )

        with self._bounded(text):
            return str(self._compiled.sub(fill, text, count=count, **self._limits))

    def split(self, text: str) -> list[str]:
        """Java's `split`: empty parts at the end are dropped."""
        with self._bounded(text):
            parts = [part or "" for part in self._compiled.split(text, **self._limits)]
        while parts and not parts[-1]:
            parts.pop()
        return parts or [""]


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> Pattern:
    """The pattern of `source`, remembered. PatternRefused when it is broken."""
    return Pattern(source)


def _unbounded(tree: Any, *, inside: bool) -> int:
    """How many unbounded repetitions `tree` has. _Risky when one holds a repetition or an alternative."""
    count = 0
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = argument
            many = int(high) > 64
            if inside and int(high) != int(low):
                raise _Risky
            count += _unbounded(inner, inside=inside or many) * (1 if many else max(1, int(high))) + many
        elif name == "BRANCH":
            if inside:
                raise _Risky
            count += sum(_unbounded(branch, inside=False) for branch in argument[1])
        elif name == "SUBPATTERN":
            count += _unbounded(argument[3], inside=inside)
        elif name in ("ASSERT", "ASSERT_NOT"):
            count += _unbounded(argument[1], inside=inside)
        elif name == "ATOMIC_GROUP":
            count += _unbounded(argument, inside=inside)
        elif name == "GROUPREF_EXISTS":
            for branch in argument[1:]:
                if branch is not None:
                    count += _unbounded(branch, inside=inside)
    return count
