"""The table's front, as AWS's stands before the service: which media types it takes, and how its answers are dressed.

A request enters; the media type that its answer bears leaves, or None for what no operation is looked for in. An answer
enters; the same one leaves with the client's media type and the headers that browsers want. What AWS's front does with
media types was recorded by dynalite's public suite (`test/connection.js`).
"""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.aws.errors import AwsError
from trine.dynamodb.cors import cors_headers
from trine.dynamodb.errors import SerializationException
from trine.http.message import Request, Response

JSON_1_0 = b"application/x-amz-json-1.0"
"""What every SDK sends, and what answers bear unless the client says otherwise."""
_PLAIN_JSON = b"application/json"
NOT_FOUND = b"<UnknownOperationException/>\n"
"""What stands in a 404: of a method, or of a media type, that no operation has."""
# Errors that are told of a request whose body was not looked at.
_OF_HEADERS = frozenset(
    (
        "UnknownOperationException",
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
    )
)


def media_type(request: Request) -> bytes | None:
    """The media type that `request` is answered in; None when its body has none that AWS knows operations for."""
    kind = request.headers.by_name.get(b"content-type", b"").partition(b";")[0].strip()
    if kind in (JSON_1_0, _PLAIN_JSON):
        return kind
    return None if request.body else _PLAIN_JSON


def body_first(fault: Exception, request: Request) -> Exception:
    """The error that is told: a body that is no JSON comes before what is wrong with the request's headers."""
    if isinstance(fault, AwsError) and fault.code in _OF_HEADERS and request.body:
        encoding = request.headers.get(b"content-encoding")
        try:
            if encoding is None:
                orjson.loads(request.body)
        except ValueError:
            return SerializationException("")
    return fault


def dressed(answered: Response | Future[Response], request: Request, kind: bytes) -> Response | Future[Response]:
    """The answer in the media type `kind`, with the headers for a browser's other origin."""
    headers = cors_headers(request)

    def dress(response: Response) -> None:
        if kind != JSON_1_0:
            response.head = response.head.replace(JSON_1_0, kind, 1)
        response.headers += headers

    if isinstance(answered, Response):
        dress(answered)
    else:
        answered.add_done_callback(lambda done: None if done.cancelled() else dress(done.result()))
    return answered
