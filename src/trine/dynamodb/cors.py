"""Browsers that call the table from another origin: the headers DynamoDB answers them with.

A request with an `Origin` enters; the headers to add to its answer leave. Any origin may call, since every request is
signed. Preflights (OPTIONS) are allowed what they ask for.
"""

from __future__ import annotations

from trine.http.message import Request

PREFLIGHT_SECONDS = 172_800
_EXPOSED = b"x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date"


def cors_headers(request: Request) -> list[tuple[bytes, bytes]]:
    """The headers to add; none for a request without `Origin`."""
    if request.headers.get(b"origin") is None:
        return []
    headers = [(b"Access-Control-Allow-Origin", b"*"), (b"Access-Control-Expose-Headers", _EXPOSED)]
    if request.method != "OPTIONS":
        return headers
    for asked, allowed in (
        (b"access-control-request-method", b"Access-Control-Allow-Methods"),
        (b"access-control-request-headers", b"Access-Control-Allow-Headers"),
    ):
        value = request.headers.get(asked)
        if value is not None:
            headers.append((allowed, value))
    headers.append((b"Access-Control-Max-Age", b"%d" % PREFLIGHT_SECONDS))
    return headers
