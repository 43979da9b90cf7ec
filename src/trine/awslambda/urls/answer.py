"""A function's answer as the response of its URL: inferred, proxy-shaped, or streamed behind a prelude.

Source: developer guide, "Invoking Lambda function URLs", response payload: without `statusCode` any JSON is the body of
a 200 with `application/json`. Raises AnswerMalformed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from trine.aws.answer_stream import AnswerStream
from trine.aws.http_payload import decode_base64
from trine.http.errors import BodyBroken
from trine.http.message import Response

HeaderPairs = list[tuple[bytes, bytes]]
_JSON = (b"Content-Type", b"application/json")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_DROPPED = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"})
"""Headers that belong to the connection; a function's own are left out."""


class AnswerMalformed(Exception):
    """The function's answer cannot be a response: the client gets 502."""


def buffered(payload: bytes) -> Response:
    """The response of a whole answer."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise AnswerMalformed(f"not JSON: {error}") from None
    if not isinstance(answer, dict) or answer.get("statusCode") is None:
        body = answer.encode() if isinstance(answer, str) else orjson.dumps(answer)  # written anew, without spaces
        return Response(200, [_JSON], body)
    status, pairs = head_of(answer)
    return Response(status, pairs, _body(answer))


def head_of(answer: Mapping[str, Any]) -> tuple[int, HeaderPairs]:
    """Status and headers of a proxy answer or of a prelude's metadata; `cookies` become Set-Cookie headers."""
    pairs: HeaderPairs = []
    headers = answer.get("headers") or {}
    if not isinstance(headers, dict):
        raise AnswerMalformed("headers is not an object")
    for name, value in headers.items():
        if not _TOKEN(name):
            raise AnswerMalformed(f"header name {name!r}")
        if name.lower() not in _DROPPED:
            pairs.append((name.encode(), _value(value, name)))
    if not any(name.lower() == b"content-type" for name, _ in pairs):
        pairs.append(_JSON)
    cookies = answer.get("cookies") or ()
    if not isinstance(cookies, list | tuple):
        raise AnswerMalformed("cookies is not a list")
    pairs += [(b"Set-Cookie", _value(cookie, "cookies")) for cookie in cookies]
    return _status(answer.get("statusCode", 200)), pairs


def _status(value: Any) -> int:
    try:
        status = int(value) if not isinstance(value, bool) else 0
    except (TypeError, ValueError, OverflowError):
        raise AnswerMalformed(f"statusCode {value!r}") from None
    if not 200 <= status <= 599:
        raise AnswerMalformed(f"statusCode {value!r}")
    return status


def _value(value: Any, name: str) -> bytes:
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise AnswerMalformed(f"the value of {name!r} is a {type(value).__name__}, not text")
    text = str(value)
    if any(character in text for character in "\r\n\0"):
        raise AnswerMalformed(f"the value of {name!r} holds a line break")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return orjson.dumps(body)
    if str(answer.get("isBase64Encoded", False)).lower() != "true":
        return body.encode("utf-8", "surrogatepass")
    decoded = decode_base64(body)
    if decoded is None:
        raise AnswerMalformed("the body is marked as base64 but is not")
    return decoded


class StreamedBody:
    """The body of a streamed response: what was read ahead, then the pieces as they come. A function that fails
    midway breaks the body off, so that the client knows that it is not whole."""

    def __init__(self, first: bytes, stream: AnswerStream) -> None:
        self._first = first
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        async for piece in self._stream:
            yield piece
        end = self._stream.end
        if end is not None and end.function_error is not None:
            raise BodyBroken("the function failed midway")

    async def aclose(self) -> None:
        """The client has gone; the function runs on."""
        self._stream.abandon()
