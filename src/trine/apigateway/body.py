"""Text or base64: how bodies cross into events and back out of answers.

REST APIs go by `binaryMediaTypes` against the request's Content-Type (in) and the first type of its Accept header
(out). HTTP APIs go by the Content-Type alone (`aws.http_payload`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from trine.http.message import Headers

_TYPES_REMEMBERED = 1_024


class BinaryTypes:
    """A REST API's binary media types: exact, `type/*` or `*/*`; a wildcard on the left does not match."""

    __slots__ = ("_exact", "_known", "_prefixes", "every", "none")

    def __init__(self, media_types: Iterable[str]) -> None:
        wanted = {media_type.strip().lower() for media_type in media_types}
        self.every = "*/*" in wanted
        self.none = not wanted
        self._exact = frozenset(w for w in wanted if not w.startswith("*"))
        self._prefixes = tuple(w[:-1] for w in wanted if w.endswith("/*") and not w.startswith("*"))
        self._known: dict[bytes, bool] = {}

    def match(self, header: bytes | None) -> bool:
        """Does the first media type of a Content-Type or Accept header count as binary?"""
        if self.none:
            return False
        if self.every:
            return True
        if header is None:
            return False
        known = self._known.get(header)
        if known is None:
            media_type = header.decode("latin-1").partition(",")[0].partition(";")[0].strip().lower()
            known = media_type in self._exact or (bool(self._prefixes) and media_type.startswith(self._prefixes))
            if len(self._known) >= _TYPES_REMEMBERED:
                self._known.clear()
            self._known[header] = known
        return known


def rest_body(body: bytes, headers: Headers, binary: BinaryTypes) -> tuple[str | None, bool]:
    """(`body`, `isBase64Encoded`) of a REST event. Undeclared binary is damaged by UTF-8 decoding, as on AWS."""
    if not body:
        return None, False
    if not binary.none and binary.match(headers.get(b"content-type")):
        return b64encode(body).decode(), True
    return body.decode("utf-8", "replace"), False
