"""A function's `Policies` replaced in the text of a YAML template; everything else stays as it was written.

Enters the lines of the file, the place of the function, and the new entries; leaves new lines, or None where the text
is not laid out in a way that can be edited safely (JSON, flow style): then a person pastes the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A key of a block mapping and all below it: lines `start` (the key's own) to `stop` (exclusive), from 0."""

    start: int
    stop: int
    indent: int


def indent_of(line: str) -> int:
    """How many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))


def find_block(lines: Sequence[str], key: str, within: Block) -> Block | None:
    """The block of `key` directly below `within`; None when it is not there in block style."""
    inner: int | None = None
    for number in range(within.start + 1, within.stop):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if inner is None:
            inner = indent_of(line)
        if indent_of(line) == inner and line.lstrip().startswith(f"{key}:"):
            return block_at(lines, number)
    return None


def block_at(lines: Sequence[str], start: int) -> Block:
    """The block that the key on line `start` opens. Items of a list may stand at the key's own indent."""
    indent = indent_of(lines[start])
    stop = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        deeper = indent_of(line) > indent or (indent_of(line) == indent and line.lstrip().startswith("- "))
        if not deeper:
            break
        stop = number + 1
    return Block(start, stop, indent)


def items_of(lines: Sequence[str], block: Block) -> list[tuple[int, int]] | None:
    """The list items of a block as (start, stop) lines; None when its value is no block list."""
    if lines[block.start].split(":", 1)[1].split("#")[0].strip():
        return None
    starts: list[int] = []
    indent: int | None = None
    for number in range(block.start + 1, block.stop):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if indent is None:
            indent = indent_of(line)
        if indent_of(line) == indent:
            if not line.lstrip().startswith("- "):
                return None
            starts.append(number)
    return list(zip(starts, [*starts[1:], block.stop], strict=True))


def _is_one_entry(lines: Sequence[str], block: Block) -> bool:
    """Whether the value is a single entry that is no list: a name on the key's own line, or a mapping of one key."""
    own = lines[block.start].split(":", 1)[1].split("#")[0].strip()
    if own:
        return block.stop == block.start + 1 and own[0] not in "[{&*|>!\"'"
    inner = [line for line in lines[block.start + 1 : block.stop] if line.strip() and not line.lstrip().startswith("#")]
    return sum(indent_of(line) == indent_of(inner[0]) for line in inner) == 1


def with_policies(
    lines: Sequence[str], function_line: int, entries: Sequence[Sequence[str]], keep: Callable[[int], bool]
) -> list[str] | None:
    """`lines` with the `Policies` of the function whose key stands on `function_line` (from 0) replaced by `entries`.

    Entries that `keep` says stay come first, as they were written. Without entries the property goes.
    """
    function = block_at(lines, function_line)
    properties = find_block(lines, "Properties", function)
    if properties is None:
        return None
    step = max(2, properties.indent - function.indent)
    block = find_block(lines, "Policies", properties)
    if block is None:
        if not entries:
            return list(lines)
        first = next((n for n in range(properties.start + 1, properties.stop) if lines[n].strip()), None)
        if first is None:
            return None
        indent = indent_of(lines[first])
        block = Block(properties.stop, properties.stop, indent)
        kept: list[str] = []
    else:
        items = items_of(lines, block)
        if items is None:
            if not _is_one_entry(lines, block) or keep(0):
                return None
            items = []  # the one entry goes, and a list comes in its place
        indent = block.indent
        kept = [line for number, (start, stop) in enumerate(items) if keep(number) for line in lines[start:stop]]
    margin = indent_of(kept[0]) if kept else indent + step
    written = [f"{' ' * margin}{line}" for entry in entries for line in entry]
    body = [f"{' ' * indent}Policies:", *kept, *written] if kept or written else []
    return [*lines[: block.start], *body, *lines[block.stop :]]
