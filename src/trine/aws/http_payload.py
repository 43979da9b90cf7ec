"""Payload format 2.0, the pieces that HTTP APIs and function URLs share: headers, query, path, body, time.

Pure; bytes of the wire in, text of the event out. Sources: "AWS Lambda integrations for HTTP APIs" and "Request and
response payloads" of function URLs, checked against events recorded on AWS.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import unquote, unquote_plus

from trine.http.message import Headers

HTTP_DROPPED = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "expect"}
)
"""Hop-by-hop headers that never reach an HTTP API's integration."""

_ADDED = frozenset({"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})
_TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml", "application/graphql"})
_NAMES_REMEMBERED = 4_096


class HeaderNames:
    """Remembers how each spelling on the wire is shown: (name shown, lower-case name), or None when dropped."""

    def __init__(self, dropped: frozenset[str], spelled: Mapping[str, str]) -> None:
        """`dropped` are names in lower case, `spelled` those that are always shown in one spelling."""
        self._dropped = dropped | _ADDED
        self._spelled = spelled
        self._known: dict[bytes, tuple[str, str] | None] = {}

    def get(self, raw: bytes) -> tuple[str, str] | None:
        """The spelling shown for `raw` and its lower case."""
        try:
            return self._known[raw]
        except KeyError:
            pass
        name = raw.decode("latin-1")
        lower = name.lower()
        shown = None if lower in self._dropped else (self._spelled.get(lower, name), lower)
        if len(self._known) >= _NAMES_REMEMBERED:
            self._known.clear()
        self._known[raw] = shown
        return shown


_NAMES = HeaderNames(HTTP_DROPPED, {})


def http_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], list[str] | None]:
    """Lower-case, comma-joined headers without `cookie`, and the cookies (None when there are none)."""
    headers: dict[str, str] = {}
    cookies: list[str] | None = None
    get = _NAMES.get
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


def http_query(query: bytes) -> dict[str, str] | None:
    """`queryStringParameters` of payload 2.0: repeated names joined with commas; None when there are none."""
    joined: dict[str, str] = {}
    for name, value in query_pairs(query, rest=False):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined or None


def decode_path(path: str) -> str:
    """A percent-decoded path, as HTTP APIs show it; broken UTF-8 becomes U+FFFD."""
    return unquote(path, errors="replace") if "%" in path else path


def is_text(content_type: bytes | None) -> bool:
    """Does an HTTP API pass a body of this type as text? Without a type: yes."""
    if content_type is None:
        return True
    media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in _TEXT_TYPES or media_type.endswith(("+json", "+xml"))


def http_body(body: bytes, headers: Headers) -> tuple[str | None, bool]:
    """(`body`, `isBase64Encoded`) of an HTTP API's event; text that is no UTF-8 goes as base64."""
    if not body:
        return None, False
    if is_text(headers.get(b"content-type")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(body).decode(), True


def decode_base64(text: str) -> bytes | None:
    """The bytes of a base64 body, white space allowed; None when it is not base64."""
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_formatted: tuple[int, str] = (-1, "")


def request_time(now_seconds: float) -> str:
    """`23/Nov/2026:09:00:00 +0000`; formatted once a second."""
    global _formatted
    second = int(now_seconds)
    if _formatted[0] != second:
        at = datetime.fromtimestamp(second, UTC)
        _formatted = (second, f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000")
    return _formatted[1]
