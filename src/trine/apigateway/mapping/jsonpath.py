"""JSONPath as `$input.path` and `$input.json` understand it: members, indexes, slices, wildcards, `..` and filters.

Enters a path and a JSON value; leaves the value a definite path names (None when it is missing), or the list of what
an indefinite path finds. Paths are read once and remembered. Bounded: at most `FOUND_MAX` values are visited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

FOUND_MAX = 100_000
PATH_CHARACTERS = 4_096

Step = Callable[[Any], Iterator[Any]]
_TOKEN = re.compile(
    r"""\.\.(?P<deep>\*|[\w$-]+)?          # ..name  ..*  ..[
      | \.(?P<name>\*|[\w$-]+)(?P<call>\(\))?
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<star>\*)\s*\]
      | \[\s*(?P<slice>-?\d*:-?\d*)\s*\]
      | \[\s*(?P<quoted>'[^']*'(?:\s*,\s*'[^']*')*|"[^"]*"(?:\s*,\s*"[^"]*")*)\s*\]
      | \[\s*(?P<union>-?\d+(?:\s*,\s*-?\d+)+)\s*\]
      | \[\?\(\s*(?P<filter>[^\]]*?)\s*\)\]""",
    re.VERBOSE,
)
_FILTER = re.compile(
    r"""@(?P<path>(?:\.[\w$-]+|\['[^']*'\])*)\s*
        (?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>'[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|true|false|null))?""",
    re.VERBOSE,
)


class PathInvalid(ValueError):
    """The text is no JSONPath of the kinds built here."""


def find(path: str, document: Any) -> Any:
    """What `path` names in `document`. PathInvalid when it cannot be read or visits too much."""
    definite, steps = _compile(path)
    values: list[Any] = [document]
    for step in steps:
        found: list[Any] = []
        for value in values:
            found.extend(step(value))
            if len(found) > FOUND_MAX:
                raise PathInvalid(f"{path!r} finds more than {FOUND_MAX} values")
        values = found
    if definite:
        return values[0] if values else None
    return values


@lru_cache(maxsize=1_024)
def _compile(path: str) -> tuple[bool, tuple[Step, ...]]:
    text = path.strip()
    if len(text) > PATH_CHARACTERS:
        raise PathInvalid("the path is too long")
    if not text.startswith("$"):
        text = "$." + text if text else "$"
    steps: list[Step] = []
    definite = True
    at = 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise PathInvalid(f"not a JSONPath: {path!r} at {at}")
        at = match.end()
        sure, step = _step(match)
        definite = definite and sure
        steps.append(step)
    return definite, tuple(steps)


def _step(match: re.Match[str]) -> tuple[bool, Step]:
    name = match["name"]
    if name == "*" or match["star"]:
        return False, _children
    if name is not None and match["call"]:
        if name not in ("length", "size"):
            raise PathInvalid(f"the function {name}() is not built")
        return True, _length
    if name is not None:
        return True, _member(name)
    if match["index"] is not None:
        return True, _item(int(match["index"]))
    if match["slice"] is not None:
        low, _, high = match["slice"].partition(":")
        bounds = slice(int(low) if low else None, int(high) if high else None)
        return False, lambda value: iter(value[bounds] if isinstance(value, list) else ())
    if match["quoted"] is not None:
        names = [text[1:-1] for text in re.findall(r"'[^']*'|\"[^\"]*\"", match["quoted"])]
        if len(names) == 1:
            return True, _member(names[0])
        return False, lambda value: (value[n] for n in names if isinstance(value, dict) and n in value)
    if match["union"] is not None:
        items = [_item(int(number)) for number in match["union"].split(",")]
        return False, lambda value: (found for item in items for found in item(value))
    if match["filter"] is not None:
        wanted = _filter(match["filter"])
        return False, lambda value: (child for child in _children(value) if wanted(child))
    return False, _descendants(match["deep"])


def _member(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _item(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _length(value: Any) -> Iterator[Any]:
    if isinstance(value, list | dict | str):
        yield len(value)


def _descendants(name: str | None) -> Step:
    def step(value: Any) -> Iterator[Any]:
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


def _filter(text: str) -> Callable[[Any], bool]:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise PathInvalid(f"the filter {text!r} is not built: one comparison of @.name with a literal is")
    _, steps = _compile("$" + match["path"])
    literal, operator = match["value"], match["operator"]
    wanted: Any = None
    if literal is not None:
        constants = {"true": True, "false": False, "null": None}
        if literal[0] in "'\"":
            wanted = literal[1:-1]
        else:
            wanted = constants[literal] if literal in constants else float(literal)

    def test(value: Any) -> bool:
        found: list[Any] = [value]
        for step in steps:
            found = [inner for outer in found for inner in step(outer)]
        if not found:
            return False
        return operator is None or _compare(found[0], operator, wanted)

    return test


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator == "==":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        return False
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right) if operator == ">" else bool(left >= right)
