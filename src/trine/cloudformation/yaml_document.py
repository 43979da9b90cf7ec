"""YAML text becomes nodes. Runs in the child process only: nothing else imports PyYAML.

CloudFormation reads YAML 1.1 (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html);
aliases and merge keys, which the service itself refuses, are resolved here as the SAM and AWS CLIs do before upload.
Built on libyaml's event stream: one pass, own depth limit, no constructors that could run code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from trine.cloudformation.document import Node
from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import NESTING_DEPTH

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SHORT_FORMS = {
    "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "If", "ImportValue", "Join", "Length", "Not", "Or",
    "Select", "Split", "Sub", "ToJsonString", "Transform", "Contains", "EachMemberEquals", "EachMemberIn", "RefAll",
    "ValueOf", "ValueOfAll",
}  # fmt: skip

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
_FALSE = {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)\Z")
_YAML = "tag:yaml.org,2002:"


class _Unreadable(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def read_yaml(text: str, file: str) -> tuple[Node | None, list[Fault]]:
    """The root node of `text`, and all faults; no node when the text cannot be read to its end."""
    builder = _Builder(file)
    try:
        return builder.read(text), builder.faults
    except _Unreadable as refused:
        return None, [*builder.faults, refused.fault]
    except yaml.MarkedYAMLError as error:
        return None, [*builder.faults, _syntax_fault(error, file)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the text holds a character that YAML does not allow: #x{error.character:04x}"
        hint = "save the file as UTF-8 and take control characters out"
        return None, [*builder.faults, Fault(file, line, 1, message, hint, "template/yaml")]


def _syntax_fault(error: yaml.MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or error.context or "not YAML"
    if "\\t" in problem:
        hint = "indent with spaces; YAML allows no tabs there"
    elif "mapping values are not allowed" in problem:
        hint = "quote a value that holds ': ', or check the indentation of this line and the one before"
    elif "undefined alias" in problem:
        hint = "define the anchor (&name) above its first use (*name)"
    else:
        hint = "check indentation, quotes and brackets on this line and the one before"
    context = f"{error.context}: " if error.context and error.context != problem else ""
    return Fault(file, line, column, f"YAML cannot be read: {context}{problem}", hint, "template/yaml")


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.anchors: dict[str, Node | None] = {}
        self.events: Iterator[Any] = iter(())

    def fault(self, event: Any, message: str, hint: str, rule: str = "template/yaml", level: str = "error") -> Fault:
        place = event.start_mark
        return Fault(self.file, place.line + 1, place.column + 1, message, hint, rule, level)

    def read(self, text: str) -> Node | None:
        self.events = iter(yaml.parse(text, Loader=_LOADER))
        next(self.events)  # the stream's start
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _Unreadable(Fault(self.file, 1, 1, "the template is empty", "", "template/empty"))
        root = self.node(next(self.events), 0)
        next(self.events)  # document end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            hint = "a template is one YAML document; take out the line '---' between them"
            raise _Unreadable(self.fault(after, "a second YAML document begins here", hint))
        return root

    def node(self, event: Any, depth: int) -> Node:
        if depth > NESTING_DEPTH:
            raise _Unreadable(self.fault(event, f"nested deeper than {NESTING_DEPTH} levels", "flatten the template"))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        anchor = event.anchor
        if anchor:
            self.anchors[anchor] = None
        tag = event.tag
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        if tag and tag.startswith("!") and tag != "!":
            node = self.short_form(event, tag[1:], node)
        if anchor:
            self.anchors[anchor] = node
        return node

    def alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            hint = "define the anchor (&name) above its first use (*name)"
            raise _Unreadable(self.fault(event, f"alias *{event.anchor} has no anchor", hint))
        node = self.anchors[event.anchor]
        if node is None:
            hint = "an anchor cannot be used inside itself"
            raise _Unreadable(self.fault(event, f"alias *{event.anchor} stands inside its own anchor", hint))
        return node

    def sequence(self, event: Any, depth: int) -> Node:
        items = []
        while not isinstance(child := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(child, depth + 1))
        return Node(event.start_mark.line + 1, event.start_mark.column + 1, items)

    def mapping(self, event: Any, depth: int) -> Node:
        members: dict[str, tuple[int, int, Node]] = {}
        merged: list[Node] = []
        while not isinstance(event_of_key := next(self.events), yaml.MappingEndEvent):
            key: Any = event_of_key
            if not isinstance(event_of_key, yaml.ScalarEvent):
                message = "a key must be plain text, not a list, map or alias"
                raise _Unreadable(self.fault(key, message, "quote the key, or check the indentation"))
            value = self.node(next(self.events), depth + 1)
            if key.value == "<<" and key.implicit[0]:
                merged.extend(value.value if isinstance(value.value, list) else [value])
                continue
            if key.value in members:
                first = members[key.value][0]
                message = f"duplicate key {key.value!r}: this one counts, that on line {first} is lost"
                hint = "keep one of the two"
                self.faults.append(self.fault(key, message, hint, "template/duplicate-key", "warning"))
            members[key.value] = (key.start_mark.line + 1, key.start_mark.column + 1, value)
        for other in merged:
            if not isinstance(other.value, dict):
                raise _Unreadable(self.fault(event, "'<<' merges maps only", "give it an alias of a map"))
            for name, member in other.value.items():
                members.setdefault(name, member)
        return Node(event.start_mark.line + 1, event.start_mark.column + 1, members)

    def scalar(self, event: Any) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        tag = event.tag
        if tag and tag.startswith(_YAML):
            return Node(line, column, self.tagged(event, tag[len(_YAML) :]))
        if tag or not event.implicit[0]:
            return Node(line, column, event.value)
        return Node(line, column, plain_scalar(event.value))

    def tagged(self, event: Any, kind: str) -> Any:
        if kind == "str":
            return event.value
        if kind in ("int", "float", "bool", "null"):
            return plain_scalar(event.value)
        message = f"CloudFormation does not support YAML's !!{kind}"
        raise _Unreadable(self.fault(event, message, "write it as text", "template/yaml-tag"))

    def short_form(self, event: Any, name: str, node: Node) -> Node:
        if name in ("Ref", "Condition"):
            key = name
        elif name == "GetAtt":
            key = "Fn::GetAtt"
            if isinstance(node.value, str):
                logical_id, _, attribute = node.value.partition(".")
                parts = [logical_id, attribute] if attribute else [logical_id]
                node = Node(node.line, node.column, [Node(node.line, node.column, part) for part in parts])
        elif name in SHORT_FORMS:
            key = f"Fn::{name}"
        else:
            message = f"unknown tag !{name}"
            hint = "CloudFormation's short forms are !Ref, !GetAtt, !Sub, !Join, !If and so on"
            self.faults.append(self.fault(event, message, hint, "template/yaml-tag"))
            key = f"Fn::{name}"
        return Node(node.line, node.column, {key: (node.line, node.column, node)})


def plain_scalar(text: str) -> Any:
    """An unquoted scalar by YAML 1.1's rules; dates stay text, as CloudFormation keeps them."""
    first = text[:1]
    if first in "0123456789+-.":
        if text == "" or text in _NULL:
            return None
        if _INTEGER.match(text):
            return _integer(text)
        if _FLOAT.match(text):
            digits = text.replace("_", "")
            return float(digits) if digits.strip("+-") != "." else text
        return text
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if len(digits) > 40:
        return text
    if digits.startswith("0b"):
        return sign * int(digits[2:] or "0", 2)
    if digits.startswith("0x"):
        return sign * int(digits[2:] or "0", 16)
    if ":" in digits:
        total = 0
        for part in digits.split(":"):
            total = total * 60 + int(part)
        return sign * total
    if digits.startswith("0") and len(digits) > 1:
        return sign * int(digits, 8)
    return sign * int(digits)
