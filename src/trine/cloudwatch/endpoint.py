"""The API of CloudWatch, as the door needs it: query, JSON and CBOR in, the same out.

Enters the service, leaves a `ServiceApi`. Bodies that SDKs have compressed are unpacked here; signatures hold for what
came in.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator, Mapping

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.protocol_choice import ServiceModels
from trine.aws.protocol_errors import MalformedQuery
from trine.clock import Clock
from trine.cloudwatch import limits
from trine.cloudwatch.operations import Operations
from trine.cloudwatch.pages import Pending, Run
from trine.cloudwatch.service import CloudWatch
from trine.http.message import Request
from trine.iam.door import Deed, Input, Output, Right, ServiceApi, ServiceCall

TARGET_PREFIX = "GraniteServiceVersion20100801"
_GZIP_OR_ZLIB = 47
"""zlib's name for either framing."""
_ON_ALARMS = {"PutMetricAlarm": "AlarmName", "SetAlarmState": "AlarmName", "DeleteAlarms": "AlarmNames",
              "PutCompositeAlarm": "AlarmName",
              "EnableAlarmActions": "AlarmNames", "DisableAlarmActions": "AlarmNames"}  # fmt: skip
"""Operations that IAM checks on the alarms they name (service authorization reference); the others on `*`."""


_CHARGED = frozenset({"ListMetrics", "GetMetricStatistics", "PutMetricData", "GetDashboard", "ListDashboards",
                      "PutDashboard", "DeleteDashboards"})  # fmt: skip
"""Operations that cost something by the call (pricing page, "API requests"); those on alarms do not."""


def cloudwatch_api(service: CloudWatch, clock: Clock, place: Place) -> ServiceApi:
    """CloudWatch of one account and region."""
    operations = Operations(service, clock).built
    models = ServiceModels("cloudwatch", TARGET_PREFIX, frozenset(operations))

    def deed(run: Run) -> Deed:
        async def done(call: ServiceCall) -> Output:
            pending: Pending = []
            output = run(call.input, pending)
            if pending:
                await asyncio.gather(*pending)
            return output

        return done

    def rights(call: ServiceCall) -> Iterator[Right]:
        context = None
        if call.operation == "PutMetricData":
            context = {"cloudwatch:namespace": [str(call.input.get("Namespace", ""))]}
        for resource in _resources(call, place):
            yield Right(f"cloudwatch:{call.operation}", resource, context)

    return ServiceApi(
        service="cloudwatch",
        signed_as="monitoring",
        model_of=models.of,
        operations={name: deed(run) for name, run in operations.items()},
        rights=rights,
        charged=lambda call, output: charged(call.operation, call.input),
        internal=AwsError(
            "The request processing has failed because of an unknown error.", code="InternalServiceError"
        ),
        unpack=_unpacked,
    )


def charged(operation: str, given: Input) -> Mapping[str, float] | None:
    """What a call counts as (`door.Charged`): GetMetricData as the metrics it asks for."""
    if operation == "GetMetricData":
        return {"units": max(1, sum(1 for query in given["MetricDataQueries"] if query.get("MetricStat")))}
    return {"units": 1} if operation in _CHARGED else None


def _resources(call: ServiceCall, place: Place) -> list[str]:
    member = _ON_ALARMS.get(call.operation)
    if member is None:
        return ["*"]
    names = call.input.get(member) or ()
    return [place.arn("cloudwatch", f"alarm:{name}") for name in ([names] if isinstance(names, str) else names)]


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
