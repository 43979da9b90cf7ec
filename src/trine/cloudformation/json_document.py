"""JSON text becomes nodes: a reader of its own, since the standard one forgets where things stand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json import decoder

from trine.cloudformation.document import Node
from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import NESTING_DEPTH

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_scan_string: Callable[[str, int, bool], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined]
_WORDS = {"true": True, "false": False, "null": None}


class _Unreadable(Exception):
    def __init__(self, at: int, message: str, hint: str = "") -> None:
        self.at, self.message, self.hint = at, message, hint


def read_json(text: str, file: str) -> tuple[Node | None, list[Fault]]:
    """The root node of `text`, and all faults; no node when the text cannot be read to its end."""
    reader = _Reader(text, file)
    try:
        node, end = reader.value(reader.skip(0), 0)
        end = reader.skip(end)
        if end != len(text):
            raise _Unreadable(end, "text after the end of the JSON value", "a template is one JSON object")
    except _Unreadable as error:
        line, column = reader.place(error.at)
        fault = Fault(file, line, column, f"JSON cannot be read: {error.message}", error.hint, "template/json")
        return None, [*reader.faults, fault]
    return node, reader.faults


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.faults: list[Fault] = []
        self.line, self.line_start, self.seen = 1, 0, 0

    def place(self, at: int) -> tuple[int, int]:
        # Nodes are met in the order of the text, so lines are counted on from the last one asked for.
        if at < self.seen:
            return self.text.count("\n", 0, at) + 1, at - (self.text.rfind("\n", 0, at) + 1) + 1
        new_lines = self.text.count("\n", self.seen, at)
        if new_lines:
            self.line += new_lines
            self.line_start = self.text.rfind("\n", 0, at) + 1
        self.seen = at
        return self.line, at - self.line_start + 1

    def skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        assert match is not None
        return match.end()

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        if depth > NESTING_DEPTH:
            raise _Unreadable(at, f"nested deeper than {NESTING_DEPTH} levels")
        line, column = self.place(at)
        mark = self.text[at : at + 1]
        if mark == "{":
            members, end = self.members(at + 1, depth)
            return Node(line, column, members), end
        if mark == "[":
            items, end = self.items(at + 1, depth)
            return Node(line, column, items), end
        if mark == '"':
            string, end = self.string(at)
            return Node(line, column, string), end
        number = _NUMBER.match(self.text, at)
        if number:
            text = number.group()
            whole = number.group(1) is None and number.group(2) is None and len(text) <= 40
            return Node(line, column, int(text) if whole else float(text)), number.end()
        for word, constant in _WORDS.items():
            if self.text.startswith(word, at):
                return Node(line, column, constant), at + len(word)
        raise _Unreadable(at, "a value was expected here" if mark else "the text ends too early")

    def string(self, at: int) -> tuple[str, int]:
        try:
            text, end = _scan_string(self.text, at + 1, True)
        except json.JSONDecodeError as error:
            raise _Unreadable(error.pos, error.msg) from None
        return text, end

    def members(self, at: int, depth: int) -> tuple[dict[str, tuple[int, int, Node]], int]:
        members: dict[str, tuple[int, int, Node]] = {}
        at = self.skip(at)
        if self.text[at : at + 1] == "}":
            return members, at + 1
        while True:
            if self.text[at : at + 1] != '"':
                raise _Unreadable(at, "a key in double quotes was expected here", "is there a comma too many?")
            line, column = self.place(at)
            key, at = self.string(at)
            at = self.skip(at)
            if self.text[at : at + 1] != ":":
                raise _Unreadable(at, "':' was expected here")
            if key in members:
                message = f"duplicate key {key!r}: this one counts, that on line {members[key][0]} is lost"
                rule, hint = "template/duplicate-key", "keep one of the two"
                self.faults.append(Fault(self.file, line, column, message, hint, rule, "warning"))
            node, at = self.value(self.skip(at + 1), depth + 1)
            members[key] = (line, column, node)
            at = self.skip(at)
            mark = self.text[at : at + 1]
            if mark == "}":
                return members, at + 1
            if mark != ",":
                raise _Unreadable(at, "',' or '}' was expected here", "is a comma missing on the line before?")
            at = self.skip(at + 1)

    def items(self, at: int, depth: int) -> tuple[list[Node], int]:
        items: list[Node] = []
        at = self.skip(at)
        if self.text[at : at + 1] == "]":
            return items, at + 1
        while True:
            node, at = self.value(self.skip(at), depth + 1)
            items.append(node)
            at = self.skip(at)
            mark = self.text[at : at + 1]
            if mark == "]":
                return items, at + 1
            if mark != ",":
                raise _Unreadable(at, "',' or ']' was expected here", "is a comma missing on the line before?")
            at += 1
