"""Velocity text → nodes. Read once when the API is loaded; a fault is a `TemplateError` with its line.

References with properties, methods and indexes, `#set #if #elseif #else #end #foreach #break #stop #define #macro
#evaluate`, comments, `#[[ ]]#` literal text. Refused: `#parse` and `#include`, for there are no files to read.
As in Velocity 1.7, a directive swallows the line end that follows it, and `#set` the spaces before it. Held against
Apache Velocity 1.7 itself on random templates; `docs/api-gateway.md` tells what API Gateway does otherwise.
"""

from __future__ import annotations

import re

from trine.apigateway.limits import MAPPING_TEMPLATE_BYTES
from trine.apigateway.mapping.expression import ExpressionReader
from trine.apigateway.mapping.macros import CallMacro, Define, Evaluate, Macro
from trine.apigateway.mapping.nodes import Block, Escaped, ForEach, If, Leave, Set, Text
from trine.apigateway.mapping.scope import Break, Stop
from trine.apigateway.mapping.terms import Node
from trine.apigateway.mapping.values import TemplateError

NESTING_MAX = 64
"""Blocks within blocks, and brackets within brackets."""

_DIRECTIVE = re.compile(r"#(?:\{(?P<braced>[A-Za-z]\w*)\}|(?P<body>@)?(?P<bare>[A-Za-z]\w*))", re.ASCII)
_KNOWN = {"set", "if", "elseif", "else", "end", "foreach", "break", "stop", "define", "macro", "evaluate"}
_NOT_BUILT = {"parse", "include"}
_MACRO_NAME = re.compile(r"#macro\s*\(\s*([A-Za-z][\w-]*)", re.ASCII)
_MACROS_MAX = 100
_LINE_END = re.compile(r"[ \t]*(?:\r\n|\n|\r)")
_SPECIAL = re.compile(r"[$#\\]")


def parse(source: str) -> Block:
    """The template `source` as a block. TemplateError when it cannot be read."""
    if len(source.encode("utf-8", "replace")) > MAPPING_TEMPLATE_BYTES:
        raise TemplateError(f"a mapping template has at most {MAPPING_TEMPLATE_BYTES} bytes")
    parser = _Parser(source, 0)
    block, stopped_by = parser.block(frozenset(), depth=0)
    assert stopped_by is None
    return block


def parse_interpolated(source: str, depth: int) -> Block:
    """The inside of a double-quoted string."""
    return _Parser(source, depth).block(frozenset(), depth=depth)[0]


class _Parser:
    def __init__(self, source: str, depth: int) -> None:
        self.source = source
        self.at = 0
        self.macros = {name: Macro() for name in _MACRO_NAME.findall(source)[:_MACROS_MAX]}
        self.reader = ExpressionReader(source, NESTING_MAX, depth, parse_interpolated)

    def fail(self, message: str, at: int | None = None) -> TemplateError:
        line = self.source.count("\n", 0, self.at if at is None else at) + 1
        return TemplateError(f"line {line}: {message}")

    def block(self, stops: frozenset[str], depth: int) -> tuple[Block, str | None]:
        """Nodes up to one of the directives `stops` (which is consumed), or the end."""
        if depth > NESTING_MAX:
            raise self.fail(f"blocks are nested more than {NESTING_MAX} deep")
        nodes: list[Node] = []
        opened_at = self.at
        while True:
            found = _SPECIAL.search(self.source, self.at)
            if found is None:
                self._text(nodes, self.source[self.at :])
                self.at = len(self.source)
                if stops:
                    raise self.fail("a block is not closed by #end", opened_at)
                return Block(nodes), None
            self._text(nodes, self.source[self.at : found.start()])
            self.at = found.start()
            if self.source[self.at] == "$":
                self._reference(nodes)
            elif self.source[self.at] == "\\":
                self._escape(nodes)
            else:
                stop = self._hash(nodes, stops, depth)
                if stop is not None:
                    return Block(nodes), stop

    @staticmethod
    def _text(nodes: list[Node], text: str) -> None:
        if text:
            last = nodes[-1] if nodes else None
            if isinstance(last, Text):
                nodes[-1] = Text(last.text + text)
            else:
                nodes.append(Text(text))

    def _reference(self, nodes: list[Node]) -> None:
        reference, end = self.reader.reference(self.at)
        if reference is None:
            self._text(nodes, "$")
            self.at += 1
            return
        nodes.append(reference)
        self.at = end

    def _escape(self, nodes: list[Node]) -> None:
        """Backslashes before a reference or directive: two are one, and an odd one makes it text. Others are text."""
        end = self.at
        while self.source.startswith("\\", end):
            end += 1
        count, escaped = divmod(end - self.at, 2)
        reference, behind = self.reader.reference(end) if self.source.startswith("$", end) else (None, end)
        match = _DIRECTIVE.match(self.source, end)
        directive = match is not None and (match["braced"] or match["bare"]) in _KNOWN | self.macros.keys()
        if reference is None and not directive:
            self._text(nodes, self.source[self.at : end])
            self.at = end
            return
        self._text(nodes, "\\" * count)
        self.at = end
        if escaped and reference is not None:
            nodes.append(Escaped(reference, self.source[end:behind]))
            self.at = behind
        elif escaped and match is not None:
            self._text(nodes, match[0])
            self.at = match.end()

    def _hash(self, nodes: list[Node], stops: frozenset[str], depth: int) -> str | None:
        source, at = self.source, self.at
        if source.startswith("##", at):
            end = source.find("\n", at)
            self.at = len(source) if end < 0 else end + 1
            return None
        if source.startswith("#*", at):
            end = source.find("*#", at + 2)
            if end < 0:
                raise self.fail("a comment #* is not closed")
            self.at = end + 2
            return None
        if source.startswith("#[[", at):
            end = source.find("]]#", at + 3)
            if end < 0:
                raise self.fail("literal text #[[ is not closed")
            self._text(nodes, source[at + 3 : end])
            self.at = end + 3
            return None
        match = _DIRECTIVE.match(source, at)
        name = (match["braced"] or match["bare"]) if match else ""
        if (
            match
            and name not in _KNOWN
            and (name in self.macros or (match["body"] and source.startswith("(", match.end())))
        ):
            nodes.append(self._call(match, name, depth))
            return None
        if not match or match["body"] or name not in _KNOWN | _NOT_BUILT:
            self._text(nodes, "#")
            self.at += 1
            return None
        if name in _NOT_BUILT:
            raise self.fail(f"#{name} has no files to read here")
        self.at = match.end() if match["braced"] else at + 1 + len(name)
        if name in ("else", "elseif", "end"):
            if name not in stops:
                raise self.fail(f"#{name} without #if, #foreach, #define or #macro")
            if name != "elseif":
                self._swallow_line_end()
            return name
        nodes.append(self._directive(nodes, name, depth))
        return None

    @staticmethod
    def _drop_spaces(nodes: list[Node]) -> None:
        """A `#set` takes the spaces before it along, unless they end a text (Velocity 1.7)."""
        if nodes and isinstance(nodes[-1], Text):
            kept = nodes[-1].text.rstrip(" \t")
            if not kept or kept[-1] in "\r\n":
                nodes[-1] = Text(kept)

    def _swallow_line_end(self) -> None:
        match = _LINE_END.match(self.source, self.at)
        if match:
            self.at = match.end()

    def _body(self, depth: int) -> Block:
        """Everything up to `#end`."""
        self._swallow_line_end()
        block, _ = self.block(frozenset({"end"}), depth + 1)
        return block

    def _call(self, match: re.Match[str], name: str, depth: int) -> Node:
        """The call of a macro: `#name(…)`, or `#@name(…) … #end`."""
        start = self.at
        arguments, self.at = self.reader.arguments(match.end())
        source = self.source[start : self.at]
        macro = self.macros.get(name) or Macro()  # one that is never defined is written as it stands
        body: Block | None = None
        if match["body"]:
            body = self._body(depth)
            source = self.source[start : self.at]
        else:
            self._swallow_line_end()
        return CallMacro(macro, arguments, body, source)

    def _directive(self, nodes: list[Node], name: str, depth: int) -> Node:
        if name in ("break", "stop"):
            return Leave(Break if name == "break" else Stop)
        if name == "set":
            self._drop_spaces(nodes)
            target, expression, self.at = self.reader.assignment(self.at)
            self._swallow_line_end()
            return Set(target, expression)
        if name == "foreach":
            variable, collection, self.at = self.reader.iteration(self.at)
            return ForEach(variable, collection, self._body(depth))
        if name == "define":
            defined, self.at = self.reader.variable(self.at)
            return Define(defined, self._body(depth))
        if name == "macro":
            title, parameters, self.at = self.reader.signature(self.at)
            macro = self.macros.get(title)
            if macro is None:
                raise self.fail(f"a template has at most {_MACROS_MAX} macros")
            block = self._body(depth)
            macro.parameters, macro.block = parameters, block
            return Block([])
        if name == "evaluate":
            expression, self.at = self.reader.condition(self.at)
            return Evaluate(expression, lambda text: parse_interpolated(text, depth + 1))
        branches = []
        otherwise: Block | None = None
        stopped_by: str | None = "elseif"
        while stopped_by == "elseif":
            condition, self.at = self.reader.condition(self.at)
            self._swallow_line_end()
            block, stopped_by = self.block(frozenset({"elseif", "else", "end"}), depth + 1)
            branches.append((condition, block))
        if stopped_by == "else":
            otherwise, _ = self.block(frozenset({"end"}), depth + 1)
        return If(branches, otherwise)
