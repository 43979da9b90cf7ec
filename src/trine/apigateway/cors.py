"""CORS of HTTP APIs: preflight answered by the gateway, headers added to every answer.

REST APIs have no such setting (SAM's `Cors` makes an OPTIONS method with a MOCK integration instead). Source:
"Configure CORS for HTTP APIs". When CORS is configured, the integration's own CORS headers are ignored.
"""

from __future__ import annotations

from trine.apigateway.api import Cors
from trine.http.message import Headers, Response

HeaderPairs = list[tuple[bytes, bytes]]

_OWNED = frozenset(
    {b"access-control-allow-origin", b"access-control-allow-methods", b"access-control-allow-headers",
     b"access-control-expose-headers", b"access-control-max-age", b"access-control-allow-credentials"}
)  # fmt: skip


class CorsPolicy:
    """One API's CORS settings, ready to be applied."""

    __slots__ = ("_any_origin", "_cors", "_origins", "_wildcards")

    def __init__(self, cors: Cors) -> None:
        self._cors = cors
        self._any_origin = "*" in cors.allow_origins
        self._origins = frozenset(origin.lower() for origin in cors.allow_origins)
        self._wildcards = tuple(o.lower() for o in cors.allow_origins if o.endswith("://*"))

    def allowed_origin(self, origin: bytes | None) -> bytes | None:
        """What `access-control-allow-origin` says to `origin`, or None when it is not allowed."""
        if origin is None or not self._cors.allow_origins:
            return None
        if self._any_origin and not self._cors.allow_credentials:
            return b"*"
        text = origin.decode("latin-1").lower()
        if self._any_origin or text in self._origins or any(text.startswith(w[:-1]) for w in self._wildcards):
            return origin
        return None

    def preflight(self, headers: Headers) -> Response | None:
        """The answer to an OPTIONS request that is a preflight, or None when it is an ordinary request."""
        origin = headers.get(b"origin")
        if origin is None or headers.get(b"access-control-request-method") is None:
            return None
        allowed = self.allowed_origin(origin)
        if allowed is None:
            return Response(204)
        cors = self._cors
        pairs: HeaderPairs = [(b"Access-Control-Allow-Origin", allowed)]
        if cors.allow_methods:
            pairs.append((b"Access-Control-Allow-Methods", ",".join(cors.allow_methods).encode()))
        if cors.allow_headers:
            pairs.append((b"Access-Control-Allow-Headers", ",".join(cors.allow_headers).encode()))
        if cors.max_age_seconds is not None:
            pairs.append((b"Access-Control-Max-Age", str(cors.max_age_seconds).encode()))
        if cors.allow_credentials:
            pairs.append((b"Access-Control-Allow-Credentials", b"true"))
        if allowed != b"*":
            pairs.append((b"Vary", b"Origin"))
        return Response(204, pairs)

    def apply(self, response: Response, origin: bytes | None) -> None:
        """Put the CORS headers of an ordinary answer in place of the integration's own."""
        headers = response.headers
        if any(name.lower() in _OWNED for name, _ in headers):
            response.headers = headers = [pair for pair in headers if pair[0].lower() not in _OWNED]
        allowed = self.allowed_origin(origin)
        if allowed is None:
            return
        headers.append((b"Access-Control-Allow-Origin", allowed))
        if self._cors.expose_headers:
            headers.append((b"Access-Control-Expose-Headers", ",".join(self._cors.expose_headers).encode()))
        if self._cors.allow_credentials:
            headers.append((b"Access-Control-Allow-Credentials", b"true"))
        if allowed != b"*":
            headers.append((b"Vary", b"Origin"))
