"""AWS_PROXY with an `IntegrationSubtype`: an HTTP API's route that calls one operation of a service.

Enters an `Exchange`; `RequestParameters` name the operation's members, their values may refer to the request. The call
goes to the service's endpoint in this stack, signed with the role of `CredentialsArn`, and its answer is the route's.
Source: "Integration subtype reference for AWS service integrations" (HTTP APIs).
"""

from __future__ import annotations

from asyncio import Future
from typing import Any, NamedTuple

import orjson

from trine.apigateway.api import Integration
from trine.apigateway.deployment import DeployedStage, fill_stage_variables
from trine.apigateway.errors import API_CONFIGURATION_ERROR, BAD_REQUEST, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.parameter_mapping import resolve_source
from trine.apigateway.integrations.service_call import Call, ServiceDoor, all_headers
from trine.apigateway.response import HTTP_DROPPED
from trine.apigateway.roles import Roles
from trine.clock import Clock
from trine.http.message import Handler, Response

_JSON_MEMBERS = frozenset({"MessageAttributes", "MessageSystemAttributes", "AttributeNames", "MessageAttributeNames",
                           "Resources"})  # fmt: skip
"""Members that are given as JSON text."""
_NUMBERS = frozenset({"DelaySeconds", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds"})


class Subtype(NamedTuple):
    """One operation that an HTTP API can call."""

    service: str
    """The name the service signs with."""
    target: str
    """`X-Amz-Target`."""
    json_version: str
    required: tuple[str, ...]
    optional: tuple[str, ...]


_SUBTYPES = {
    "EVENTBRIDGE-PUTEVENTS": Subtype(
        "events", "AWSEvents.PutEvents", "1.1", ("Detail", "DetailType", "Source"),
        ("Time", "EventBusName", "Resources", "TraceHeader"),
    ),
    "SQS-SENDMESSAGE": Subtype(
        "sqs", "AmazonSQS.SendMessage", "1.0", ("QueueUrl", "MessageBody"),
        ("DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "MessageSystemAttributes"),
    ),
    "SQS-RECEIVEMESSAGE": Subtype(
        "sqs", "AmazonSQS.ReceiveMessage", "1.0", ("QueueUrl",),
        ("AttributeNames", "MaxNumberOfMessages", "MessageAttributeNames", "ReceiveRequestAttemptId",
         "VisibilityTimeout", "WaitTimeSeconds"),
    ),
    "SQS-DELETEMESSAGE": Subtype("sqs", "AmazonSQS.DeleteMessage", "1.0", ("ReceiptHandle", "QueueUrl"), ()),
    "SQS-PURGEQUEUE": Subtype("sqs", "AmazonSQS.PurgeQueue", "1.0", ("QueueUrl",), ()),
    "KINESIS-PUTRECORD": Subtype(
        "kinesis", "Kinesis_20131202.PutRecord", "1.1", ("StreamName", "Data", "PartitionKey"),
        ("SequenceNumberForOrdering", "ExplicitHashKey"),
    ),
    "STEPFUNCTIONS-STARTEXECUTION": Subtype(
        "states", "AWSStepFunctions.StartExecution", "1.0", ("StateMachineArn",), ("Name", "Input")
    ),
    "STEPFUNCTIONS-STARTSYNCEXECUTION": Subtype(
        "states", "AWSStepFunctions.StartSyncExecution", "1.0", ("StateMachineArn",), ("Name", "Input", "TraceHeader")
    ),
    "STEPFUNCTIONS-STOPEXECUTION": Subtype(
        "states", "AWSStepFunctions.StopExecution", "1.0", ("ExecutionArn",), ("Cause", "Error")
    ),
}  # fmt: skip
"""AppConfig-GetConfiguration is the one that is missing: Trine has no AppConfig."""


def subtype_of(name: str) -> Subtype | None:
    """The subtype that a template calls `SQS-SendMessage` or the like, in any case; None when there is none."""
    return _SUBTYPES.get(name.upper())


class ServiceSubtype:
    """Runs one service integration of an HTTP API."""

    def __init__(
        self,
        subtype: Subtype,
        integration: Integration,
        deployed: DeployedStage,
        endpoint: Handler,
        roles: Roles,
        clock: Clock,
    ) -> None:
        self._subtype, self._integration = subtype, integration
        self._role = fill_stage_variables(integration.credentials or "", deployed.stage.variables)
        self._door = ServiceDoor(endpoint, self._role, roles, clock)
        self._region = str(integration.request_parameters.get("Region") or deployed.place.region)

    def start(self, exchange: Exchange) -> Future[Response]:
        """Make the operation's document, sign it and hand it to the service's endpoint. GatewayError 400 when a
        required parameter is missing from the request, or one that must be JSON or a number is not."""
        if not self._role:
            raise GatewayError(API_CONFIGURATION_ERROR, "the service integration names no CredentialsArn")
        subtype = self._subtype
        body = orjson.dumps(self._document(exchange))
        pairs = [
            (b"host", f"{subtype.service}.{self._region}.amazonaws.com".encode()),
            (b"content-type", f"application/x-amz-json-{subtype.json_version}".encode()),
            (b"x-amz-target", subtype.target.encode()),
        ]
        return self._door.call(exchange, Call(subtype.service, self._region, "POST", b"/", pairs, body))

    def _document(self, exchange: Exchange) -> dict[str, Any]:
        subtype, given = self._subtype, self._integration.request_parameters
        document: dict[str, Any] = {}
        for name in (*subtype.required, *subtype.optional):
            text = resolve_source(given[name], exchange, None) if name in given else ""
            if text:
                document[name] = _member(name, text)
            elif name in subtype.required:
                reason = f"{subtype.target} needs {name}, which the request does not give"
                raise GatewayError(BAD_REQUEST, reason, room="apigateway.mapping", parameter=name)
        if subtype.service == "events":
            return {"Entries": [document]}
        if subtype.service == "states":
            return {name[:1].lower() + name[1:]: value for name, value in document.items()}
        return document

    def complete(self, exchange: Exchange, settled: Future[Response]) -> Response:
        """The service's answer as the route's."""
        answer = settled.result()
        exchange.integration_status = answer.status
        exchange.received = answer.body if isinstance(answer.body, bytes) else None
        pairs = [pair for pair in all_headers(answer) if pair[0].lower() not in HTTP_DROPPED]
        return Response(answer.status, pairs, answer.body)


def _member(name: str, text: str) -> Any:
    try:
        if name in _NUMBERS:
            return int(text)
        return orjson.loads(text) if name in _JSON_MEMBERS else text
    except ValueError:
        reason = f"{name} is {'no number' if name in _NUMBERS else 'not JSON'}: {text[:100]!r}"
        raise GatewayError(BAD_REQUEST, reason, room="apigateway.mapping", parameter=name) from None
