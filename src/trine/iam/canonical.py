"""Signature Version 4's canonical forms, as botocore and AWS's servers write them. Pure.

Enters raw path, query and header bytes, leaves what goes into the canonical request. For every service but S3 the path
is normalised and encoded once more on top of the encoding it came with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

from trine.http.message import Headers

_PATH_CACHED_MAX_BYTES = 512


def canonical_path(path: bytes) -> bytes:
    """The path of the request line, dot segments and doubled slashes removed, percent-encoded again."""
    if path == b"/":
        return path
    return _cached_path(path) if len(path) <= _PATH_CACHED_MAX_BYTES else _path(path)


def _path(path: bytes) -> bytes:
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment and segment != b".":
            kept.append(segment)
    closing = b"/" if kept and path.endswith(b"/") else b""
    return quote_from_bytes(b"/" + b"/".join(kept) + closing, safe="/~").encode()


_cached_path = lru_cache(1024)(_path)


def canonical_queries(query: bytes) -> Iterator[bytes]:
    """Forms of the query that a correct signer may have signed, the likeliest first.

    Pairs sorted by name and then value. First each one decoded and encoded anew as AWS's servers do, then just as
    it came, as botocore signs a URL. Both bind the same parameters, so that accepting either gives nothing away.
    """
    if not query:
        yield b""
        return
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    encoded = b"&".join(b"%b=%b" % pair for pair in sorted((_recode(name), _recode(value)) for name, _, value in pairs))
    yield encoded
    as_sent = b"&".join(b"%b=%b" % pair for pair in sorted((name, value) for name, _, value in pairs))
    if as_sent != encoded:
        yield as_sent


def _recode(text: bytes) -> bytes:
    if text.isalnum():
        return text
    return quote_from_bytes(unquote_to_bytes(text.replace(b"+", b" ")), safe="-_.~").encode()


def canonical_headers(headers: Headers, names: Sequence[bytes]) -> bytes | None:
    """`name:value` lines for `names`: inner white space folded, repeated headers joined; None when one is absent."""
    lines = []
    for name in names:
        values = headers.all(name)
        if not values:
            return None
        lines.append(name + b":" + b",".join(b" ".join(value.split()) for value in values) + b"\n")
    return b"".join(lines)
