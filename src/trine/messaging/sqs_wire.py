"""SQS on the wire, in both of its protocols: AWS JSON 1.0, and the older query protocol with XML.

Enters an `http.Request`, leaves the `ServiceModel` that speaks its protocol. botocore's model describes the JSON
protocol only; the element names of the older one (API version 2012-11-05) are the table here.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from trine.aws.errors import AwsError
from trine.aws.protocol import Call, ServiceModel
from trine.aws.protocol_errors import InvalidAction, Violations
from trine.aws.protocol_model import Model, load_model
from trine.aws.protocol_query import QUERY_NAMES
from trine.http.message import Request, Response
from trine.messaging.errors import MissingParameter, QueueDoesNotExist, SqsError

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
_MEMBERS = {
    "AttributeNames": "AttributeName",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageAttributeNames": "MessageAttributeName",
    "Attributes": "Attribute",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "queueUrls": "QueueUrl",
    "tags": "Tag",
    "Tags": "Tag",
    "TagKeys": "TagKey",
    "Failed": "BatchResultErrorEntry",
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
}
"""The list or map a member stands for → the name of its elements."""
_MISSING = re.compile(r"Value null at '(\w+)' failed to satisfy constraint: Member must not be null")
_WITHOUT_A_QUEUE = ("CreateQueue", "GetQueueUrl", "ListQueues")
"""Operations that the address of a queue does not have."""
_BATCHES = ("SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")


class _Sqs(ServiceModel):
    """SQS in either protocol: it has words of its own for what is missing."""

    def parse(self, request: Request) -> Call:
        """The operation and its checked input. MissingParameter, and what `ServiceModel.parse` raises."""
        try:
            return super().parse(request)
        except Violations as error:
            missing = _MISSING.fullmatch(error.violations[0])
            if missing is None:
                raise
            name = missing[1][0].upper() + missing[1][1:]
            raise MissingParameter(f"The request must contain the parameter {name}.") from None


class _Json(_Sqs):
    """SQS in JSON: its errors also say in a header what the query protocol calls them."""

    def render_error(self, error: AwsError, request_id: str) -> Response:
        """The error under its name in JSON."""
        response = super().render_error(error, request_id)
        fault = "Sender" if error.status < 500 else "Receiver"
        response.headers.append((b"x-amzn-query-error", f"{_query_code(error)};{fault}".encode()))
        return response


class _Query(_Sqs):
    """SQS in the query protocol: the path may name the queue, and errors have their older names."""

    def parse(self, request: Request) -> Call:
        """The operation and its checked input; a queue that only the path names is in the input too."""
        form = request.body or request.query
        at_a_queue = request.path.count(b"/") >= 2
        if b"QueueUrl=" not in form and at_a_queue:
            form += b"&QueueUrl=" + quote(request.path).encode()
        call = super().parse(Request(request.method, b"/", request.headers, form))
        if at_a_queue and call.operation.name in _WITHOUT_A_QUEUE:
            raise InvalidAction(f"The action {call.operation.name} is not valid for this endpoint.")
        return call

    def render_error(self, error: AwsError, request_id: str) -> Response:
        """The error under its older name."""
        if isinstance(error, SqsError | Violations):
            message = error.message
            if isinstance(error, QueueDoesNotExist):
                message = message.rstrip(".") + " for this wsdl version."
            error = AwsError(message, code=_query_code(error), status=error.status)
        response = super().render_error(error, request_id)
        assert isinstance(response.body, bytes)
        response.body = response.body.replace(b"</Message></Error>", b"</Message><Detail/></Error>")
        return response


class SqsModels:
    """Both protocols of SQS, with `only` these operations."""

    def __init__(self, only: frozenset[str]) -> None:
        self._json = _Json("sqs", only, model=json_model(only))
        self._query = _Query("sqs", only, model=query_model(only))
        self._query.json_answers = json_answers(only)

    def of(self, request: Request) -> ServiceModel:
        """The model that speaks the request's protocol."""
        return self._json if request.headers.get(b"x-amz-target") is not None else self._query.answering(request)


def _query_code(error: AwsError) -> str:
    if isinstance(error, SqsError):
        return error.query_code
    return "InvalidParameterValue" if isinstance(error, Violations) else QUERY_NAMES.get(error.code, (error.code,))[0]


def json_model(only: frozenset[str]) -> Model:
    """botocore's model, without the lists of attribute names: SQS itself says `Unknown Attribute`, and of no entries
    that the batch is empty.
    """
    model = load_model("sqs", only)
    model.shapes = {
        name: {key: value for key, value in shape.items() if key != "enum"} for name, shape in model.shapes.items()
    }
    for batch in _BATCHES:
        if f"{batch}Request" in model.shapes:
            model.shapes[f"{batch}Request"]["required"] = ["QueueUrl"]  # no entries are an empty batch
    return model


def json_answers(only: frozenset[str]) -> Model:
    """The names of answers in JSON to the query protocol: those of the JSON protocol but for `messages`."""
    model = json_model(only)
    received = model.shapes["ReceiveMessageResult"]
    members = received["members"]
    messages = {**members["Messages"], "locationName": "messages"}
    model.shapes = {**model.shapes, "ReceiveMessageResult": {**received, "members": {**members, "Messages": messages}}}
    return model


def query_model(only: frozenset[str]) -> Model:
    """The model of the query protocol, made of the JSON protocol's."""
    model = json_model(only)
    model.protocol, model.namespace = "query", NAMESPACE
    shapes = {name: dict(shape) for name, shape in model.shapes.items()}
    for name, shape in shapes.items():
        members = shape.get("members")
        if members is not None:
            shape["members"] = {key: {**member, **_location(name, key)} for key, member in members.items()}
        if shape["type"] == "map":
            key_name, value_name = ("Key", "Value") if name == "TagMap" else ("Name", "Value")
            shape["key"] = {**shape["key"], "locationName": key_name}
            shape["value"] = {**shape["value"], "locationName": value_name}
    model.shapes = shapes
    return model


def _location(shape: str, member: str) -> dict[str, str]:
    for batch in _BATCHES:
        if shape == f"{batch}Request" and member == "Entries":
            return {"locationName": f"{batch}RequestEntry"}
        if shape == f"{batch}Result" and member == "Successful":
            return {"locationName": f"{batch}ResultEntry"}
    found = _MEMBERS.get(member)
    return {} if found is None else {"locationName": found}
