"""MOCK: the gateway answers by itself, as SAM's `Cors` makes it do for OPTIONS.

The request template must give JSON with a `statusCode`, by which the integration response is chosen.
"""

from __future__ import annotations

import re
from asyncio import Future
from typing import Any

import orjson

from trine.apigateway.errors import INTERNAL_ERROR, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.response import HeaderPairs
from trine.http.message import Response

_LENIENT = re.compile(rb"[{,\s][\"']?statusCode[\"']?\s*:\s*[\"']?(\d{3})")


class Mock:
    """Runs one MOCK integration. Where nothing of it depends on the request, its answer is made once."""

    __slots__ = ("_same", "_transformation")

    def __init__(self, transformation: Transformation) -> None:
        self._transformation = transformation
        self._same = _same_answer(transformation)

    def start(self, exchange: Exchange) -> Response:
        """The whole answer, at once."""
        if self._same is not None and exchange.request.headers.get(b"content-type") in _JSON_TYPES:
            status, pairs, body = self._same
            return Response(status, list(pairs), body)
        body = self._transformation.request_body(exchange)
        index = self._transformation.choose(status_code(body))
        return self._transformation.respond(exchange, index, b"", {})

    def complete(self, exchange: Exchange, settled: Future[Any]) -> Response:
        """Never called: nothing is waited for."""
        raise AssertionError("a MOCK integration does not wait")


_JSON_TYPES = (None, b"application/json")


def _same_answer(transformation: Transformation) -> tuple[int, HeaderPairs, bytes] | None:
    """The answer to every request without a body or with JSON, when it is always the same."""
    template = transformation.request_templates.get("application/json")
    if template is None or not template.is_static or transformation.integration.content_handling is not None:
        return None
    try:
        index = transformation.choose(status_code(template.source.encode()))
        return transformation.static_answer(index)
    except GatewayError:  # every request tells why
        return None


def status_code(body: bytes) -> str:
    """The `statusCode` of a rendered request template; keys without quotes are taken too, as on AWS."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        match = _LENIENT.search(body)
        if match is not None:
            return match[1].decode()
        document = None
    status = document.get("statusCode") if isinstance(document, dict) else None
    if status is None or not str(status).isdigit():
        raise GatewayError(
            INTERNAL_ERROR, "the request template of a MOCK integration gives no statusCode", room="apigateway.mapping"
        )
    return str(status)
