"""The response cache of REST stages: answers of GET methods kept for their time to live.

Enters an `Exchange` that passed all guards; leaves a kept answer, or None. The key is the method with the values of its
`cacheKeyParameters` and nothing else: two ids in the path share an answer unless the path parameter is one of them, as
on AWS. `Cache-Control: max-age=0` fetches anew for callers signed with a right to `execute-api:InvalidateCache`; for
others it is ignored with a `Warning`, as in every stage made by CloudFormation. Source: "Cache settings for REST APIs".
"""

from __future__ import annotations

from collections import OrderedDict

from trine.apigateway.api import CacheSetting, Stage, method_setting
from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.transformation import resolve_request_parameter
from trine.apigateway.limits import CACHED_RESPONSE_BYTES, CACHED_RESPONSES_BYTES
from trine.aws.errors import AwsError
from trine.clock import Clock
from trine.http.message import Response
from trine.iam.access import Access

ROOM = "apigateway.cache"
WARNING = (b"Warning", b"199 Cache-control headers were ignored because the caller was unauthorized.")
_Key = tuple[str | None, ...]


class _Kept:
    __slots__ = ("body", "expires_at", "headers", "status")

    def __init__(self, response: Response, body: bytes, expires_at: float) -> None:
        self.status, self.headers, self.body = response.status, list(response.headers), body
        self.expires_at = expires_at


class ResponseCache:
    """The kept answers of one stage; bounded in bytes, the oldest leave first."""

    def __init__(self, stage: Stage, routes: list[DeployedRoute], clock: Clock, access: Access | None) -> None:
        self._clock, self._access = clock, access
        self._settings = {route: _setting(stage, route) for route in routes}
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._bytes = 0

    def find(self, exchange: Exchange) -> Response | None:
        """The kept answer for this request, if it is fresh and the caller may not or did not ask for a new one."""
        setting = self._settings[exchange.route]
        if setting is None:
            return None
        ignored = False
        if _asks_anew(exchange):
            if self._may_invalidate(exchange):
                exchange.trace.step(ROOM, {"invalidated": True})
                return None
            ignored = True
        kept = self._kept.get(_key(exchange))
        if kept is None or kept.expires_at <= self._clock.now():
            return None
        exchange.trace.step(ROOM, {"hit": True})
        return Response(kept.status, [*kept.headers, WARNING] if ignored else list(kept.headers), kept.body)

    def keep(self, exchange: Exchange, response: Response) -> None:
        """Remember a successful answer."""
        setting = self._settings[exchange.route]
        body = response.body
        if setting is None or not isinstance(body, bytes) or response.status >= 300:
            return
        if len(body) > CACHED_RESPONSE_BYTES:
            return
        key = _key(exchange)
        self._forget(key)
        self._kept[key] = _Kept(response, body, self._clock.now() + setting.ttl_seconds)
        self._bytes += len(body)
        while self._bytes > CACHED_RESPONSES_BYTES:
            self._forget(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget every answer (`FlushStageCache`)."""
        self._kept.clear()
        self._bytes = 0

    def _forget(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.body)

    def _may_invalidate(self, exchange: Exchange) -> bool:
        if self._access is None or exchange.caller is None:
            return False
        arn = exchange.deployed.execute_api_arn(exchange.method, exchange.path)
        try:
            self._access.authorize(exchange.caller, "execute-api:InvalidateCache", arn)
        except AwsError:
            return False
        return True


def _setting(stage: Stage, route: DeployedRoute) -> CacheSetting | None:
    """The setting of a GET method, or of any method that is named by itself; None when nothing is kept."""
    method, path = route.route.method, route.route.path
    own = stage.cache.get(f"{method} {path}")
    found = method_setting(stage.cache, method, path) if own is None and method == "GET" else own
    return found if found is not None and found.enabled and found.ttl_seconds > 0 else None


def _asks_anew(exchange: Exchange) -> bool:
    control = exchange.request.headers.get(b"cache-control")
    return control is not None and b"max-age=0" in control.replace(b" ", b"").lower()


def _key(exchange: Exchange) -> _Key:
    route = exchange.route
    values = [
        resolve_request_parameter(_source(name, route), exchange, exchange.request.body)
        for name in route.integration.cache_key_parameters
    ]
    return (exchange.method, route.resource_path, *values)


def _source(name: str, route: DeployedRoute) -> str:
    """A key parameter may name the method's request, or the integration's, which maps from the method's."""
    return str(route.integration.request_parameters.get(name, name))
