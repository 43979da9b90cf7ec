"""Headers and query strings as events show them. Pure; bytes of the wire in, text out.

What REST APIs drop and how they spell names was taken from events recorded on AWS; HTTP APIs write every name in lower
case and join repeated ones with commas.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, unquote_plus

REST_DROPPED = frozenset(
    {"connection", "content-length", "content-md5", "expect", "max-forwards", "proxy-authenticate", "server", "te",
     "transfer-encoding", "trailer", "upgrade", "www-authenticate"}
)  # fmt: skip
"""Headers that never reach a REST integration."""

HTTP_DROPPED = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "expect"}
)
"""Hop-by-hop headers that never reach an HTTP API's integration."""

_REST_SPELLED = {"authorization": "Authorization", "user-agent": "User-Agent", "host": "Host"}
_ADDED = frozenset({"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})
_NAMES_REMEMBERED = 4_096


class HeaderNames:
    """Remembers how each spelling on the wire is shown: (name shown, lower-case name), or None when dropped."""

    def __init__(self, *, rest: bool) -> None:
        self._rest = rest
        self._known: dict[bytes, tuple[str, str] | None] = {}

    def get(self, raw: bytes) -> tuple[str, str] | None:
        """The spelling shown for `raw` and its lower case."""
        try:
            return self._known[raw]
        except KeyError:
            pass
        name = raw.decode("latin-1")
        lower = name.lower()
        dropped = REST_DROPPED if self._rest else HTTP_DROPPED
        shown = None if lower in dropped or lower in _ADDED else (_REST_SPELLED.get(lower, name), lower)
        if len(self._known) >= _NAMES_REMEMBERED:
            self._known.clear()
        self._known[raw] = shown
        return shown


_REST_NAMES = HeaderNames(rest=True)
_HTTP_NAMES = HeaderNames(rest=False)


def rest_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`headers` (last value of each) and `multiValueHeaders`, names as first spelled on the wire."""
    return _cased_headers(pairs, _REST_NAMES)


def http_v1_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The same for an HTTP API with payload format 1.0, which keeps content-length."""
    return _cased_headers(pairs, _HTTP_NAMES)


def _cased_headers(
    pairs: Iterable[tuple[bytes, bytes]], names: HeaderNames
) -> tuple[dict[str, str], dict[str, list[str]]]:
    single: dict[str, str] = {}
    multi: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    get = names.get
    for raw, value in pairs:
        shown = get(raw)
        if shown is None:
            continue
        name, lower = shown
        text = value.decode("latin-1")
        if lower in spelled:
            name = spelled[lower]
            multi[name].append(text)
        else:
            spelled[lower] = name
            multi[name] = [text]
        single[name] = text
    return single, multi


def http_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], list[str] | None]:
    """Lower-case, comma-joined headers without `cookie`, and the cookies (None when there are none)."""
    headers: dict[str, str] = {}
    cookies: list[str] | None = None
    get = _HTTP_NAMES.get
    for raw, value in pairs:
        shown = get(raw)
        if shown is None:
            continue
        lower = shown[1]
        text = value.decode("latin-1")
        if lower == "cookie":
            found = [part for cookie in text.split(";") if (part := cookie.strip())]
            cookies = cookies + found if cookies else found
        elif lower in headers:
            headers[lower] += "," + text
        else:
            headers[lower] = text
    return headers, cookies or None


def query_pairs(query: bytes, *, rest: bool) -> list[tuple[str, str]]:
    """Decoded (name, value) pairs in order; `+` is a space. REST APIs also split at `;` ("the semicolon character …
    results in the data being split", API Gateway important notes)."""
    if not query:
        return []
    text = query.decode("latin-1") if query.isascii() else query.decode("utf-8", "replace")
    if rest and ";" in text:
        text = text.replace(";", "&")
    pairs: list[tuple[str, str]] = []
    encoded = "%" in text or "+" in text
    for part in text.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if encoded:
            name, value = unquote_plus(name, errors="replace"), unquote_plus(value, errors="replace")
        pairs.append((name, value))
    return pairs


def rest_query(query: bytes) -> tuple[dict[str, str] | None, dict[str, list[str]] | None]:
    """`queryStringParameters` (last value wins) and `multiValueQueryStringParameters`; None when there are none."""
    pairs = query_pairs(query, rest=True)
    if not pairs:
        return None, None
    multi: dict[str, list[str]] = {}
    for name, value in pairs:
        multi.setdefault(name, []).append(value)
    return dict(pairs), multi


def http_query(query: bytes) -> dict[str, str] | None:
    """`queryStringParameters` of payload 2.0: repeated names joined with commas; None when there are none."""
    joined: dict[str, str] = {}
    for name, value in query_pairs(query, rest=False):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined or None


def decode_path(path: str) -> str:
    """A percent-decoded path, as HTTP APIs show it; broken UTF-8 becomes U+FFFD."""
    return unquote(path, errors="replace") if "%" in path else path


def decode_parameters(parameters: dict[str, str] | None) -> dict[str, str] | None:
    """Percent-decoded path parameters (HTTP APIs; REST APIs pass them raw, as recorded on AWS)."""
    if parameters is None:
        return None
    return {name: decode_path(value) for name, value in parameters.items()}
