"""The door of CloudWatch: query, JSON and CBOR in, the same out. The corridor of this wing.

Enters an `http.Request`, leaves a `Response` when what it changed is durable. The rooms: the signature tells who
asks, the body is unpacked, the model makes out the operation, the policies say whether it may, the operation answers.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Mapping
from typing import Any

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol_choice import ServiceModels
from trine.aws.protocol_errors import MalformedQuery
from trine.clock import Clock
from trine.cloudwatch import limits
from trine.cloudwatch.operations import Operations, Pending
from trine.cloudwatch.service import CloudWatch
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.errors import AccessDenied
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.cloudwatch")
TARGET_PREFIX = "GraniteServiceVersion20100801"
SIGNED_AS = "monitoring"
_GZIP_OR_ZLIB = 47
"""zlib's name for either framing."""
_ON_ALARMS = {"PutMetricAlarm": "AlarmName", "SetAlarmState": "AlarmName", "DeleteAlarms": "AlarmNames",
              "EnableAlarmActions": "AlarmNames", "DisableAlarmActions": "AlarmNames"}  # fmt: skip
"""Operations that IAM checks on the alarms they name (service authorization reference); the others on `*`."""


class Endpoint:
    """CloudWatch of one account and region."""

    def __init__(
        self, service: CloudWatch, access: Access, clock: Clock, ids: Ids, traces: TraceBook, place: Place
    ) -> None:
        self._service, self._access, self._ids, self._traces, self._place = service, access, ids, traces, place
        self._operations = Operations(service, clock).built
        self._models = ServiceModels("cloudwatch", TARGET_PREFIX, frozenset(self._operations))

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        trace = self._traces.open("cloudwatch", self._ids.uuid())
        model = self._models.of(request)
        try:
            response = await self._pass(request, trace)
        except AwsError as error:
            response = model.render_error(self._refused(error, trace), trace.request_id)
        except Exception:
            _log.exception("a request to CloudWatch failed")
            internal = AwsError(
                "The request processing has failed because of an unknown error.", code="InternalServiceError"
            )
            response = model.render_error(self._refused(internal, trace), trace.request_id)
        self._traces.close(trace, response.status)
        return response

    async def _pass(self, request: Request, trace: Trace) -> Response:
        model = self._models.of(request)
        caller = self._access.authenticate(request, SIGNED_AS, trace)
        if caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        operation, given = model.parse(_unpacked(request))
        trace.title = f"cloudwatch:{operation.name}"
        trace.step("cloudwatch.shape")
        for resource in self._resources(operation.name, given):
            context = None
            if operation.name == "PutMetricData":
                context = {"cloudwatch:namespace": [str(given.get("Namespace", ""))]}
            self._access.authorize(caller, f"cloudwatch:{operation.name}", resource, context, trace=trace)
        pending: Pending = []
        output = self._operations[operation.name](given, pending)
        if pending:
            await asyncio.gather(*pending)
        trace.step("cloudwatch.operation")
        return model.render(operation, output, trace.request_id)

    def _resources(self, operation: str, given: Mapping[str, Any]) -> list[str]:
        member = _ON_ALARMS.get(operation)
        if member is None:
            return ["*"]
        names = given.get(member) or ()
        return [
            self._place.arn("cloudwatch", f"alarm:{name}") for name in ([names] if isinstance(names, str) else names)
        ]

    def _refused(self, error: AwsError, trace: Trace) -> AwsError:
        if trace.refusal is None:
            facts = error.facts if isinstance(error, AccessDenied) else {}
            trace.refuse("cloudwatch", error.message, code=error.code, **facts)
        return error


def _unpacked(request: Request) -> Request:
    """The request with its body unpacked: SDKs compress what they put from 10 KB on. MalformedQuery."""
    encoding = request.headers.get(b"content-encoding")
    if encoding is None or encoding == b"identity":
        return request
    if encoding != b"gzip":
        raise MalformedQuery(f"The content encoding {encoding[:40].decode('latin-1')!r} is not supported.")
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        body = unpacking.decompress(request.body, limits.BODY_MAX_BYTES + 1)
    except zlib.error:
        raise MalformedQuery("The body is not compressed as it says.") from None
    if len(body) > limits.BODY_MAX_BYTES or not unpacking.eof:
        raise MalformedQuery(f"The body is longer than {limits.BODY_MAX_BYTES} bytes, or cut short.")
    return Request(
        request.method, request.target, request.headers, body, request.peer_host, request.peer_port, request.version
    )
