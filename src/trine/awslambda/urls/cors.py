"""CORS of function URLs: a preflight is answered without running anything, ordinary answers get their headers.

Source: developer guide, "Creating and managing Lambda function URLs", cross-origin resource sharing. Where the URL has
a Cors setting, the same headers of the function's own answer are replaced.
"""

from __future__ import annotations

from trine.awslambda.urls.config import UrlCors
from trine.http.message import Request

HeaderPairs = list[tuple[bytes, bytes]]
_OWNED = frozenset(
    {b"access-control-allow-origin", b"access-control-allow-methods", b"access-control-allow-headers",
     b"access-control-expose-headers", b"access-control-max-age", b"access-control-allow-credentials"}
)  # fmt: skip


def is_preflight(request: Request) -> bool:
    """Whether a browser only asks what it may do."""
    headers = request.headers
    return (
        request.method == "OPTIONS"
        and headers.get(b"origin") is not None
        and headers.get(b"access-control-request-method") is not None
    )


def allowed_origin(cors: UrlCors, origin: bytes | None) -> bytes | None:
    """What `Access-Control-Allow-Origin` says to `origin`; None when it is not allowed."""
    if origin is None:
        return None
    if "*" in cors.allow_origins:
        return origin if cors.allow_credentials else b"*"
    return origin if origin.decode("latin-1") in cors.allow_origins else None


def preflight_headers(cors: UrlCors, request: Request) -> HeaderPairs:
    """The headers of a preflight's answer; none when the origin is not allowed."""
    allowed = allowed_origin(cors, request.headers.get(b"origin"))
    if allowed is None:
        return []
    pairs = _common(cors, allowed)
    if cors.allow_methods:
        pairs.append((b"Access-Control-Allow-Methods", ",".join(cors.allow_methods).encode()))
    if cors.allow_headers:
        pairs.append((b"Access-Control-Allow-Headers", ",".join(cors.allow_headers).encode()))
    if cors.max_age_seconds is not None:
        pairs.append((b"Access-Control-Max-Age", str(cors.max_age_seconds).encode()))
    return pairs


def with_cors(cors: UrlCors, pairs: HeaderPairs, request: Request) -> HeaderPairs:
    """An ordinary answer's headers with the URL's CORS headers in place of its own."""
    kept = [pair for pair in pairs if pair[0].lower() not in _OWNED]
    allowed = allowed_origin(cors, request.headers.get(b"origin"))
    if allowed is None:
        return kept
    kept += _common(cors, allowed)
    if cors.expose_headers:
        kept.append((b"Access-Control-Expose-Headers", ",".join(cors.expose_headers).encode()))
    return kept


def _common(cors: UrlCors, allowed: bytes) -> HeaderPairs:
    pairs = [(b"Access-Control-Allow-Origin", allowed)]
    if cors.allow_credentials:
        pairs.append((b"Access-Control-Allow-Credentials", b"true"))
    if allowed != b"*":
        pairs.append((b"Vary", b"Origin"))
    return pairs
