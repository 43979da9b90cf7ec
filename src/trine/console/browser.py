"""What the console asks of a browser before it answers: the right host, a session, and a request of its own pages.

Enters a request, leaves a verdict. Other sites cannot use a person's session: the cookie is `SameSite=Strict`, and a
header has to bear the session's key, which only the console's own origin knows. Besides, what a browser says about
where a request came from is believed against it. A name that was bound to this address afterwards (DNS rebinding) is
no name of this server.
"""

from __future__ import annotations

from collections.abc import Collection

from trine.http.message import Request

COOKIE = "trine_session"
OWN_HEADER = b"x-trine-console"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No page of the console may load anything from anywhere else, run a script that is not a file of its own, or be
framed."""
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"Content-Security-Policy", CONTENT_POLICY.encode()),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
)


def is_own_host(request: Request, names: Collection[str]) -> bool:
    """Whether the Host header names this server, by one of `names` with any port."""
    host = (request.headers.get(b"host") or b"").decode("latin-1").lower()
    name = host[: host.rindex("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return name in names


def key_of(request: Request) -> str:
    """The key that a page of the console sends along; empty when there is none."""
    return (request.headers.get(OWN_HEADER) or b"").decode("latin-1")


def is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page sent the request."""
    site = request.headers.get(b"sec-fetch-site")
    if site is not None and site != b"same-origin":
        return True
    origin = request.headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != request.headers.get(b"host")


def looks_ahead(request: Request) -> bool:
    """Whether nobody has asked for the page yet: a browser fetches it in advance, or something looks whether it is
    there (link checkers, previews)."""
    purpose = request.headers.get(b"sec-purpose") or request.headers.get(b"purpose") or b""
    return request.method == "HEAD" or purpose.startswith((b"prefetch", b"prerender", b"preview"))


def session_of(request: Request) -> str | None:
    """The session id in the request's cookie."""
    for header in request.headers.all(b"cookie"):
        for part in header.decode("latin-1").split(";"):
            name, found, value = part.strip().partition("=")
            if found and name == COOKIE:
                return value
    return None


def set_cookie(session: str) -> bytes:
    """The header that gives a browser its session; it ends with the browser."""
    return f"{COOKIE}={session}; Path=/_trine/; HttpOnly; SameSite=Strict".encode()
