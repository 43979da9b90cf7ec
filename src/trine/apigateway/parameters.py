"""Headers and query strings as events show them. Pure; bytes of the wire in, text out.

What REST APIs drop and how they spell names was taken from events recorded on AWS; HTTP APIs write every name in lower
case and join repeated ones with commas.
"""

from __future__ import annotations

from collections.abc import Iterable

from trine.aws.http_payload import HTTP_DROPPED, HeaderNames, decode_path, query_pairs

REST_DROPPED = frozenset(
    {"connection", "content-length", "content-md5", "expect", "max-forwards", "proxy-authenticate", "server", "te",
     "transfer-encoding", "trailer", "upgrade", "www-authenticate"}
)  # fmt: skip
"""Headers that never reach a REST integration."""

_SPELLED = {"authorization": "Authorization", "user-agent": "User-Agent", "host": "Host"}
_REST_NAMES = HeaderNames(REST_DROPPED, _SPELLED)
_HTTP_V1_NAMES = HeaderNames(HTTP_DROPPED, _SPELLED)


def rest_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`headers` (last value of each) and `multiValueHeaders`, names as first spelled on the wire."""
    return _cased_headers(pairs, _REST_NAMES)


def http_v1_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The same for an HTTP API with payload format 1.0, which keeps content-length."""
    return _cased_headers(pairs, _HTTP_V1_NAMES)


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


def rest_query(query: bytes) -> tuple[dict[str, str] | None, dict[str, list[str]] | None]:
    """`queryStringParameters` (last value wins) and `multiValueQueryStringParameters`; None when there are none."""
    pairs = query_pairs(query, rest=True)
    if not pairs:
        return None, None
    multi: dict[str, list[str]] = {}
    for name, value in pairs:
        multi.setdefault(name, []).append(value)
    return dict(pairs), multi


def decode_parameters(parameters: dict[str, str] | None) -> dict[str, str] | None:
    """Percent-decoded path parameters (HTTP APIs; REST APIs pass them raw, as recorded on AWS)."""
    if parameters is None:
        return None
    return {name: decode_path(value) for name, value in parameters.items()}
