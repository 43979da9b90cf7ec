"""Regular expressions that templates and callers bring along, matched in bounded time.

Python's engine backtracks: `(a+)+b` takes for ever on thirty letters, `.*.*=` on twenty thousand. A pattern with n
unbounded repetitions costs at worst the n-th power of the text's length, one more where a match is searched. While that
is little, Python's engine runs it; else, and for patterns with a repetition or an alternative inside an unbounded
repetition such as `([a-z]+-)*[a-z]+`, which may cost anything, the `regex` package, loaded when first needed, runs it
and gives up after `TIME_MAX_SECONDS` of processor time.
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
TEXT_CHARACTERS = 1_000_000
"""Longest text looked at."""
RISKY_CHARACTERS = 2_048
"""Longest text for a pattern that could explode; no text that AWS's models let through such a pattern is longer."""
SHORT_CHARACTERS = 128
"""Texts up to here are cheap for every pattern of AWS's models that cannot explode: 5 ms for the worst."""
PLAIN_STEPS = 2_000_000
"""Steps that Python's engine may need at worst, without a limit of time: some ten milliseconds."""
TIME_MAX_SECONDS = 0.05
"""Processor time that one match may take beyond that."""


class PatternRefused(ValueError):
    """The pattern is no regular expression, its text is too long for it, or the match takes too long."""


class _Risky(Exception):
    """The pattern could explode."""


class Pattern:
    """A compiled pattern that knows what it may cost."""

    __slots__ = ("_degree", "_plain", "_risky", "_timed", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._timed: Any = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # FutureWarning of possible set differences; Java's meaning is ours
                self._plain = re.compile(source)
                tree = re._parser.parse(source)  # type: ignore[attr-defined]
        except (re.error, RecursionError, OverflowError) as error:
            raise PatternRefused(f"not a regular expression: {source!r}: {error}") from None
        self._risky = False
        """It could explode."""
        self._degree = 0
        try:
            self._degree = _unbounded(tree, inside=False)
        except _Risky:
            self._risky = True
            self._with_limit()

    def _with_limit(self) -> Any:
        """The pattern for the engine that knows limits of time."""
        if self._timed is None:
            regex: Any = import_module("regex")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._timed = regex.compile(self.source)
            except regex.error as error:
                raise PatternRefused(f"not a regular expression: {self.source!r}: {error}") from None
        return self._timed

    @contextmanager
    def _bounded(self, text: str, *, searching: bool = True) -> Iterator[tuple[Any, dict[str, float]]]:
        """The engine and its limits for this text. Whatever is matched inside ends. PatternRefused when it would not,
        or `text` is too long."""
        if len(text) > (RISKY_CHARACTERS if self._risky else TEXT_CHARACTERS):
            raise PatternRefused(f"a text of {len(text)} characters is too long for {self.source!r}")
        if not self._risky and len(text) ** (self._degree + searching) <= PLAIN_STEPS:
            yield self._plain, {}
            return
        try:
            yield self._with_limit(), {"timeout": TIME_MAX_SECONDS}
        except TimeoutError:
            raise PatternRefused(f"{self.source!r} takes too long on this text") from None

    def matches(self, text: str) -> bool:
        """Does the whole `text` match, as Java's `matches` means it?"""
        with self._bounded(text, searching=False) as (engine, limits):
            return engine.fullmatch(text, **limits) is not None

    def fits(self, text: str) -> bool:
        """`matches` for a pattern of AWS's own and a caller's text, which has no match when that takes too long."""
        if not self._risky and len(text) <= SHORT_CHARACTERS:
            return self._plain.fullmatch(text) is not None
        try:
            return self.matches(text)
        except PatternRefused:
            return False

    def found_in(self, text: str) -> bool:
        """Is there a match anywhere in `text`, as JSON schema's `pattern` means it?"""
        with self._bounded(text) as (engine, limits):
            return engine.search(text, **limits) is not None

    @property
    def group_names(self) -> tuple[str, ...]:
        """The names of its groups, in their order."""
        return tuple(sorted(self._plain.groupindex, key=self._plain.groupindex.__getitem__))

    def named_groups(self, text: str) -> dict[str, str] | None:
        """What its named groups hold of the first match in `text`; None when there is no match."""
        with self._bounded(text) as (engine, limits):
            match = engine.search(text, **limits)
            if match is None:
                return None
            return {name: found for name, found in match.groupdict().items() if found is not None}

    def replace(self, text: str, replacement: str, count: int = 0) -> str:
        """Java's `replaceAll` (`count` 0) or `replaceFirst` (1); `$1` in the replacement is a group."""
        groups = self._plain.groups

        def fill(match: re.Match[str]) -> str:
            return re.sub(
                r"\\(.)|\$(\d)",
                lambda m: m[1] if m[1] is not None else (match[int(m[2])] or "") if int(m[2]) <= groups else m[0],
                replacement,
            )

        with self._bounded(text) as (engine, limits):
            return str(engine.sub(fill, text, count=count, **limits))

    def split(self, text: str) -> list[str]:
        """Java's `split`: empty parts at the end are dropped."""
        with self._bounded(text) as (engine, limits):
            parts = [part or "" for part in engine.split(text, **limits)]
        while parts and not parts[-1]:
            parts.pop()
        return parts or [""]


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> Pattern:
    """The pattern of `source`, remembered. PatternRefused when it is broken."""
    if len(source) > PATTERN_CHARACTERS:
        raise PatternRefused(f"a pattern of {len(source)} characters is too long")
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
