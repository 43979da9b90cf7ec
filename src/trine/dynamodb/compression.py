"""Bodies that come or go compressed: gzip and deflate, as DynamoDB does them.

A request's headers and body enter, the plain body leaves; an answer's body and the client's `Accept-Encoding` enter,
what goes out leaves. Answers above 4 KB are compressed for clients that ask. How odd `Accept-Encoding` values are read
follows what DynamoDB was seen to do with them (no document says it).
"""

from __future__ import annotations

import zlib

from trine.aws.errors import AwsError
from trine.dynamodb.limits import REQUEST_BODY_MAX_BYTES

ANSWER_THRESHOLD_BYTES = 4096
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6
_NAMES = ("gzip", "deflate")


class UnreadableBody(AwsError):
    """A body that is not compressed as its `Content-Encoding` says: DynamoDB calls that its own failure."""

    code = "InternalFailure"
    status = 500


class BodyTooLarge(AwsError):
    """A compressed body that is too large when it is plain."""

    code = "RequestEntityTooLargeException"
    status = 413


def plain_body(body: bytes, content_encoding: bytes) -> bytes:
    """The body without its encoding, never larger than a plain one may be. UnreadableBody or BodyTooLarge."""
    name = content_encoding.strip().lower()
    if name in (b"", b"identity"):
        return body
    if name not in (b"gzip", b"deflate"):
        raise UnreadableBody("The Content-Encoding of the request is not supported")
    if not body:
        raise UnreadableBody("The request is empty, which no encoding is")
    parts: list[bytes] = []
    size_bytes = 0
    while body:
        reader = zlib.decompressobj(_GZIP if name == b"gzip" else zlib.MAX_WBITS)
        try:
            part = reader.decompress(body, REQUEST_BODY_MAX_BYTES - size_bytes + 1)
        except zlib.error:
            raise UnreadableBody("The request is not encoded as its Content-Encoding says") from None
        parts.append(part)
        size_bytes += len(part)
        if size_bytes > REQUEST_BODY_MAX_BYTES:
            raise BodyTooLarge("Request Entity Too Large")
        if not reader.eof:
            raise UnreadableBody("The encoded request ends too early")
        body = reader.unused_data
    return b"".join(parts)


def compressed(body: bytes, accept_encoding: bytes | None) -> tuple[bytes, str | None]:
    """What goes out for a client that accepts such encodings, and the encoding's name if there is one."""
    name = chosen_encoding(accept_encoding.decode("latin-1")) if accept_encoding else None
    if name is None:
        return body, None
    writer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP if name == "gzip" else zlib.MAX_WBITS)
    return writer.compress(body) + writer.flush(), name


def chosen_encoding(accept_encoding: str) -> str | None:
    """The encoding an `Accept-Encoding` asks for most: the best quality, among equals the first; None for plain."""
    qualities: dict[str, float] = {}
    for entry in accept_encoding.split(","):
        name, _, parameters = entry.partition(";")
        name = name.strip().lower()
        if name in (*_NAMES, "*"):
            qualities[name] = max(_quality(parameters), qualities.get(name, 0.0))
    others = qualities.pop("*", 0.0)
    for name in _NAMES:
        qualities.setdefault(name, others)
    best = max(qualities, key=lambda name: qualities[name])
    return best if qualities[best] > 0 else None


def _quality(parameters: str) -> float:
    _, found, text = parameters.partition("q=")
    if not found:
        return 1.0
    try:
        return min(float(text.partition(";")[0].strip()), 1.0)
    except ValueError:
        return 1.0
