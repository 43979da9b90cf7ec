"""What a WebSocket API itself says to a client: refused handshakes, and error messages on an open connection. Pure.

Enters a `GatewayError`; leaves AWS's text. The words are those of a REST API's gateway responses, with the connection's
and the request's id behind them, as seen on AWS: `{"message": "Forbidden", "connectionId":"…", "requestId":"…"}`.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from trine.apigateway.errors import GatewayError
from trine.http.message import Response

_WORDS: Mapping[str, str] = {"ACCESS_DENIED": "Forbidden", "MISSING_AUTHENTICATION_TOKEN": "Forbidden",
                             "INVALID_SIGNATURE": "Forbidden", "EXPIRED_TOKEN": "Forbidden"}  # fmt: skip
"""Refusals whose reason a WebSocket API does not tell."""
_HANDSHAKE_STATUS = {"INTEGRATION_FAILURE": 502, "INTEGRATION_TIMEOUT": 504, "API_CONFIGURATION_ERROR": 500}


def error_text(error: GatewayError, connection_id: str, request_id: str) -> bytes:
    """The message that tells the client of `error`."""
    words = _WORDS.get(error.refusal.type) or error.message or "Internal server error"
    return b'{"message": %b, "connectionId":%b, "requestId":%b}' % (
        orjson.dumps(words),
        orjson.dumps(connection_id),
        orjson.dumps(request_id),
    )


def refused_handshake(error: GatewayError, connection_id: str, request_id: str) -> Response:
    """The HTTP answer to a handshake that is refused: 401, 403, 429, 500, 502 or 504."""
    status = _HANDSHAKE_STATUS.get(error.refusal.type, error.refusal.status)
    return refusal(status, error_text(error, connection_id, request_id), request_id)


def refusal(status: int, body: bytes, request_id: str) -> Response:
    """An HTTP answer of the WebSocket door."""
    headers = [(b"Content-Type", b"application/json"), (b"x-amzn-RequestId", request_id.encode())]
    return Response(status, headers, body)
