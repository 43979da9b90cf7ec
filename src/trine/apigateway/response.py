"""A function's proxy answer becomes an HTTP response.

Enters the payload of an `InvokeResponse`; leaves a `Response`, or a `GatewayError` (502 REST, 500 HTTP) when it is no
proxy answer. REST's rules were recorded on AWS: only the five known members, scalars are turned into text, a list
where text belongs (or the reverse) is malformed, an empty object too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson

from trine.apigateway.errors import API_CONFIGURATION_ERROR, MALFORMED_RESPONSE, GatewayError
from trine.aws.http_payload import decode_base64
from trine.http.message import Response

HeaderPairs = list[tuple[bytes, bytes]]

_MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})

REST_REMAPPED = frozenset(
    {b"authorization", b"connection", b"content-length", b"content-md5", b"date", b"expect", b"host", b"max-forwards",
     b"proxy-authenticate", b"server", b"trailer", b"upgrade", b"user-agent", b"www-authenticate",
     b"x-amzn-requestid", b"x-amz-apigw-id"}
)  # fmt: skip
"""Headers of an integration that REST APIs pass on as `x-amzn-Remapped-…` (recorded on AWS)."""

REST_DROPPED = frozenset({b"transfer-encoding", b"keep-alive"})
HTTP_DROPPED = frozenset(
    {b"connection", b"content-length", b"date", b"keep-alive", b"transfer-encoding", b"upgrade", b"server",
     b"apigw-requestid"}
)  # fmt: skip
_REMAP_PREFIX = b"x-amzn-Remapped-"
_UNSAFE = frozenset("\r\n\0")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch


def malformed(why: str) -> GatewayError:
    """The error of an answer that is no proxy answer."""
    return GatewayError(MALFORMED_RESPONSE, f"malformed Lambda proxy response: {why}")


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise malformed(f"{what} is a {type(value).__name__}, not text")


def header_value(text: str, name: str) -> bytes:
    """A header value as bytes. GatewayError when it would break the response apart."""
    if text.isascii() and text.isprintable():  # nearly always, and quick to see
        return text.encode()
    if not _UNSAFE.isdisjoint(text):
        raise malformed(f"header {name!r} holds a line break")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


@lru_cache(maxsize=4_096)
def header_name(name: str) -> bytes:
    """A header name as bytes. GatewayError when it is no token."""
    if not _TOKEN(name):
        raise malformed(f"header name {name!r}")
    return name.encode()


@lru_cache(maxsize=4_096)
def _remapped(name: bytes) -> tuple[bytes | None, bool]:
    """(name as passed on, None when dropped; is it content-type?)"""
    lower = name.lower()
    if lower in REST_REMAPPED:
        return _REMAP_PREFIX + name, False
    return (None if lower in REST_DROPPED else name), lower == b"content-type"


def _status(value: Any) -> int:
    try:
        status = int(value) if not isinstance(value, bool) else 0
    except (TypeError, ValueError, OverflowError):
        raise malformed(f"statusCode {value!r}") from None
    if not 200 <= status <= 599:  # a 1xx is no answer: the client would wait for the final one
        raise malformed(f"statusCode {value!r}")
    return status


def _object(value: Any, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed(f"{what} is a {type(value).__name__}, not an object")
    return value


def _merged_headers(answer: dict[str, Any]) -> HeaderPairs:
    """Multi-value headers first, then the single ones that add a new value (recorded on AWS: both are sent)."""
    pairs: HeaderPairs = []
    multi = _object(answer.get("multiValueHeaders"), "multiValueHeaders")
    spelled: dict[str, tuple[bytes, list[bytes]]] = {}
    for name, values in multi.items():
        if not isinstance(values, list):
            raise malformed(f"multiValueHeaders {name!r} is not a list")
        raw = header_name(name)
        encoded = [header_value(_text(value, name), name) for value in values]
        spelled[name.lower()] = (raw, encoded)
        pairs.extend((raw, value) for value in encoded)
    for name, value in _object(answer.get("headers"), "headers").items():
        encoded_value = header_value(_text(value, name), name)
        known = spelled.get(name.lower()) if spelled else None
        if known is None:
            pairs.append((header_name(name), encoded_value))
        elif encoded_value not in known[1]:
            pairs.append((known[0], encoded_value))
    return pairs


def _body(answer: dict[str, Any], *, decode: bool) -> bytes:
    value = answer.get("body")
    text = "" if value is None else _text(value, "body")
    if not decode:
        return text.encode("utf-8", "surrogatepass")
    decoded = decode_base64(text)
    if decoded is None:
        raise GatewayError(API_CONFIGURATION_ERROR, "the body is marked as base64 but is not")
    return decoded


def _is_encoded(answer: dict[str, Any]) -> bool:
    value = answer.get("isBase64Encoded")
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _parse(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise malformed("not JSON") from None


def remap_rest(pairs: HeaderPairs) -> HeaderPairs:
    """Integration headers as a REST API passes them on: some renamed, transfer-encoding dropped, content-type added
    when missing."""
    out: HeaderPairs = []
    typed = False
    for name, value in pairs:
        shown, is_type = _remapped(name)
        if shown is not None:
            out.append((shown, value))
            typed = typed or is_type
    if not typed:
        out.append((b"Content-Type", b"application/json"))
    return out


def rest_response(payload: bytes, *, binary_wanted: bool) -> Response:
    """The response of a REST API. `binary_wanted`: the client's Accept matches a binary media type.

    As recorded on AWS, an empty object is an empty 200.
    """
    answer = _parse(payload)
    if not isinstance(answer, dict):
        raise malformed("not an object with statusCode, headers and body")
    unknown = answer.keys() - _MEMBERS
    if unknown:
        raise malformed(f"unknown members {', '.join(sorted(map(repr, unknown)))}")
    status = _status(answer["statusCode"]) if answer.get("statusCode") is not None else 200
    decode = binary_wanted and _is_encoded(answer)
    return Response(status, remap_rest(_merged_headers(answer)), _body(answer, decode=decode))


def streamed_head(head: bytes) -> tuple[int, HeaderPairs]:
    """Status and headers of a streamed answer, from the JSON in front of it. GatewayError 502 when it is none."""
    answer = _parse(head)
    if not isinstance(answer, dict):
        raise malformed("the head of the stream is no object")
    status = _status(answer["statusCode"]) if answer.get("statusCode") is not None else 200
    pairs = remap_rest(_merged_headers(answer))
    pairs.extend(_cookies(answer))
    return status, pairs


def _cookies(answer: dict[str, Any]) -> HeaderPairs:
    listed = answer.get("cookies")
    if listed is not None and not isinstance(listed, list):
        raise malformed("cookies is not a list")
    return [(b"Set-Cookie", header_value(_text(cookie, "cookies"), "cookies")) for cookie in listed or ()]


@lru_cache(maxsize=4_096)
def _http_header(name: str) -> tuple[bytes, bool, bool]:
    """(name as bytes, is it dropped, is it content-type?). GatewayError when it is no token."""
    raw = header_name(name)
    lower = raw.lower()
    return raw, lower in HTTP_DROPPED, lower == b"content-type"


def _http_headers(answer: dict[str, Any]) -> HeaderPairs:
    """What an HTTP API passes on of an answer's headers, with a content type."""
    pairs: HeaderPairs = []
    typed = False
    if answer.get("multiValueHeaders") is not None:
        for raw, value in _merged_headers(answer):
            lower = raw.lower()
            if lower not in HTTP_DROPPED:
                pairs.append((raw, value))
                typed = typed or lower == b"content-type"
    else:  # nearly always: no name can come twice
        for name, text in _object(answer.get("headers"), "headers").items():
            if type(text) is str and text.isascii() and text.isprintable():
                value = text.encode()  # as `header_value` does
            else:
                value = header_value(_text(text, name), name)
            raw, dropped, is_type = _http_header(name)
            if not dropped:
                pairs.append((raw, value))
                typed = typed or is_type
    if not typed:
        pairs.append((b"Content-Type", b"text/plain;charset=UTF-8"))
    return pairs


def _http_answer(answer: dict[str, Any], *, cookies: bool) -> Response:
    given = answer["statusCode"]
    status = given if type(given) is int and 200 <= given <= 599 else _status(given)
    pairs = _http_headers(answer)
    if cookies and "cookies" in answer:
        pairs.extend(_cookies(answer))
    body = answer.get("body")
    if type(body) is str and "isBase64Encoded" not in answer:  # nearly always
        return Response(status, pairs, body.encode("utf-8", "surrogatepass"))
    return Response(status, pairs, _body(answer, decode=_is_encoded(answer)))


def http_response_v2(payload: bytes) -> Response:
    """Payload format 2.0. Any JSON without `statusCode` is the body of a 200 with `application/json`."""
    answer = _parse(payload)
    if isinstance(answer, dict) and "statusCode" in answer:
        return _http_answer(answer, cookies=True)
    return Response(200, [(b"Content-Type", b"application/json")], payload)


def http_response_v1(payload: bytes) -> Response:
    """Payload format 1.0 on an HTTP API: nothing is inferred, a missing `statusCode` is an error."""
    answer = _parse(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        raise malformed("no statusCode")
    return _http_answer(answer, cookies=False)
