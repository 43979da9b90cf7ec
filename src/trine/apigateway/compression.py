"""`minimumCompressionSize` of REST APIs: answers are compressed, compressed requests are unpacked.

Enters a request, later its response; leaves them with their content-encoding changed. An unpacked body is as bounded as
any other: 10 MB, so a small archive cannot fill the memory. Source: "Payload compression for REST APIs".
"""

from __future__ import annotations

import zlib

from trine.apigateway.errors import BAD_REQUEST, REQUEST_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, GatewayError
from trine.apigateway.limits import PAYLOAD_BYTES
from trine.http.message import Headers, Request, Response

_WINDOW = {b"gzip": 31, b"deflate": 15}
"""zlib's window bits for each coding; `identity` needs none."""
_LEVEL = 1
"""Fast: compressing happens between two requests of the same process."""


class Compression:
    """The compression settings of one API."""

    __slots__ = ("_minimum",)

    def __init__(self, minimum_bytes: int) -> None:
        self._minimum = max(0, minimum_bytes)

    def unpack(self, request: Request) -> Request:
        """The request with a plain body. GatewayError 415 (unknown coding), 400 (broken), 413 (unpacks too far)."""
        coding = request.headers.get(b"content-encoding")
        if coding is None or not request.body or coding.strip().lower() == b"identity":
            return request
        window = _WINDOW.get(coding.strip().lower())
        if window is None:
            raise GatewayError(UNSUPPORTED_MEDIA_TYPE, f"content-encoding {coding.decode('latin-1')!r} is not known")
        unpacker = zlib.decompressobj(window)
        try:
            body = unpacker.decompress(request.body, PAYLOAD_BYTES + 1)
        except zlib.error as error:
            raise GatewayError(BAD_REQUEST, f"the body is not what its content-encoding says: {error}") from None
        if len(body) > PAYLOAD_BYTES:
            raise GatewayError(REQUEST_TOO_LARGE, f"the body unpacks to more than {PAYLOAD_BYTES} bytes")
        if not unpacker.eof:
            raise GatewayError(BAD_REQUEST, "the compressed body breaks off")
        pairs = [pair for pair in request.headers.pairs if pair[0].lower() != b"content-encoding"]
        return Request(
            request.method,
            request.target,
            Headers(pairs),
            body,
            request.peer_host,
            request.peer_port,
            request.version,
        )

    def pack(self, accept_encoding: bytes | None, response: Response) -> None:
        """Compress the answer when it is large enough and the client takes it."""
        body = response.body
        if accept_encoding is None or not isinstance(body, bytes) or len(body) < self._minimum or not body:
            return
        coding = _chosen(accept_encoding)
        if coding is None or any(name.lower() == b"content-encoding" for name, _ in response.headers):
            return
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW[coding])
        response.body = packer.compress(body) + packer.flush()
        response.headers.append((b"Content-Encoding", coding))


def _chosen(accept_encoding: bytes) -> bytes | None:
    """gzip before deflate, if the client accepts it with a weight above zero."""
    accepted: set[bytes] = set()
    for part in accept_encoding.lower().split(b","):
        name, _, parameters = part.partition(b";")
        if parameters.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"):
            accepted.add(name.strip())
    for coding in _WINDOW:
        if coding in accepted or (b"*" in accepted and coding == b"gzip"):
            return coding
    return None
