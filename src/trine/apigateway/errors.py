"""Everything the gateway itself can answer with: name, status, body and `x-amzn-ErrorType`.

A room raises `GatewayError` with one of the `Refusal` values below; the corridor turns it into a response with
`error_response`, once. The two API kinds say the same things in different words, so each refusal carries both.
Bodies follow AWS to the space: a template-rendered REST message has none after the colon, an internal one has.
Types and default statuses: "Gateway response types for API Gateway", API Gateway Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import orjson
from msgspec import Struct

from trine.http.message import Response


class Refusal(Struct, frozen=True, eq=False):
    """One kind of gateway answer. `type` is the gateway response type; `http_status` and `http_message` are for
    HTTP APIs."""

    type: str
    status: int
    message: str | None
    error_type: str
    http_status: int
    http_message: str
    spaced: bool = False
    """REST writes `{"message": "…"}` with a space where the message does not come from the default template."""


MISSING_AUTHENTICATION_TOKEN = Refusal(
    "MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException",
    404, "Not Found",
)  # fmt: skip
RESOURCE_NOT_FOUND = Refusal("RESOURCE_NOT_FOUND", 404, "Not Found", "NotFoundException", 404, "Not Found")
FORBIDDEN = Refusal("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException", 403, "Forbidden")
"""Unknown stage, or a missing, unknown or disabled API key."""
ACCESS_DENIED = Refusal(
    "ACCESS_DENIED", 403, "User is not authorized to access this resource", "AccessDeniedException", 403, "Forbidden"
)
UNAUTHORIZED = Refusal("UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException", 401, "Unauthorized")
INVALID_SIGNATURE = Refusal(
    "INVALID_SIGNATURE", 403, "The request signature we calculated does not match the signature you provided. Check "
    "your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "InvalidSignatureException", 403, "Forbidden",
)  # fmt: skip
EXPIRED_TOKEN = Refusal(
    "EXPIRED_TOKEN", 403, "The security token included in the request is expired", "ExpiredTokenException",
    403, "Forbidden",
)  # fmt: skip
AUTHORIZER_CONFIGURATION_ERROR = Refusal(
    "AUTHORIZER_CONFIGURATION_ERROR", 500, None, "AuthorizerConfigurationException", 500, "Internal Server Error"
)
BAD_REQUEST = Refusal("DEFAULT_4XX", 400, "Bad Request", "BadRequestException", 400, "Bad Request")
BAD_REQUEST_BODY = Refusal(
    "BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException", 400, "Bad Request", spaced=True
)
BAD_REQUEST_PARAMETERS = Refusal(
    "BAD_REQUEST_PARAMETERS", 400, "Missing required request parameters", "BadRequestException", 400, "Bad Request",
    spaced=True,
)  # fmt: skip
REQUEST_TOO_LARGE = Refusal(
    "REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException", 413, "Request Entity Too Large"
)
URI_TOO_LONG = Refusal("DEFAULT_4XX", 414, "URI Too Long", "BadRequestException", 414, "URI Too Long")
HEADERS_TOO_LARGE = Refusal(
    "DEFAULT_4XX", 431, "Request Header Fields Too Large", "BadRequestException",
    431, "Request Header Fields Too Large",
)  # fmt: skip
UNSUPPORTED_MEDIA_TYPE = Refusal(
    "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException", 415, "Unsupported Media Type",
    spaced=True,
)  # fmt: skip
THROTTLED = Refusal("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException", 429, "Too Many Requests")
QUOTA_EXCEEDED = Refusal("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException", 429, "Too Many Requests")
API_CONFIGURATION_ERROR = Refusal(
    "API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException",
    500, "Internal Server Error", spaced=True,
)  # fmt: skip
MALFORMED_RESPONSE = Refusal(
    "DEFAULT_5XX", 502, "Internal server error", "InternalServerErrorException",
    500, "Internal Server Error", spaced=True,
)  # fmt: skip
"""The function failed or its answer is no proxy answer: 502 (REST), 500 (HTTP)."""
INTEGRATION_REFUSED = Refusal(
    "INTEGRATION_FAILURE", 500, "Internal server error", "InternalServerErrorException",
    500, "Internal Server Error", spaced=True,
)  # fmt: skip
"""Lambda refused the invocation: "If the Lambda API rejects the invocation request, API Gateway returns a 500"
(Lambda Developer Guide, "Handling Lambda errors with an API Gateway API")."""
INTEGRATION_THROTTLED = Refusal(
    "INTEGRATION_FAILURE", 500, "Internal server error", "InternalServerErrorException",
    503, "Service Unavailable", spaced=True,
)  # fmt: skip
"""The function is throttled. 500 on REST as above; 503 on HTTP APIs is seen in practice but not documented."""
INTEGRATION_FAILURE = Refusal(
    "INTEGRATION_FAILURE", 504, "Network error communicating with endpoint", "InternalServerErrorException",
    503, "Service Unavailable", spaced=True,
)  # fmt: skip
INTEGRATION_TIMEOUT = Refusal(
    "INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException",
    503, "Service Unavailable", spaced=True,
)  # fmt: skip
INTERNAL_ERROR = Refusal(
    "DEFAULT_5XX", 500, "Internal server error", "InternalServerErrorException",
    500, "Internal Server Error", spaced=True,
)  # fmt: skip


class GatewayError(Exception):
    """A request ends here with `refusal`. `reason` and `facts` explain it on the trace, never to the client.

    One that is the same every time may be made once and raised again and again.
    """

    def __init__(
        self,
        refusal: Refusal,
        reason: str,
        *,
        message: str | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
        room: str = "",
        **facts: Any,
    ) -> None:
        self.refusal = refusal
        self.reason = reason
        self.message = message if message is not None else refusal.message
        self.headers = headers or []
        self.room = room
        """The room that refused; the one that catches it says so where the one that raised it did not."""
        self.facts = facts

    def __str__(self) -> str:
        return self.reason

    @cached_property
    def explanation(self) -> Mapping[str, Any]:
        """What the trace says of this refusal; asked for once the room is known."""
        return {"room": self.room or "apigateway.response", "reason": self.reason, **self.facts}


def message_text(message: str | None) -> str:
    """The message as JSON text with its quotes: `$context.error.messageString`."""
    return orjson.dumps(message).decode()


def message_body(message: str | None, *, spaced: bool, capital: bool = False) -> bytes:
    """`{"message":"…"}` as AWS prints it."""
    text = orjson.dumps(message)
    name = b'{"Message":' if capital else b'{"message":'
    return name + (b" " if spaced else b"") + text + b"}"


def error_response(error: GatewayError, *, rest: bool) -> Response:
    """The response of `error` with AWS's default body, before request-id and CORS headers are added."""
    refusal = error.refusal
    if rest:
        kind, body = _rest_answer(refusal, error.message)
        return Response(refusal.status, [_JSON, kind, *error.headers], body)
    body = message_body(refusal.http_message, spaced=False)
    return Response(refusal.http_status, [_JSON, *error.headers], body)


_JSON = (b"Content-Type", b"application/json")


@lru_cache(maxsize=1_024)
def _rest_answer(refusal: Refusal, message: str | None) -> tuple[tuple[bytes, bytes], bytes]:
    """`x-amzn-ErrorType` and the default body."""
    body = message_body(message, spaced=refusal.spaced, capital=refusal.type == "ACCESS_DENIED")
    return (b"x-amzn-ErrorType", refusal.error_type.encode()), body


_BY_STATUS = {413: REQUEST_TOO_LARGE, 414: URI_TOO_LONG, 431: HEADERS_TOO_LARGE, 500: INTERNAL_ERROR}


def door_response(status: int, reason: str, *, rest: bool) -> Response:
    """The answer to what the HTTP server refused before a request reached an API, in the gateway's words."""
    refusal = _BY_STATUS.get(status)
    if refusal is not None:
        return error_response(GatewayError(refusal, reason), rest=rest)
    body = message_body(reason, spaced=False)
    return Response(status, [(b"Content-Type", b"application/json")], body)
