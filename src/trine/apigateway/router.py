"""The route of a method and path: a trie of path segments, walked once.

Enters a method and a raw (still percent-encoded) path without its stage; leaves a `RouteMatch`, or None. Literal
segments win over `{name}`, which wins over `{name+}`; a node that lacks the method does not stop the search, so
`OPTIONS /test` may end at `/{proxy+}` although `/test` exists (as observed on AWS). HTTP APIs look for full matches
before greedy ones, and at `$default` last ("Routing API requests", HTTP API Developer Guide).
Each node of the trie is visited at most twice, so a hostile path costs no more than the template is large.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import Any, Generic, NamedTuple, TypeVar
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
        self.literals: dict[str, _Node[T] | _Tail[T]] = {}
        self.named: _Node[T] | _Tail[T] | None = None
        self.methods: dict[str, _Leaf[T]] = {}
        self.greedy: dict[str, _Leaf[T]] = {}


class _Tail(Generic[T]):
    """A path that branches no more: its segments (None: a variable), and what stands at its end.

    Ten thousand routes are mostly such tails. One object each, with segments and names shared among those that look
    alike, keeps a match as quick as among ten: what it touches is in the processor's cache.
    """

    __slots__ = ("method", "methods", "names", "segments", "target")

    def __init__(self, segments: tuple[str | None, ...], leaves: dict[str, _Leaf[T]]) -> None:
        self.segments = segments
        self.methods = leaves if len(leaves) > 1 else None
        self.method, first = next(iter(leaves.items()))
        self.target, self.names = first.target, first.names

    def match(self, segments: list[str], at: int, method: str, values: list[str]) -> _Leaf[T] | _Tail[T] | None:
        """What stands at the end, its variables added to `values`; None when the path is another one."""
        wanted = self.segments
        if len(segments) - at != len(wanted):
            return None
        found: _Leaf[T] | _Tail[T] | None = self
        if self.methods is not None:
            found = _pick(self.methods, method)
        elif self.method != method and (self.method != "ANY" or method not in ANY_METHODS):
            return None
        if found is None:
            return None
        count = len(values)
        for name in wanted:
            segment = segments[at]
            at += 1
            if name is None and segment:
                values.append(segment)
            elif segment != name and ("%" not in segment or unquote(segment, errors="replace") != name):
                del values[count:]
                return None
        return found


class Router(Generic[T]):
    """Routes of one API. `rest` ignores trailing slashes and leading double ones, as REST APIs do."""

    def __init__(self, routes: Iterable[tuple[str, str, T]], *, rest: bool) -> None:
        self._root: _Node[T] = _Node()
        self._default: T | None = None
        self._rest = rest
        for method, path, target in routes:
            self._add(intern(method), path, target)
        _shorten(self._root, {})

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
                child = node.named = node.named or _Node()
            else:
                child = node.literals.setdefault(segment, _Node())
            assert isinstance(child, _Node)  # tails are made when all routes are known
            node = child
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


_Shared = dict[Any, Any]
"""Equal tuples → the one of them that is kept."""


def _shorten(node: _Node[T], shared: _Shared) -> None:
    """Put tails in the place of all below `node` that branches no more."""
    for segment, child in node.literals.items():
        assert isinstance(child, _Node)
        node.literals[segment] = _tail(child, shared) or child
    if isinstance(node.named, _Node):
        node.named = _tail(node.named, shared) or node.named


def _tail(node: _Node[T], shared: _Shared) -> _Tail[T] | None:
    """`node` as a tail; None, its children shortened, when it branches or ends in a greedy variable."""
    segments: list[str | None] = []
    at = node
    while not at.methods and not at.greedy and len(at.literals) + (at.named is not None) == 1:
        name, child = next(iter(at.literals.items())) if at.literals else (None, at.named)
        assert isinstance(child, _Node)
        segments.append(name)
        at = child
    if at.greedy or at.literals or at.named is not None or not at.methods:
        _shorten(node, shared)
        return None
    for leaf in at.methods.values():
        leaf.names = shared.setdefault(leaf.names, leaf.names)
    key = tuple(segments)
    return _Tail(shared.setdefault(key, key), at.methods)


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
    node: _Node[T] | _Tail[T], segments: list[str], at: int, method: str, values: list[str], *, greedy: bool
) -> _Leaf[T] | _Tail[T] | None:
    if isinstance(node, _Tail):
        return node.match(segments, at, method, values)
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
        found = _pick(node.greedy, method)
        remainder = "/".join(segments[at:])
        if found is not None and remainder:
            values.append(remainder)
            return found
    return None
