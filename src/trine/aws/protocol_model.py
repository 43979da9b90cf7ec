"""botocore's service models, read without botocore: shapes and operations of one AWS API.

Enters a service's name (`lambda`, `sts`), leaves a `Model`: operations found by name or by route, shapes by name.
Only `service-2.json` is read and its documentation dropped at once, so that a model costs one to two megabytes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from copy import copy
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import orjson
from msgspec import Struct

Raw = Mapping[str, Any]
_GZIP = 31
"""zlib's name for gzip's framing."""
_NOISE = frozenset({"documentation", "deprecated", "deprecatedMessage", "deprecatedSince", "examples"})
_KEPT_METADATA = frozenset({"protocol", "jsonVersion", "targetPrefix", "xmlNamespace", "apiVersion", "serviceId",
                            "awsQueryCompatible"})  # fmt: skip


class Operation(Struct, frozen=True, eq=False):
    """One operation of an API."""

    name: str
    method: str
    uri: str
    status: int
    """HTTP status of success."""
    input_shape: str | None
    output_shape: str | None
    result_wrapper: str | None
    """Query protocol: the element around the members of the output."""
    offered: bool = True
    """False: the model knows it, but it was left out when the model was loaded."""


class Route(NamedTuple):
    """A rest-json operation's path as segments; a label stands as None, a greedy one takes the rest."""

    operation: Operation
    segments: tuple[str | None, ...]
    labels: tuple[str, ...]
    greedy: bool
    query: tuple[tuple[bytes, bytes], ...]


class Model:
    """The shapes and operations of one service."""

    __slots__ = ("error_shapes", "json_version", "name", "namespace", "operations", "protocol", "query_compatible",
                 "routes", "shapes", "target_prefix", "version")  # fmt: skip

    def __init__(self, name: str, document: Raw) -> None:
        metadata: Raw = document["metadata"]
        self.name = name
        self.protocol: str = metadata["protocol"]
        self.version: str = metadata["apiVersion"]
        self.json_version: str = metadata.get("jsonVersion", "1.1")
        self.target_prefix: str = metadata.get("targetPrefix", "")
        self.namespace: str = metadata.get("xmlNamespace", "")
        self.query_compatible = "awsQueryCompatible" in metadata
        """Errors in JSON and CBOR also carry the code they had in the query protocol."""
        self.shapes: Raw = document["shapes"]
        only = document.get("only")
        self.operations = {
            key: _operation(key, raw, only is None or key in only) for key, raw in document["operations"].items()
        }
        self.error_shapes = _error_shapes(self.shapes)
        self.routes = _routes(self.operations.values()) if self.protocol.startswith("rest-") else {}

    def speaking(self, protocol: str, target_prefix: str) -> Model:
        """The same API in another protocol."""
        found = copy(self)
        found.protocol, found.target_prefix, found.json_version = protocol, target_prefix, "1.0"
        found.query_compatible = protocol != "query"
        return found

    def shape(self, name: str) -> Raw:
        """A shape's raw description."""
        found: Raw = self.shapes[name]
        return found

    def match(self, method: str, path: bytes, query: bytes) -> tuple[Operation, dict[str, str]] | None:
        """The rest-json operation of a request and the values of its labels, or None."""
        segments = [unquote_to_bytes(part).decode("utf-8", "replace") for part in path.lstrip(b"/").split(b"/")]
        for route in self.routes.get(method, ()):
            found = _match(route, segments)
            if found is not None and all(_has_pair(query, name, value) for name, value in route.query):
                return route.operation, found
        return None


def read_document(name: str) -> dict[str, Any]:
    """The newest model of a service as it stands in botocore's data. LookupError when botocore does not know it.

    botocore's own loader would import botocore first: 65 ms, against 4 ms for the largest file.
    """
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("botocore is not installed")
    folder = Path(next(iter(spec.submodule_search_locations))) / "data" / name
    versions = sorted(entry for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    if not versions:
        raise LookupError(f"botocore has no model of {name!r}")
    compressed = versions[-1] / "service-2.json.gz"
    text = (
        zlib.decompress(compressed.read_bytes(), _GZIP)
        if compressed.exists()
        else (versions[-1] / "service-2.json").read_bytes()
    )
    document: dict[str, Any] = orjson.loads(text)
    return document


def load_model(name: str, only: frozenset[str] | None = None) -> Model:
    """Read the newest model of a service from botocore's data. `only` keeps just these operations' shapes; the others
    are still known by name and route, so that they can be refused by name.

    LookupError when botocore does not know the service.
    """
    document = read_document(name)
    operations, shapes = document["operations"], document["shapes"]
    if only is not None:
        kept = _reachable([raw for key, raw in operations.items() if key in only], shapes)
        shapes = {key: shapes[key] for key in kept}
    return Model(
        name,
        {
            "metadata": {key: value for key, value in document["metadata"].items() if key in _KEPT_METADATA},
            "operations": {key: _quiet(raw) for key, raw in operations.items()},
            "only": only,
            "shapes": {key: _quiet(raw) for key, raw in shapes.items()},
        },
    )


def _quiet(raw: Raw) -> dict[str, Any]:
    """A description without its prose; members and errors without theirs."""
    kept: dict[str, Any] = {key: value for key, value in raw.items() if key not in _NOISE}
    if isinstance(members := kept.get("members"), dict):
        kept["members"] = {name: {k: v for k, v in one.items() if k not in _NOISE} for name, one in members.items()}
    return kept


def _reachable(operations: Iterable[Raw], shapes: Raw) -> set[str]:
    seen: set[str] = set()
    waiting = [
        shape["shape"]
        for raw in operations
        for shape in (raw.get("input"), raw.get("output"), *raw.get("errors", ()))
        if shape is not None
    ]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        raw = shapes[name]
        inner = [*raw.get("members", {}).values(), raw.get("member"), raw.get("key"), raw.get("value")]
        waiting.extend(one["shape"] for one in inner if one is not None)
    return seen


def _operation(name: str, raw: Raw, offered: bool) -> Operation:
    http = raw.get("http", {})
    output = raw.get("output") or {}
    return Operation(
        name,
        http.get("method", "POST"),
        http.get("requestUri", "/"),
        http.get("responseCode", 200),
        (raw.get("input") or {}).get("shape"),
        output.get("shape"),
        output.get("resultWrapper"),
        offered,
    )


def _error_shapes(shapes: Raw) -> dict[str, Raw]:
    """Error shapes by their own name, and by the code that goes over the wire, where that is no other one's name.

    Codes may be shared: CloudWatch calls both a missing alarm and a missing dashboard `ResourceNotFound`.
    """
    named = {name: {**raw, "name": name} for name, raw in shapes.items() if raw.get("exception")}
    coded: dict[str, Raw] = {}
    for name, raw in named.items():
        coded.setdefault(raw.get("error", {}).get("code", name), raw)
    return coded | named


def _routes(operations: Any) -> dict[str, list[Route]]:
    """Routes by method, those with more fixed segments first."""
    routes: dict[str, list[Route]] = {}
    for operation in operations:
        path, _, query = operation.uri.partition("?")
        parts = path.strip("/").split("/")
        labels = tuple(part[1:-1].rstrip("+") for part in parts if part.startswith("{"))
        segments = tuple(None if part.startswith("{") else part for part in parts)
        pairs = tuple(tuple(pair.encode().partition(b"=")[::2]) for pair in query.split("&") if pair)
        route = Route(operation, segments, labels, parts[-1].endswith("+}"), pairs)
        routes.setdefault(operation.method, []).append(route)
    for known in routes.values():
        known.sort(key=lambda route: (-sum(part is not None for part in route.segments), -len(route.query)))
    return routes


def _match(route: Route, segments: list[str]) -> dict[str, str] | None:
    wanted = route.segments
    given = segments
    if len(given) == len(wanted) + 1 and given[-1] == "" and wanted != ("",):
        given = given[:-1]  # AWS takes a trailing slash
    if route.greedy and len(given) > len(wanted):
        given = [*given[: len(wanted) - 1], "/".join(given[len(wanted) - 1 :])]
    if len(given) != len(wanted):
        return None
    values = []
    for want, have in zip(wanted, given, strict=True):
        if want is None:
            values.append(have)
        elif want != have:
            return None
    return dict(zip(route.labels, values, strict=True))


def _has_pair(query: bytes, name: bytes, value: bytes) -> bool:
    return (
        re.search(rb"(?:^|&)" + re.escape(name + (b"=" + value if value else b"")) + rb"(?:=?&|=?$)", query) is not None
    )
