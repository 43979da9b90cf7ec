"""A template as plain values, and the place in the text of each of them.

Readers build `Node`s; `flatten` makes plain values (fresh objects even where YAML aliases share one) and a flat table
from path to line and column. The table is JSON, so places survive the child process and the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import NESTING_DEPTH, NODES_PER_TEMPLATE

PathParts = Sequence[str | int]


class Node(Struct):
    """A value of the text with its place: a scalar, a list of nodes, or a dict of key → (line, column, node)."""

    line: int
    column: int
    value: Any


class Location(Struct, frozen=True, order=True):
    """A place in a file; `line` and `column` count from 1, 0 when the place is unknown."""

    line: int = 0
    column: int = 0
    file: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class TooLarge(Exception):
    """The tree grew beyond `NODES_PER_TEMPLATE` or `NESTING_DEPTH`; `node` is where."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


def join(path: PathParts) -> str:
    """The path as text, in the manner of a JSON pointer without the leading slash."""
    return "/".join([str(part).replace("~", "~0").replace("/", "~1") for part in path])


class Positions(Struct):
    """Path → [line, column, file number]; `files[0]` is the template itself."""

    files: list[str]
    table: dict[str, list[int]] = field(default_factory=dict)

    def of(self, *path: str | int) -> Location:
        """The place of `path`, or of its nearest ancestor that stands in the text."""
        parts = list(path)
        while parts:
            found = self.table.get(join(parts))
            if found is not None:
                return Location(found[0], found[1], self.files[found[2]])
            parts.pop()
        return Location(1, 1, self.files[0])

    def knows(self, *path: str | int) -> bool:
        """True when exactly this path stands in the text."""
        return join(path) in self.table

    def graft(self, target: PathParts, source: PathParts) -> None:
        """Give what stands below `source` also the paths below `target` (Globals merged into resources)."""
        old, new = join(source), join(target)
        below = old + "/"
        for path in [path for path in self.table if path == old or path.startswith(below)]:
            self.table.setdefault(new + path[len(old) :], self.table[path])


class Document(Struct):
    """A read template: plain values and their places, or the faults that kept it from being read."""

    value: Any
    positions: Positions
    faults: list[Fault]


def flatten(root: Node, positions: Positions, at: PathParts = (), file: int = 0) -> Any:
    """Plain values of `root`; records every place in `positions` below `at`. Raises TooLarge."""
    count = 0
    table = positions.table

    def plain(node: Node, path: str, place: list[int], depth: int) -> Any:
        nonlocal count
        count += 1
        if count > NODES_PER_TEMPLATE:
            raise TooLarge(node, f"the template grows to more than {NODES_PER_TEMPLATE:,} values")
        if depth > NESTING_DEPTH:
            raise TooLarge(node, f"the template is nested deeper than {NESTING_DEPTH} levels")
        table[path] = place
        value = node.value
        below = f"{path}/" if path else ""
        if isinstance(value, dict):
            members = {}
            for key, (key_line, key_column, child) in value.items():
                step = key.replace("~", "~0").replace("/", "~1")
                members[key] = plain(child, below + step, [key_line, key_column, file], depth + 1)
            return members
        if isinstance(value, list):
            return [
                plain(child, f"{below}{index}", [child.line, child.column, file], depth + 1)
                for index, child in enumerate(value)
            ]
        return value

    return plain(root, join(at), [root.line, root.column, file], 0)
