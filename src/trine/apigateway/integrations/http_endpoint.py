"""HTTP and HTTP_PROXY: the request goes on to another HTTP server.

Enters an `Exchange`; leaves the future of that server's answer, and later the response: passed through (HTTP_PROXY), or
chosen by status and mapped (HTTP). A server that cannot be reached or is too slow is a `GatewayError`.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from urllib.parse import urlencode, urlsplit

from trine.apigateway.api import Integration, IntegrationType
from trine.apigateway.deployment import DeployedStage, fill_stage_variables
from trine.apigateway.errors import INTEGRATION_FAILURE, INTEGRATION_TIMEOUT, GatewayError
from trine.apigateway.event import Forwarded
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.own_apis import Caller
from trine.apigateway.integrations.request_parameters import Parameters, fill_path, integration_parameters
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.limits import PAYLOAD_BYTES, STREAM_IDLE_SECONDS
from trine.apigateway.parameters import REST_DROPPED
from trine.apigateway.response import HTTP_DROPPED as ANSWER_DROPPED
from trine.apigateway.response import HeaderPairs, header_name, header_value, remap_rest
from trine.aws.http_payload import HTTP_DROPPED
from trine.clock import Clock
from trine.http.client_exchange import Answer
from trine.http.client_stream import Pieces, StreamedAnswer
from trine.http.errors import CallTimedOut, HttpError
from trine.http.limits import CallLimits
from trine.http.message import Response

_REPLACED = frozenset({"host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})


class HttpEndpoint:
    """Runs one HTTP integration."""

    def __init__(
        self,
        transformation: Transformation,
        deployed: DeployedStage,
        client: Caller,
        forwarded: Forwarded,
        clock: Clock,
        link: str | None = None,
    ) -> None:
        """`link` is the URL that the integration's VPC link leads to. With it, a REST API's URI gives the path alone,
        and an HTTP API's request keeps its own path with the stage in front (developer guide, "Create private
        integrations for HTTP APIs")."""
        integration: Integration = transformation.integration
        self._transformation = transformation
        self._proxy = integration.type is IntegrationType.HTTP_PROXY
        self._streams = integration.streams
        self._client, self._clock = client, clock
        self._forwarded = forwarded
        self._uri = fill_stage_variables(integration.uri, deployed.stage.variables)
        self._keeps_path = link is not None and not deployed.rest
        self._host: bytes | None = None
        """What a linked integration's URI is for beside its path: the Host header of the request."""
        if link is not None:
            if not self._keeps_path:
                self._host = urlsplit(self._uri).netloc.encode("latin-1", "replace") or None
            self._uri = link + ("" if self._keeps_path else _path_of(self._uri))
        self._limits = CallLimits(total_timeout_seconds=integration.timeout_seconds, body_bytes=PAYLOAD_BYTES)

    def start(self, exchange: Exchange) -> Future[Answer] | Future[StreamedAnswer]:
        """Send the request on."""
        body = exchange.request.body if self._proxy else self._transformation.request_body(exchange)
        method = self._transformation.integration.http_method
        mapped = integration_parameters(self._transformation.integration.request_parameters, exchange, body)
        url = self._url(exchange, mapped)
        headers = self._headers(exchange, mapped["header"])
        exchange.made_event({"bytes": len(body), "url": url})
        exchange.sent = url, body
        method = exchange.method if method == "ANY" else method
        if self._streams:
            return asyncio.ensure_future(self._client.open(method, url, headers, body, self._limits))
        return asyncio.ensure_future(self._client.call(method, url, headers, body, self._limits))

    def _url(self, exchange: Exchange, mapped: Parameters) -> str:
        values = dict(mapped["path"])
        if not exchange.rest:
            values = {**(exchange.parameters or {}), **values}
        uri = fill_path(self._uri, values)
        if "overwrite:path" in self._transformation.integration.request_parameters:  # an HTTP API's mapping
            parts = urlsplit(uri)
            uri = f"{parts.scheme}://{parts.netloc}{exchange.request.path.decode('utf-8', 'replace')}"
        elif self._keeps_path:
            uri += exchange.full_path
        queries = [exchange.request.query.decode("latin-1")] if self._proxy and exchange.request.query else []
        if mapped["querystring"]:
            queries.append(urlencode(mapped["querystring"]))
        if not queries:
            return uri
        return f"{uri}{'&' if '?' in uri else '?'}{'&'.join(queries)}"

    def _headers(self, exchange: Exchange, mapped: dict[str, str]) -> HeaderPairs:
        pairs: HeaderPairs = []
        if self._proxy:
            dropped = (REST_DROPPED if exchange.rest else HTTP_DROPPED | {"content-length"}) | _REPLACED
            replaced = {name.lower() for name in mapped}
            for name, value in exchange.request.headers.pairs:
                lower = name.decode("latin-1").lower()
                if lower not in dropped and lower not in replaced:
                    pairs.append((name, value))
            for added, text in (
                (b"X-Forwarded-For", self._forwarded.chain(exchange)),
                (b"X-Forwarded-Port", self._forwarded.port),
                (b"X-Forwarded-Proto", self._forwarded.protocol),
            ):
                pairs.append((added, text.encode("latin-1", "replace")))
            if exchange.rest:
                pairs.append((b"X-Amzn-Apigateway-Api-Id", exchange.deployed.api.id.encode()))
        else:
            api_id = exchange.deployed.api.id.encode()
            content_type = exchange.request.headers.get(b"content-type") or b"application/json"
            pairs += [(b"Accept", b"application/json"), (b"User-Agent", b"AmazonAPIGateway_" + api_id)]
            pairs += [(b"Content-Type", content_type), (b"X-Amzn-Apigateway-Api-Id", api_id)]
            replaced = {name.lower() for name in mapped}
            pairs = [pair for pair in pairs if pair[0].decode().lower() not in replaced]
        if self._host is not None and not any(name.lower() == "host" for name in mapped):
            pairs.append((b"Host", self._host))
        pairs.append((b"X-Amzn-Trace-Id", exchange.trace_header.encode("latin-1", "replace")))
        pairs.extend((header_name(name), header_value(value, name)) for name, value in mapped.items())
        return pairs

    def complete(self, exchange: Exchange, settled: Future[Answer | StreamedAnswer]) -> Response:
        """The other server's answer as the method's. GatewayError 504 (REST) or 503 (HTTP) when there is none."""
        error = settled.exception() if not settled.cancelled() else None
        if isinstance(error, CallTimedOut):
            raise GatewayError(INTEGRATION_TIMEOUT, str(error), room="apigateway.integration")
        if error is not None or settled.cancelled():
            if error is not None and not isinstance(error, HttpError | ValueError | OSError):
                raise error
            exchange.integration_error = str(error)
            raise GatewayError(INTEGRATION_FAILURE, f"the endpoint failed: {error}", room="apigateway.integration")
        answer = settled.result()
        exchange.integration_status = answer.status
        if isinstance(answer, StreamedAnswer):
            return Response(answer.status, remap_rest(list(answer.headers)), _Idling(answer.body, self._clock))
        exchange.received = answer.body
        if not self._proxy:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
            index = self._transformation.choose(str(answer.status))
            return self._transformation.respond(exchange, index, answer.body, headers)
        pairs = list(answer.headers)
        if exchange.rest:
            pairs = [pair for pair in pairs if pair[0].lower() != b"x-amzn-trace-id"]  # the answer has the gateway's
            return Response(answer.status, remap_rest(pairs), answer.body)
        return Response(answer.status, [pair for pair in pairs if pair[0].lower() not in ANSWER_DROPPED], answer.body)


class _Idling:
    """A streamed body that ends when nothing comes for too long, as a function's does."""

    __slots__ = ("_body", "_clock")

    def __init__(self, body: Pieces, clock: Clock) -> None:
        self._body, self._clock = body, clock

    def __aiter__(self) -> _Idling:
        return self

    async def __anext__(self) -> bytes:
        error = CallTimedOut(f"nothing came for {STREAM_IDLE_SECONDS:g} s")
        timer = self._clock.call_later(STREAM_IDLE_SECONDS, self._body.finish, error)
        try:
            return await self._body.__anext__()
        finally:
            timer.cancel()

    async def aclose(self) -> None:
        """The reader has gone, or is done."""
        await self._body.aclose()


def _path_of(url: str) -> str:
    """Path and query of `url`, which may hold `{names}`."""
    _, found, rest = url.partition("://")
    path = rest.partition("/")[2] if found else url.lstrip("/")
    return f"/{path}" if path else ""
