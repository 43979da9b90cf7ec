"""Which stage of which WebSocket API a request means: by Host header, by `/_apis/…`, by custom domain.

Enters a request; leaves a `Target`, or None when the request is none of a WebSocket API's. A client that names no API
and asks for a WebSocket gets the first one of the template. Unlike REST, the path holds the stage and nothing more, or
the stage and `/@connections/{id}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from trine.apigateway.api import Api, DomainMapping
from trine.apigateway.stage import APIS_PREFIX
from trine.apigateway.websocket.stage import SocketStage
from trine.aws.arn import Place
from trine.http.message import Request
from trine.http.protocol import is_websocket

CONNECTIONS = "/@connections/"
_API_HOST = re.compile(r"([a-z0-9-]+)\.execute-api\.(?:localhost|[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)\.?")


class Target(NamedTuple):
    """What a request means."""

    api: Api
    stage: SocketStage | None
    """None: the API has no such stage."""
    stage_name: str
    connection_id: str | None
    """Behind `/@connections/`; None for a handshake."""
    rest: str
    """What is left of the path and means nothing."""
    domain_name: str


class Directory:
    """The WebSocket APIs of a stack."""

    def __init__(self, apis: Iterable[Api], place: Place) -> None:
        self._place = place
        self._apis = {api.id.lower(): api for api in apis}
        self._first = next(iter(self._apis.values()), None)
        self.stages: dict[tuple[str, str], SocketStage] = {
            (api.id, stage.name): SocketStage(api, stage, place) for api in self._apis.values() for stage in api.stages
        }
        self._domains: dict[str, list[tuple[DomainMapping, Api]]] = {}
        for api in self._apis.values():
            for mapping in api.domains:
                self._domains.setdefault(mapping.domain, []).append((mapping, api))

    def find(self, request: Request) -> Target | None:
        """What `request` means; None when it is for another kind of API."""
        path = request.path.decode("utf-8", "replace")
        host = (request.headers.get(b"host") or b"").decode("latin-1").lower().partition(":")[0]
        if path.startswith(APIS_PREFIX):
            api_id, _, below = path[len(APIS_PREFIX) :].partition("/")
            api = self._apis.get(unquote(api_id, errors="replace").lower())
            return self._in_stage(api, "/" + below, self._domain(api)) if api is not None else None
        if (mappings := self._domains.get(host)) is not None:
            return self._by_domain(mappings, path, host)
        named = _API_HOST.fullmatch(host)
        if named is not None:
            api = self._apis.get(named[1])
            return self._in_stage(api, path, host.rstrip(".")) if api is not None else None
        if self._first is not None and is_websocket(request):
            return self._in_stage(self._first, path, self._domain(self._first))
        return None

    def find_connection_path(self, path: str, api: Api | None) -> Target | None:
        """What a path of the AWS port means, `/{stage}/@connections/{id}` or `/@connections/{id}`.

        The API is the Host header's, or, with the plain address of the port, the template's first one.
        """
        chosen = api or self._first
        if chosen is None:
            return None
        if path.startswith(CONNECTIONS) and chosen.stages:
            path = f"/{chosen.stages[0].name}{path}"
        return self._in_stage(chosen, path, self._domain(chosen))

    def by_host(self, host: str) -> Api | None:
        """The API that a host name names."""
        named = _API_HOST.fullmatch(host.lower().partition(":")[0])
        return self._apis.get(named[1]) if named is not None else None

    def _domain(self, api: Api) -> str:
        return f"{api.id}.execute-api.{self._place.region}.amazonaws.com"

    def _in_stage(self, api: Api, path: str, domain_name: str) -> Target:
        name, slash, below = path.lstrip("/").partition("/")
        name = unquote(name, errors="replace")
        if not api.default_endpoint:  # only its custom domains lead to it
            return Target(api, None, name, None, "", domain_name)
        return self._below(api, name, slash + below, domain_name)

    def _below(self, api: Api, stage_name: str, rest: str, domain_name: str) -> Target:
        stage = self.stages.get((api.id, stage_name))
        if rest.startswith(CONNECTIONS):
            connection_id = unquote(rest[len(CONNECTIONS) :], errors="replace")
            return Target(api, stage, stage_name, connection_id, "", domain_name)
        return Target(api, stage, stage_name, None, rest.strip("/"), domain_name)

    def _by_domain(self, mappings: list[tuple[DomainMapping, Api]], path: str, host: str) -> Target | None:
        for mapping, api in sorted(mappings, key=lambda pair: -len(pair[0].base_path)):
            prefix = f"/{mapping.base_path}" if mapping.base_path else ""
            if path == prefix or path.startswith(prefix + "/") or not prefix:
                return self._below(api, mapping.stage, path[len(prefix) :], host)
        return None
