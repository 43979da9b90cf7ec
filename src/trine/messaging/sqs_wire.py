"""SQS on the wire, in both of its protocols: AWS JSON 1.0, and the older query protocol with XML.

Enters an `http.Request`, leaves a `Call`; members or an error become a `Response`. botocore's model describes the JSON
protocol only; the element names of the older one (API version 2012-11-05) are the table here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from trine.aws.errors import AwsError
from trine.aws.protocol import Call, Operation, ServiceModel
from trine.aws.protocol_model import Model, load_model
from trine.http.message import Request, Response
from trine.messaging.errors import SqsError

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
}
"""The list or map a member stands for → the name of its elements."""
_BATCHES = ("SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")
_QUERY_NAMES = {
    "AccessDeniedException": "AccessDenied",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "ExpiredTokenException": "ExpiredToken",
    "ValidationException": "InvalidParameterValue",
    "ValidationError": "InvalidParameterValue",
}
"""What every service calls these in JSON → what the query protocol calls them."""


class SqsWire:
    """Both protocols of SQS, with `only` these operations."""

    def __init__(self, only: frozenset[str]) -> None:
        self._json = ServiceModel("sqs", only, model=json_model(only))
        self._query = ServiceModel("sqs", only, model=query_model(only))

    def parse(self, request: Request) -> Call:
        """The operation and its checked input."""
        if is_json(request):
            return self._json.parse(request)
        form = request.body or request.query
        if b"QueueUrl=" not in form and request.path.count(b"/") >= 2:
            # The query protocol may name the queue by its path alone.
            form += b"&QueueUrl=" + quote(request.path).encode()
        return self._query.parse(Request(request.method, b"/", request.headers, form))

    def operation_for(self, request: Request) -> Operation:
        """The operation that a request asks for, before its input is looked at."""
        return self._of(request).operation_for(request)

    def render(self, request: Request, operation: Operation, output: Mapping[str, Any], request_id: str) -> Response:
        """The answer, in the protocol of the request."""
        return self._of(request).render(operation, output, request_id)

    def render_error(self, request: Request, error: AwsError, request_id: str) -> Response:
        """The error, in the protocol of the request, under the name that it has there."""
        query_code = error.query_code if isinstance(error, SqsError) else _QUERY_NAMES.get(error.code, error.code)
        if is_json(request):
            response = self._json.render_error(error, request_id)
            fault = "Sender" if error.status < 500 else "Receiver"
            response.headers.append((b"x-amzn-query-error", f"{query_code};{fault}".encode()))
            return response
        renamed = AwsError(error.message, code=query_code, status=error.status)
        return self._query.render_error(renamed, request_id)

    def _of(self, request: Request) -> ServiceModel:
        return self._json if is_json(request) else self._query


def is_json(request: Request) -> bool:
    """Whether a request speaks the JSON protocol."""
    return request.headers.get(b"x-amz-target") is not None


def json_model(only: frozenset[str]) -> Model:
    """botocore's model, without the lists of attribute names: SQS itself says `Unknown Attribute`."""
    model = load_model("sqs", only)
    model.shapes = {
        name: {key: value for key, value in shape.items() if key != "enum"} for name, shape in model.shapes.items()
    }
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
