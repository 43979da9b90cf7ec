"""The space-delimited form of filter patterns: `[ip, user, ..., status=4*, bytes > 1000]`.

A message is cut into fields at spaces; what stands in brackets or quotation marks is one field. Enters the text, leaves
a predicate over messages. Raises InvalidPattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from trine.logs.errors import InvalidPattern
from trine.logs.pattern_json import as_number, compare, wildcard
from trine.logs.pattern_term import Predicate, compile_regex, unquote

FieldTest = Callable[[str], bool]
_FIELD = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_CONDITION = re.compile(
    r'\s*([A-Za-z_][\w.\-]*)\s*(=|!=|<=|>=|<|>)\s*(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|([^\s&|,"]+))\s*'
)
_NAME = re.compile(r"\s*[A-Za-z_][\w.\-]*\s*")


def compile_fields(text: str) -> Predicate:
    """The predicate of a field pattern. Raises InvalidPattern."""
    if not text.endswith("]"):
        raise InvalidPattern("the filter pattern has no closing ]")
    parts = _split(text[1:-1])
    tests = [None if part.strip() == "..." else _field(part) for part in parts]
    gaps = tests.count(None)
    if gaps > 1:
        raise InvalidPattern("a filter pattern may hold ... once")
    gap = tests.index(None) if gaps else len(tests)
    before = [test for test in tests[:gap] if test is not None]
    after = [test for test in tests[gap + 1 :] if test is not None]

    def matches(message: str) -> bool:
        fields = fields_of(message)
        if len(fields) < len(before) + len(after) or (not gaps and len(fields) != len(before)):
            return False
        tail = fields[len(fields) - len(after) :]
        return _all(before, fields) and _all(after, tail)

    return matches


def field_named(pattern: str, name: str) -> Callable[[str], str | None] | None:
    """What picks the field of that name of messages that fit `pattern`; None when it has no such field."""
    names = []
    for part in _split(pattern.strip()[1:-1]):
        found = re.match(r"[\s(]*(\.\.\.|[A-Za-z_][\w.\-]*)", part)
        names.append(found[1] if found is not None else "")
    if name not in names:
        return None
    place = names.index(name)
    if "..." in names[:place]:
        place -= len(names)  # counted from the end

    def picked(message: str) -> str | None:
        fields = fields_of(message)
        return fields[place] if -len(fields) <= place < len(fields) else None

    return picked


def fields_of(message: str) -> list[str]:
    """A message's fields."""
    return [quoted or bracketed or plain for quoted, bracketed, plain in _FIELD.findall(message)]


def _all(tests: Sequence[FieldTest], fields: Sequence[str]) -> bool:
    return all(test(field) for test, field in zip(tests, fields, strict=False))


def _split(text: str) -> list[str]:
    parts, at, quoted = [""], 0, False
    for at, character in enumerate(text):
        if character == '"' and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        if character == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _field(text: str) -> FieldTest:
    if _NAME.fullmatch(text):
        return lambda field: True
    alternatives = [
        [_condition(part) for part in one.split("&&")] for one in text.replace("(", " ").replace(")", " ").split("||")
    ]
    return lambda field: any(all(test(field) for test in tests) for tests in alternatives)


def _condition(text: str) -> FieldTest:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise InvalidPattern(f"the filter pattern cannot be read at {text.strip()!r}")
    _, operator, phrase, regex, word = found.groups()
    if regex is not None:
        found_in = compile_regex(regex)
        return lambda field: found_in(field) is (operator == "=")
    number = None if phrase is not None else as_number(word)
    if number is not None:
        return lambda field: (own := as_number(field)) is not None and compare(own, operator, number)
    if operator not in ("=", "!="):
        raise InvalidPattern(f"{operator} compares numbers, not {word or phrase!r}")
    matches = wildcard(unquote(phrase) if phrase is not None else word)
    return lambda field: matches(field) is (operator == "=")
