"""What a client hears that means a service which nobody here offers: an error that it can read, naming the service.

Enters the request and the service it means, leaves the answer in the protocol in which the client waits for one: a form
was the query protocol's, three services take XML over REST, all others read JSON.
"""

from __future__ import annotations

from trine.aws.protocol_query import escape, write_error
from trine.http.message import Request, Response

CODE = "UnknownServiceException"
STATUS = 501
_NAME_MAX_CHARACTERS = 64
_XML_OVER_REST = frozenset({"s3", "route53", "cloudfront"})
"""Their botocore models say `rest-xml`."""


def unknown_service(service: str | None, request: Request, request_id: str) -> Response:
    """The answer; an error in every SDK."""
    name = (service or "unknown")[:_NAME_MAX_CHARACTERS]
    printable = "".join(character for character in name if character.isalnum() or character in "-._")
    message = f"Trine does not offer the AWS service '{printable}'; docs/services.md lists those it does."
    if _is_form(request):
        if service == "ec2":
            body = (f"<Response><Errors>{_error(message)}</Errors>"
                    f"<RequestID>{escape(request_id)}</RequestID></Response>").encode()  # fmt: skip
        else:
            body = write_error("http://trine/unknown", CODE, message, STATUS, request_id)
        return Response(STATUS, [(b"Content-Type", b"text/xml")], body)
    if service in _XML_OVER_REST:
        return Response(STATUS, [(b"Content-Type", b"application/xml")], _error(message).encode())
    body = f'{{"__type":"{CODE}","message":"{message}"}}'.encode()
    headers = [(b"Content-Type", b"application/x-amz-json-1.0"), (b"x-amzn-ErrorType", CODE.encode())]
    return Response(STATUS, headers, body)


def _is_form(request: Request) -> bool:
    """Whether the request speaks the query protocol, in its body or in its address."""
    kind = request.headers.get(b"content-type") or b""
    return kind.startswith(b"application/x-www-form-urlencoded") or b"Action=" in request.query


def _error(message: str) -> str:
    return f"<Error><Code>{CODE}</Code><Message>{escape(message)}</Message></Error>"
