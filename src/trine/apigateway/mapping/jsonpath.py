"""JSONPath as `$input.path` and `$input.json` understand it: members, indexes, slices, wildcards, `..`, filters and the
functions `length() size() min() max() sum() avg() keys()`.

Enters a path and a JSON value; leaves the value a definite path names (None when it is missing), or the list of what an
indefinite path finds: None again when what stands before its first wildcard is missing, as Jayway's JsonPath, which the
tests were held against, throws there. Paths are read once and remembered; at most `FOUND_MAX` values are visited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from trine.apigateway.mapping.jsonpath_filter import MISSING, FilterInvalid, FilterReader, Find

FOUND_MAX = 100_000
PATH_CHARACTERS = 4_096


class Step(NamedTuple):
    """One step of a path."""

    definite: bool
    """It leads to one value at most."""
    visit: Callable[[Any, Any], Iterator[Any]]
    """(value, document) → what the step finds below the value."""


_TOKEN = re.compile(
    r"""\.\.(?P<deep>\*|[\w$-]+)?          # ..name  ..*  ..[
      | \.(?P<name>\*|[\w$-]+)(?P<call>\(\))?
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<star>\*)\s*\]
      | \[\s*(?P<slice>-?\d*:-?\d*(?::[1-9]\d*)?)\s*\]
      | \[\s*(?P<quoted>'[^']*'(?:\s*,\s*'[^']*')*|"[^"]*"(?:\s*,\s*"[^"]*")*)\s*\]
      | \[\s*(?P<union>-?\d+(?:\s*,\s*-?\d+)+)\s*\]
      | (?P<filter>\[\s*\?\s*\()""",
    re.VERBOSE,
)


class PathInvalid(ValueError):
    """The text is no JSONPath of the kinds built here."""


def find(path: str, document: Any) -> Any:
    """What `path` names in `document`. PathInvalid when it cannot be read or visits too much."""
    try:
        found = _find(_compile(path), document)
    except FilterInvalid as error:
        raise PathInvalid(f"{path!r}: {error}") from None
    return None if found is MISSING else found


def _find(steps: tuple[Step, ...], document: Any) -> Any:
    """The value or list, or MISSING."""
    values: list[Any] = [document]
    definite = True
    for step in steps:
        found: list[Any] = []
        for value in values:
            found.extend(step.visit(value, document))
            if len(found) > FOUND_MAX:
                raise PathInvalid(f"a path finds more than {FOUND_MAX} values")
        if definite and not values:
            return MISSING
        values = found
        definite = definite and step.definite
    if definite:
        return values[0] if values else MISSING
    return values


@lru_cache(maxsize=1_024)
def _compile(path: str) -> tuple[Step, ...]:
    text = path.strip()
    if len(text) > PATH_CHARACTERS:
        raise PathInvalid("the path is too long")
    if not text.startswith("$"):
        text = "$" + text if text[:1] in (".", "[") else "$." + text if text else "$"
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise PathInvalid(f"not a JSONPath: {path!r} at {at}")
        at = match.end()
        if match["filter"] is None:
            steps.append(_step(match, last=at >= len(text)))
            continue
        try:
            wanted, at = FilterReader(text, at, _inner).read()
        except FilterInvalid as error:
            raise PathInvalid(f"{path!r}: {error}") from None
        steps.append(_filter(wanted))
    return tuple(steps)


def _inner(path: str) -> Find:
    """A path within a filter. Their nesting ends with the path's length."""
    steps = _compile(path)
    return lambda document: _find(steps, document)


def _filter(wanted: Callable[[Any, Any], bool]) -> Step:
    def visit(value: Any, document: Any) -> Iterator[Any]:
        if isinstance(value, dict):  # of an object the filter asks the object itself
            return iter([value] if wanted(value, document) else [])
        return (child for child in _children(value, document) if wanted(child, document))

    return Step(False, visit)


def _step(match: re.Match[str], *, last: bool) -> Step:
    name = match["name"]
    if name == "*" or match["star"]:
        return Step(False, _children)
    if name is not None and match["call"]:
        if name not in _FUNCTIONS:
            raise PathInvalid(f"the function {name}() is not built")
        return Step(True, _FUNCTIONS[name])
    if name is not None:
        return Step(True, _member(name))
    if match["index"] is not None:
        return Step(True, _item(int(match["index"])))
    if match["slice"] is not None:
        bounds = slice(*(int(part) if part else None for part in match["slice"].split(":")))
        return Step(False, lambda value, _: iter(value[bounds] if isinstance(value, list) else ()))
    if match["quoted"] is not None:
        names = [text[1:-1] for text in re.findall(r"'[^']*'|\"[^\"]*\"", match["quoted"])]
        if len(names) == 1:
            return Step(True, _member(names[0]))
        return Step(last, _members(names, merged=last))
    if match["union"] is not None:
        items = [_item(int(number)) for number in match["union"].split(",")]
        return Step(False, lambda value, document: (found for item in items for found in item(value, document)))
    return Step(False, _descendants(match["deep"]))


Visit = Callable[[Any, Any], Iterator[Any]]


def _member(name: str) -> Visit:
    def step(value: Any, _document: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _members(names: list[str], *, merged: bool) -> Visit:
    """Several members: at a path's end one object that has them, before it one value after the other."""

    def step(value: Any, _document: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            found = {name: value[name] for name in names if name in value}
            yield from [found] if merged else found.values()

    return step


def _item(index: int) -> Visit:
    def step(value: Any, _document: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _children(value: Any, _document: Any = None) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _length(value: Any, _document: Any) -> Iterator[Any]:
    if isinstance(value, list | dict | str):
        yield len(value)


def _keys(value: Any, _document: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield list(value)


def _of_numbers(work: Callable[[list[float]], float]) -> Visit:
    def step(value: Any, _document: Any) -> Iterator[Any]:
        numbers = [n for n in value if isinstance(n, int | float)] if isinstance(value, list) else []
        if numbers:
            yield float(work(numbers))

    return step


_FUNCTIONS: dict[str, Visit] = {
    "length": _length,
    "size": _length,
    "keys": _keys,
    "min": _of_numbers(min),
    "max": _of_numbers(max),
    "sum": _of_numbers(sum),
    "avg": _of_numbers(lambda numbers: sum(numbers) / len(numbers)),
}


def _descendants(name: str | None) -> Visit:
    def step(value: Any, _document: Any) -> Iterator[Any]:
        stack, seen = [value], 0
        while stack:
            node = stack.pop()
            seen += 1
            if seen > FOUND_MAX:
                raise PathInvalid(f"the document has more than {FOUND_MAX} values")
            if name is None:
                yield node
            elif name == "*":
                yield from _children(node)
            elif isinstance(node, dict) and name in node:
                yield node[name]
            stack.extend(reversed(list(_children(node))))

    return step
