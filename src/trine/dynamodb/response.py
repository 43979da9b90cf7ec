"""Answers as they go over the wire: JSON 1.0, its checksum, and AWS's error shape.

An answer's bytes or an `AwsError` enters, a `Response` leaves. Source of the headers: DynamoDB's low-level API in the
developer guide; of the error types' prefixes: what the service answers.
"""

from __future__ import annotations

from zlib import crc32

import orjson

from trine.aws.errors import AwsError
from trine.dynamodb.compression import ANSWER_THRESHOLD_BYTES, compressed
from trine.http.message import Request, Response

_HEAD = b"Server: Server\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n"
_HEAD_START = "Server: Server\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: "
_NOTHING_END = f"\r\nx-amz-crc32: {crc32(b'{}')}\r\n"
_CORAL_SERVICE = frozenset(
    (
        "SerializationException",
        "UnknownOperationException",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "MissingAuthenticationTokenException",
        "InvalidSignatureException",
        "IncompleteSignatureException",
        "ExpiredTokenException",
        "InternalFailure",
    )
)
# These spell the member with a capital M. A failed condition that shows its item did, too, until 2025 (LocalStack's
# snapshots of October); in August 2026 it did no longer (moto's tests verified on AWS).
_CAPITAL_MESSAGE = frozenset(("SerializationException", "AccessDeniedException", "TransactionCanceledException"))


def answer(body: bytes, request_id: str, request: Request) -> Response:
    """The answer of an operation that succeeded; compressed when it is large and the client wants that."""
    if len(body) > ANSWER_THRESHOLD_BYTES:
        body, encoding = compressed(body, request.headers.get(b"accept-encoding"))
        if encoding is not None:
            head = _HEAD % (request_id.encode(), crc32(body))
            return Response(200, [(b"Content-Encoding", encoding.encode())], body, head)
    # `_HEAD`, as text: 0.2 µs less for what every call is answered with; most writes are answered with nothing.
    end = _NOTHING_END if body == b"{}" else f"\r\nx-amz-crc32: {crc32(body)}\r\n"
    return Response(200, [], body, f"{_HEAD_START}{request_id}{end}".encode())


def error_answer(error: AwsError, request_id: str) -> Response:
    """AWS's JSON of an error."""
    code = error.code
    document = {"__type": f"{_prefix(code)}{code}"}
    if error.message:
        document["Message" if code in _CAPITAL_MESSAGE else "message"] = error.message
    body = orjson.dumps(document | dict(error.members))
    return Response(error.status, [], body, _HEAD % (request_id.encode(), crc32(body)))


def health_answer(region: str, request_id: str) -> Response:
    """What a GET of any path answers."""
    return plain_answer(200, f"healthy: dynamodb.{region}.amazonaws.com ".encode(), request_id)


def plain_answer(status: int, text: bytes, request_id: str) -> Response:
    """An answer that is no JSON."""
    head = b"Server: Server\r\nContent-Type: text/plain\r\nx-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n"
    return Response(status, [], text, head % (request_id.encode(), crc32(text)))


def _prefix(code: str) -> str:
    if code == "ValidationException":
        return "com.amazon.coral.validate#"
    if code == "ThrottlingException":
        return "com.amazon.coral.availability#"
    return "com.amazon.coral.service#" if code in _CORAL_SERVICE else "com.amazonaws.dynamodb.v20120810#"
