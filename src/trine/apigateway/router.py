"""The route of a method and path: a trie of path segments, walked once.

Enters a method and a raw (still percent-encoded) path without its stage; leaves a `RouteMatch`, or None. Literal
segments win over `{name}`, which wins over `{name+}`; a node that lacks the method does not stop the search, so
`OPTIONS /test` may end at `/{proxy+}` although `/test` exists (as observed on AWS). HTTP APIs look for full matches
before greedy ones, and at `$default` last ("Routing API requests", HTTP API Developer Guide).
Each node of the trie is visited at most twice, so a hostile path costs no more than the template is large.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from trine.apigateway.limits import PATH_SEGMENTS

ANY_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""What `ANY` stands for."""

T = TypeVar("T")


class RouteMatch(NamedTuple, Generic[T]):
    """The found target, and the raw values of its path variables (None when it has none)."""

    target: T
    parameters: dict[str, str] | None


class _Leaf(Generic[T]):
    __slots__ = ("names", "target")

    def __init__(self, target: T, names: tuple[str, ...]) -> None:
        self.target, self.names = target, names


class _Node(Generic[T]):
    __slots__ = ("greedy", "literals", "methods", "named")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.named: _Node[T] | None = None
        self.methods: dict[str, _Leaf[T]] = {}
        self.greedy: dict[str, _Leaf[T]] = {}


class Router(Generic[T]):
    """Routes of one API. `rest` ignores trailing slashes and leading double ones, as REST APIs do."""

    def __init__(self, routes: Iterable[tuple[str, str, T]], *, rest: bool) -> None:
        self._root: _Node[T] = _Node()
        self._default: T | None = None
        self._rest = rest
        for method, path, target in routes:
            self._add(method, path, target)

    def _add(self, method: str, path: str, target: T) -> None:
        if path == "$default":
            self._default = target
            return
        node, names = self._root, []
        for segment in _split(path, rest=self._rest):
            if segment.startswith("{") and segment.endswith("+}"):
                names.append(segment[1:-2])
                node.greedy[method] = _Leaf(target, tuple(names))
                return
            if segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                if node.named is None:
                    node.named = _Node()
                node = node.named
            else:
                node = node.literals.setdefault(segment, _Node())
        node.methods[method] = _Leaf(target, tuple(names))

    def match(self, method: str, path: str) -> RouteMatch[T] | None:
        """The most specific route for `method` and `path`, or None."""
        segments = _split(path, rest=self._rest)
        if len(segments) > PATH_SEGMENTS:
            return None
        values: list[str] = []
        if self._rest:
            leaf = _walk(self._root, segments, 0, method, values, greedy=True)
        else:
            leaf = _walk(self._root, segments, 0, method, values, greedy=False)
            if leaf is None:
                values.clear()
                leaf = _walk(self._root, segments, 0, method, values, greedy=True)
        if leaf is not None:
            return RouteMatch(leaf.target, dict(zip(leaf.names, values, strict=True)) if leaf.names else None)
        return RouteMatch(self._default, None) if self._default is not None else None


def _split(path: str, *, rest: bool) -> list[str]:
    if rest:
        path = path.strip("/")
        return path.split("/") if path else []
    return path[1:].split("/") if path not in ("", "/") else []


def _pick(methods: dict[str, _Leaf[T]], method: str) -> _Leaf[T] | None:
    leaf = methods.get(method)
    if leaf is None and method in ANY_METHODS:
        leaf = methods.get("ANY")
    return leaf


def _walk(
    node: _Node[T], segments: list[str], at: int, method: str, values: list[str], *, greedy: bool
) -> _Leaf[T] | None:
    if at == len(segments):
        return _pick(node.methods, method) if node.methods else None
    segment = segments[at]
    child = node.literals.get(segment)
    if child is None and "%" in segment:
        child = node.literals.get(unquote(segment, errors="replace"))
    if child is not None:
        leaf = _walk(child, segments, at + 1, method, values, greedy=greedy)
        if leaf is not None:
            return leaf
    if node.named is not None and segment:
        values.append(segment)
        leaf = _walk(node.named, segments, at + 1, method, values, greedy=greedy)
        if leaf is not None:
            return leaf
        values.pop()
    if greedy and node.greedy:
        leaf = _pick(node.greedy, method)
        remainder = "/".join(segments[at:])
        if leaf is not None and remainder:
            values.append(remainder)
            return leaf
    return None
