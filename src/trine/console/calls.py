"""What a person does from the console: calls to the stack's services and to the front door, as the owner.

Enters a JSON document from a page of the console; leaves the answer as one. Nothing is special about these calls: they
are signed with the owner's key, verified, permitted, counted and traced like any other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from trine.aws.errors import AwsError
from trine.http.client import Client
from trine.http.errors import HttpError
from trine.http.limits import CallLimits
from trine.http.message import Headers, Request, Response
from trine.iam.signing import HeaderPairs, sign
from trine.stack.stack import Stack

TARGETS: Mapping[str, tuple[str, bytes]] = {
    "dynamodb": ("DynamoDB_20120810", b"application/x-amz-json-1.0"),
    "sqs": ("AmazonSQS", b"application/x-amz-json-1.0"),
}
"""Services of the JSON protocol that the pages call: target prefix and content type."""
TRY_LIMITS = CallLimits(total_timeout_seconds=35.0, body_bytes=10 * 1024 * 1024)
"""A route answers within the gateway's 30 seconds."""
_HIDDEN = frozenset({"connection", "transfer-encoding", "content-length", "host"})
Document = Mapping[str, Any]


class BadCall(AwsError):
    """The document does not say what to call."""

    code = "ValidationException"
    status = 400


class Calls:
    """Makes calls for one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._client = Client(stack.wings.clock)

    async def call(self, given: Document) -> Document:
        """One operation of a service: `{"service", "operation", "input"}` → `{"status", "body", "requestId"}`."""
        service, operation = str(given.get("service")), str(given.get("operation"))
        if service not in TARGETS or not operation.isalnum():
            raise BadCall(f"service must be one of {', '.join(TARGETS)}, operation a name")
        prefix, kind = TARGETS[service]
        body = json.dumps(given.get("input") or {}).encode()
        headers: HeaderPairs = [
            (b"host", self._authority()),
            (b"content-type", kind),
            (b"x-amz-target", f"{prefix}.{operation}".encode()),
        ]
        return _shown(await self._send(service, "POST", b"/", headers, body))

    async def invoke(self, given: Document) -> Document:
        """Invoke a function: `{"function", "payload"}` → status, body, function error and the log's tail."""
        function, payload = str(given.get("function", "")), given.get("payload", "{}")
        if not function or not isinstance(payload, str):
            raise BadCall("function must be a name, payload a text")
        target = f"/2015-03-31/functions/{quote(function, safe='')}/invocations".encode()
        headers: HeaderPairs = [(b"host", self._authority()), (b"x-amz-log-type", b"Tail")]
        answer = await self._send("lambda", "POST", target, headers, payload.encode())
        shown = dict(_shown(answer))
        named = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
        shown["functionError"] = named.get(b"x-amz-function-error")
        shown["log"] = base64.b64decode(named.get(b"x-amz-log-result", "")).decode("utf-8", "replace")
        return shown

    async def _send(self, service: str, method: str, target: bytes, headers: HeaderPairs, body: bytes) -> Response:
        wings = self._stack.wings
        region, now = self._stack.settings.place.region, wings.clock.now()
        key = wings.access.owner_credentials()
        signed = sign(key, service, region, method, target, headers, body, now)
        answer = wings.endpoints[service].handle(Request(method, target, Headers(signed), body))
        return await answer if isinstance(answer, Awaitable) else answer

    async def try_route(self, given: Document) -> Document:
        """One request to the front door, whose own `url` must be: `{"method", "url", "headers", "body", "sign"}`."""
        url, method = str(given.get("url", "")), str(given.get("method", "GET")).upper()
        parts, own = urlsplit(url), urlsplit(self._stack.front_url)
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise BadCall(f"only the front door can be called from here: {self._stack.front_url}")
        given_headers, body = given.get("headers") or {}, str(given.get("body") or "").encode()
        if not isinstance(given_headers, Mapping):
            raise BadCall("headers must be an object")
        headers: HeaderPairs = [
            (str(name).encode("latin-1", "replace"), str(value).encode("utf-8"))
            for name, value in given_headers.items()
        ]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if given.get("sign"):
            key = self._stack.wings.access.owner_credentials()
            headers = sign(
                key, "execute-api", self._stack.settings.place.region, method, target.encode(),
                [(b"host", own.netloc.encode()), *headers], body, self._stack.wings.clock.now(),
            )  # fmt: skip
        try:
            answer = await self._client.call(method, self._stack.front_url + target, headers, body, TRY_LIMITS)
        except (HttpError, ValueError, UnicodeError) as fault:
            raise BadCall(f"the request could not be made: {fault}") from None
        return {
            "status": answer.status,
            "headers": [
                [name.decode("latin-1"), value.decode("latin-1")]
                for name, value in answer.headers
                if name.decode("latin-1").lower() not in _HIDDEN
            ],
            **_body(answer.body),
            "requestId": _request_id(answer.headers),
        }

    def _authority(self) -> bytes:
        return urlsplit(self._stack.aws_url).netloc.encode()


def _shown(answer: Response) -> Document:
    body = answer.body
    assert isinstance(body, bytes), "the services the console calls answer in one piece"
    return {"status": answer.status, **_body(body), "requestId": _request_id(answer.headers, answer.head)}


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _request_id(headers: Headers | HeaderPairs, head: bytes = b"") -> str | None:
    pairs = list(headers)
    for line in head.split(b"\r\n"):
        name, found, value = line.partition(b":")
        if found:
            pairs.append((name, value.strip()))
    for name, value in pairs:
        if name.lower() in (b"x-amzn-requestid", b"apigw-requestid"):
            return value.decode("latin-1")
    return None
