"""The AWS port: one socket for the wire protocols of all services.

Enters any request, leaves the answer of the endpoint it belongs to. A client says which service it means in one of
four ways, tried from the most to the least certain: the operation's target header, the scope of its signature, the
path that only one service uses, the form field of the query protocol.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl

from trine.aws.ids import Ids
from trine.awslambda.urls.config import HOST_MARK, PATH_PREFIX
from trine.http.message import Handler, Request, Response
from trine.iam.claims import stated_scope

TARGET_PREFIXES = {
    b"DynamoDB_": "dynamodb",
    b"DynamoDBStreams_": "dynamodb",
    b"Logs_": "logs",
    b"AmazonSQS.": "sqs",
    b"AWSEvents.": "events",
    b"AWSCognitoIdentityProviderService.": "cognito-idp",
    b"AWSCognitoIdentityService.": "cognito-identity",
    b"GraniteServiceVersion20100801.": "monitoring",
}
PATH_PREFIXES = {b"/service/GraniteServiceVersion20100801/": "monitoring"} | {
    f"/{version}/".encode(): "lambda"
    for version in ("2014-11-13", "2015-03-31", "2016-08-19", "2017-03-31", "2017-10-31", "2018-10-31", "2019-09-25",
                    "2019-09-30", "2020-06-30", "2021-10-31", "2021-11-15")
}  # fmt: skip
QUERY_VERSIONS = {
    "2011-06-15": "sts",
    "2010-05-08": "iam",
    "2010-08-01": "monitoring",
    "2012-11-05": "sqs",
    "2010-03-31": "sns",
    "2010-05-15": "cloudformation",
}
SCOPE_ALIASES = {"awslambda": "lambda", "streams.dynamodb": "dynamodb"}


class Endpoint(Protocol):
    """The door of one service."""

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request; never raises."""


class Deferred:
    """An endpoint that is made when its first request comes.

    The control planes' models and codecs cost 70 ms of start-up and 8 MB that most stacks never need.
    """

    def __init__(self, make: Callable[[], Endpoint]) -> None:
        self._make = make
        self._endpoint: Endpoint | None = None

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Hand over to the endpoint."""
        if self._endpoint is None:
            self._endpoint = self._make()
        return self._endpoint.handle(request)


class FrontDoor:
    """The front door: function URLs by their host or path, everything else belongs to the gateway."""

    def __init__(self, gateway: Handler, urls: Endpoint) -> None:
        self._gateway = gateway
        self._urls = urls

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """The handler of the front door's server."""
        host = request.headers.by_name.get(b"host")
        if (host is not None and HOST_MARK in host) or request.path.startswith(PATH_PREFIX):
            return self._urls.handle(request)
        return self._gateway(request)


class Handling:
    """An endpoint that is one function."""

    def __init__(self, handler: Callable[[Request], Response | Awaitable[Response]]) -> None:
        self._handler = handler

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Hand over to the function."""
        return self._handler(request)


class AwsPort:
    """Hands each request to its service's endpoint; `console` answers below `/_trine/`."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        console: Callable[[Request], Response | Awaitable[Response]],
        ids: Ids,
    ) -> None:
        self._endpoints = dict(endpoints)
        self._console, self._ids = console, ids
        self._dynamodb = self._endpoints["dynamodb"]

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """The handler of the AWS port's server."""
        target = request.headers.by_name.get(b"x-amz-target")
        if target is not None and target.startswith(b"DynamoDB_"):  # the hot path leaves first
            return self._dynamodb.handle(request)
        if request.path.startswith(b"/_trine/"):
            return self._console(request)
        service = service_of(request, target)
        endpoint = self._endpoints.get(service or "dynamodb")
        if endpoint is None:
            from trine.stack.nobody import unknown_service  # it brings the codec of the query protocol

            return unknown_service(service, request, self._ids.uuid())
        return endpoint.handle(request)


def service_of(request: Request, target: bytes | None = None) -> str | None:
    """The service a request means, in its signing name; None when it gives no sign at all."""
    if target is not None:
        for prefix, service in TARGET_PREFIXES.items():
            if target.startswith(prefix):
                return service
    if (scope := stated_scope(request)) is not None:
        return SCOPE_ALIASES.get(scope[3], scope[3])
    if b"/.well-known/" in request.path:
        return "cognito-idp"
    for path_prefix, service in PATH_PREFIXES.items():
        if request.path.startswith(path_prefix):
            return service
    if request.method == "POST" and b"Version=" in request.body[:65536]:
        fields = dict(parse_qsl(request.body[:65536].decode("latin-1")))
        return QUERY_VERSIONS.get(fields.get("Version", ""))
    return None
