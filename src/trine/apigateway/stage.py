"""Which API and stage a request is for: by Host header, by `/_apis/…`, or the first API of the template.

Enters host and target of the request; leaves `Located`, or a `GatewayError`: an unknown stage of a REST API answers
403 `Forbidden`, anything unknown of an HTTP API 404 `Not Found`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from trine.apigateway.api import Api, DomainMapping
from trine.apigateway.deployment import DeployedRoute, DeployedStage
from trine.apigateway.errors import BAD_REQUEST, FORBIDDEN, RESOURCE_NOT_FOUND, GatewayError
from trine.apigateway.router import RouteMatch
from trine.apigateway.settings import VpcEndpoint
from trine.aws.arn import Place
from trine.http.message import Request

APIS_PREFIX = "/_apis/"
_API_HOST = re.compile(r"([a-z0-9-]+)\.execute-api\.(?:localhost|[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)\.?")
_HOSTS_REMEMBERED = 1_024
_PLACES_REMEMBERED = 4_096
"""Host, method and path of recent requests whose place is known without looking."""
_REMEMBERED_BYTES = 256


class Located(NamedTuple):
    """Where a request goes."""

    deployed: DeployedStage
    path: str
    """Raw path below the stage, always with one leading slash for REST."""
    full_path: str
    """Raw path with the stage in front, as `requestContext.path` and `rawPath` show it."""
    domain_name: str
    domain_prefix: str
    shown_path: str
    """What a REST event calls `path`: the path below the stage, or the whole path of a custom domain."""


Placed = tuple[Located, RouteMatch[DeployedRoute] | None, str]
"""Where a request goes, the route that takes it there (None when no route does), and its title for people."""


class _Entry:
    """One API with its stages."""

    __slots__ = ("api", "default", "domain_name", "first", "stages")

    def __init__(self, api: Api, place: Place) -> None:
        self.api = api
        self.stages = {stage.name: DeployedStage(api, stage, place) for stage in api.stages}
        self.default = self.stages.get("$default")
        self.first = self.default or next(iter(self.stages.values()), None)
        self.domain_name = f"{api.id}.execute-api.{place.region}.amazonaws.com"


class Directory:
    """All APIs of the stack, found by the ways a client may name them."""

    def __init__(self, apis: Iterable[Api], place: Place, endpoint: VpcEndpoint | None = None) -> None:
        """`endpoint` is what all requests come through."""
        self._entries = {api.id: _Entry(api, place) for api in apis}
        self._folded = {api_id.lower(): entry for api_id, entry in self._entries.items()}
        self._first = next((entry for entry in self._entries.values() if entry.first is not None), None)
        self._hosts: dict[str, tuple[_Entry, str] | None] = {}
        self._placed: dict[tuple[bytes, str, bytes], Placed] = {}
        self._domains: dict[str, list[tuple[DomainMapping, _Entry]]] = {}
        self._endpoint = endpoint
        for stage in (*self.stages, *self.canaries):
            stage.endpoint = endpoint if stage.api.private else None
        for entry in self._entries.values():
            for mapping in entry.api.domains:
                self._domains.setdefault(mapping.domain, []).append((mapping, entry))
        for mappings in self._domains.values():  # the longest base path is looked at first
            mappings.sort(key=lambda pair: -len(pair[0].base_path))

    @property
    def stages(self) -> list[DeployedStage]:
        """Every stage of every API, in template order."""
        return [stage for entry in self._entries.values() for stage in entry.stages.values()]

    @property
    def canaries(self) -> list[DeployedStage]:
        """The canaries of those stages that have one."""
        return [stage.canary for stage in self.stages if stage.canary is not None]

    @property
    def default(self) -> DeployedStage | None:
        """The stage that answers at `/…` without further naming."""
        return self._first.first if self._first else None

    def place(self, request: Request) -> Placed:
        """The stage and route a request means. GatewayError when no stage is meant."""
        host = request.headers.get(b"host") or b""
        key = (host, request.method, request.path)
        placed = self._placed.get(key)
        if placed is None:
            located = self.locate(host.decode("latin-1"), target_path(request.path))
            if located.deployed.api.private and self._endpoint is None:
                reason = f"API {located.deployed.api.id} is private: --vpc-endpoint names what requests come through"
                raise GatewayError(FORBIDDEN, reason, api=located.deployed.api.id)
            title = f"{request.method} {located.full_path}"
            placed = (located, located.deployed.match(request.method, located.path), title)
            if len(request.path) + len(host) <= _REMEMBERED_BYTES:
                if len(self._placed) >= _PLACES_REMEMBERED:
                    self._placed.clear()
                self._placed[key] = placed
        if placed[0].deployed.canary is not None:
            chosen = placed[0].deployed.choose()
            if chosen is not placed[0].deployed:
                return placed[0]._replace(deployed=chosen), chosen.match(request.method, placed[0].path), placed[2]
        return placed

    def locate(self, host: str, path: str) -> Located:
        """The stage and path a request means; `path` is raw, without query."""
        if path.startswith(APIS_PREFIX):
            api_id, _, rest = path[len(APIS_PREFIX) :].partition("/")
            entry = self._folded.get(unquote(api_id, errors="replace").lower())
            if entry is None:
                raise GatewayError(RESOURCE_NOT_FOUND, f"there is no API {api_id!r} in this stack", api=api_id)
            _check_default_endpoint(entry.api)
            return _in_stage(entry, "/" + rest, entry.domain_name)
        if self._domains and (mappings := self._domains.get(host.lower().partition(":")[0])) is not None:
            return _by_domain(mappings, path)
        named = self._by_host(host)
        if named is not None:
            entry, domain_name = named
            _check_default_endpoint(entry.api)
            return _in_stage(entry, path, domain_name)
        entry_or_none = self._first
        if entry_or_none is None or entry_or_none.first is None:
            raise GatewayError(RESOURCE_NOT_FOUND, "the template has no API with a stage")
        return _below(entry_or_none.first, path, path, entry_or_none.domain_name)

    def _by_host(self, host: str) -> tuple[_Entry, str] | None:
        try:
            return self._hosts[host]
        except KeyError:
            pass
        found: tuple[_Entry, str] | None = None
        name = host.lower().partition(":")[0]
        match = _API_HOST.fullmatch(name)
        if match is not None:
            entry = self._folded.get(match[1])
            if entry is None:
                raise GatewayError(RESOURCE_NOT_FOUND, f"there is no API {match[1]!r} in this stack", api=match[1])
            found = (entry, name.rstrip("."))
        if len(self._hosts) >= _HOSTS_REMEMBERED:
            self._hosts.clear()
        self._hosts[host] = found
        return found


def _check_default_endpoint(api: Api) -> None:
    """`DisableExecuteApiEndpoint`: 403 (REST), 404 (HTTP) by the API's own name. GatewayError."""
    if not api.default_endpoint:
        refusal = FORBIDDEN if api.is_rest else RESOURCE_NOT_FOUND
        raise GatewayError(refusal, f"API {api.id} has its execute-api endpoint disabled", api=api.id)


def _by_domain(mappings: list[tuple[DomainMapping, _Entry]], path: str) -> Located:
    """The stage that a custom domain's base path leads to; events show the path as the client wrote it."""
    trimmed = "/" + path.lstrip("/")
    for mapping, entry in mappings:
        if mapping.mutual_tls:
            reason = "the domain asks for mutual TLS, and clients cannot show a certificate here"
            raise GatewayError(FORBIDDEN, reason, domain=mapping.domain)
        prefix = f"/{mapping.base_path}" if mapping.base_path else ""
        if trimmed != prefix and not trimmed.startswith(prefix + "/"):
            continue
        below = trimmed[len(prefix) :] or "/"
        if not mapping.stage:
            located = _in_stage(entry, below, mapping.domain)
            return located._replace(shown_path=path, full_path=path)
        deployed = entry.stages.get(mapping.stage)
        if deployed is not None:
            prefix_label = mapping.domain.partition(".")[0]
            return Located(deployed, below, path, mapping.domain, prefix_label, path)
    raise GatewayError(FORBIDDEN, f"no base path of the domain leads to {path!r}")


def _in_stage(entry: _Entry, path: str, domain_name: str) -> Located:
    """The stage named by the first segment, or `$default`."""
    segment, slash, rest = path.lstrip("/").partition("/")
    deployed = entry.stages.get(segment)
    if deployed is None and "%" in segment:
        deployed = entry.stages.get(unquote(segment, errors="replace"))
    if deployed is not None:
        below = slash + rest
        return _below(deployed, below or "/", below, domain_name)
    if entry.default is not None:
        return _below(entry.default, path, path, domain_name)
    names = sorted(entry.stages)
    refusal = FORBIDDEN if entry.api.is_rest else RESOURCE_NOT_FOUND
    raise GatewayError(refusal, f"API {entry.api.id} has no stage {segment!r}", stage=segment, stages=names)


def _below(deployed: DeployedStage, path: str, tail: str, domain_name: str) -> Located:
    full_path = deployed.prefix + tail
    if deployed.api.is_rest and path.startswith("//"):
        path = "/" + path.lstrip("/")  # as observed on AWS; requestContext.path keeps the slashes
    return Located(deployed, path, full_path or "/", domain_name, domain_name.partition(".")[0], path)


def target_path(path: bytes) -> str:
    """The raw path of a request target in origin or absolute form, as text. GatewayError 400 for other forms."""
    if not path.startswith(b"/"):
        _, found, rest = path.partition(b"://")
        if not found:
            raise GatewayError(BAD_REQUEST, "the request target is neither a path nor a URL")
        path = b"/" + rest.partition(b"/")[2]
    try:
        return path.decode("ascii")
    except UnicodeDecodeError:
        return path.decode("utf-8", "replace")
