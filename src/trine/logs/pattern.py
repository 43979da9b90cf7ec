"""CloudWatch Logs' filter patterns: text in, a predicate over messages out.

Three languages, told apart by the first character: words (`ERROR -debug ?a ?b "a phrase" %regex%`), JSON
(`{ $.status = 5* && $.bytes > 100 }`) and fields (`[ip, user, status=4*]`). Source: CloudWatch Logs user guide, "Filter
pattern syntax for metric filters, subscription filters, filter log events, and Live Tail". Raises InvalidPattern.
"""

from __future__ import annotations

import re
from functools import lru_cache

from trine.logs.errors import InvalidPattern
from trine.logs.pattern_term import Predicate, compile_regex, unquote

PATTERN_MAX_CHARACTERS = 1_024
"""FilterLogEvents: `filterPattern`, at most 1,024 characters."""
_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|([^\s"%]\S*))')
REGEXES_MAX = 2
"""User guide: at most two regular expressions in one pattern."""


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Predicate:
    """What a filter pattern lets through; an empty one everything. Raises InvalidPattern."""
    if len(text) > PATTERN_MAX_CHARACTERS:
        raise InvalidPattern(f"the filter pattern has {len(text)} characters; at most {PATTERN_MAX_CHARACTERS}")
    stripped = text.strip()
    if not stripped:
        return lambda message: True
    if stripped.startswith("{"):
        from trine.logs.pattern_json import compile_json

        return compile_json(stripped)
    if stripped.startswith("["):
        from trine.logs.pattern_fields import compile_fields

        return compile_fields(stripped)
    return _compile_words(stripped)


def _compile_words(text: str) -> Predicate:
    wanted: list[Predicate] = []
    optional: list[Predicate] = []
    unwanted: list[Predicate] = []
    at = regexes = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise InvalidPattern(f"the filter pattern cannot be read at {text[at : at + 20]!r}")
        at = found.end()
        sign, phrase, regex, word = found.groups()
        if regex is not None:
            regexes += 1
            if regexes > REGEXES_MAX:
                raise InvalidPattern(f"a filter pattern may hold {REGEXES_MAX} regular expressions")
        {"": wanted, "?": optional, "-": unwanted}[sign].append(_term(phrase, regex, word))
        while at < len(text) and text[at].isspace():
            at += 1
    # User guide: beside terms that must be there, optional ones say nothing.
    needed = wanted

    def matches(message: str) -> bool:
        if any(term(message) for term in unwanted):
            return False
        if needed:
            return all(term(message) for term in needed)
        return not optional or any(term(message) for term in optional)

    return matches


def _term(phrase: str | None, regex: str | None, word: str | None) -> Predicate:
    if regex is not None:
        return compile_regex(regex)
    wanted = unquote(phrase) if phrase is not None else (word or "")
    return lambda message: wanted in message
