"""One AWS API on the wire, driven by botocore's model: the corridor of json, rest-json and query.

Enters an `http.Request`, leaves a `Call` (the operation and its checked input); the answer's members or an `AwsError`
become an `http.Response`. The table's data plane has its own, faster codec; control planes use this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, NamedTuple

import orjson

from trine.aws import protocol_cbor, protocol_query, protocol_rest
from trine.aws.errors import AwsError
from trine.aws.protocol_errors import InvalidAction, NotOffered, Serialization, UnknownOperation
from trine.aws.protocol_json import parse_body, read_value, write_timestamp, write_value
from trine.aws.protocol_model import Model, Operation, Raw, load_model
from trine.aws.protocol_validation import validate
from trine.http.message import Request, Response

_ERROR_TYPE = b"x-amzn-ErrorType"
_REQUEST_ID = b"x-amzn-RequestId"


class Call(NamedTuple):
    """A request made out: which operation, with which input."""

    operation: Operation
    input: dict[str, Any]


class ServiceModel:
    """One service's API. Loading costs 10 to 30 ms, so each door makes one when it is first needed.

    Input values come as str, int, float, bool, bytes (blobs), float seconds since the epoch (timestamps), list and
    dict by the member names of the model; output takes the same.
    """

    def __init__(self, name: str, only: frozenset[str] | None = None, model: Model | None = None) -> None:
        """Load the model `name` as botocore's data calls it. `only` keeps just these operations (less memory).
        `model` serves instead, where a service speaks a second protocol that botocore does not describe.
        """
        self.model: Model = load_model(name, only) if model is None else model
        self.name = name
        self.json_answers: Model | None = None
        """In the query protocol: how answers in JSON name their members, where XML has other names."""
        self._in_json = False

    def answering(self, request: Request) -> ServiceModel:
        """The same API, which answers a request of the query protocol in JSON where the caller accepts that."""
        if self.model.protocol != "query" or not protocol_query.wants_json(request.headers.get(b"accept")):
            return self
        found = copy(self)
        found._in_json = True
        return found

    def speaking(self, protocol: str, *, target_prefix: str) -> ServiceModel:
        """The same API in another protocol: `query`, `json` (1.0) or `smithy-rpc-v2-cbor`."""
        found = copy(self)
        found.model = self.model.speaking(protocol, target_prefix)
        return found

    def operation_for(self, request: Request) -> Operation:
        """The operation that `request` asks for. UnknownOperation, InvalidAction, or NotOffered (501)."""
        return self._find(request)[0]

    def parse(self, request: Request) -> Call:
        """The operation and its input, checked against the model's constraints.

        Raises `AwsError`: UnknownOperationException (404) or InvalidAction (400), UnsupportedOperationException (501)
        for what was left out when the model was loaded, SerializationException, and
        ValidationException (query: ValidationError) that names every broken constraint.
        """
        operation, labels, form = self._find(request)
        protocol = self.model.protocol
        if protocol == "query":
            values = protocol_query.read_input(self.model, operation, form)
        elif protocol == "rest-json":
            values = protocol_rest.read_input(self.model, operation, request, labels)
        elif protocol == protocol_cbor.PROTOCOL:
            values = protocol_cbor.read_input(self.model, operation.input_shape, request.body)
        else:
            body = parse_body(request.body)
            values = read_value(self.model, operation.input_shape, body) if operation.input_shape is not None else {}
        if operation.input_shape is not None:
            code = "ValidationError" if protocol == "query" else None
            validate(self.model, operation.input_shape, values, code=code)
        return Call(operation, values)

    def _find(self, request: Request) -> tuple[Operation, dict[str, str], dict[str, str]]:
        found = self._search(request)
        if not found[0].offered:
            raise NotOffered(f"Trine does not offer the operation {self.name}:{found[0].name}")
        return found

    def _search(self, request: Request) -> tuple[Operation, dict[str, str], dict[str, str]]:
        model = self.model
        if model.protocol == "query":
            form = protocol_query.read_form(request.body or request.query)
            action = form.get("Action")
            if not action:
                raise InvalidAction("The request must contain the parameter Action", code="MissingAction")
            found = model.operations.get(action)
            if found is None:
                version = form.get("Version", model.version)
                raise InvalidAction(f"Could not find operation {action[:128]} for version {version[:32]}")
            return found, {}, form
        if model.protocol == "rest-json":
            matched = model.match(request.method, request.path, request.query)
            if matched is None:
                raise UnknownOperation(
                    "Unable to determine service/operation name to be authorized",
                    code="AccessDeniedException",
                    status=403,
                )
            return matched[0], matched[1], {}
        if model.protocol == protocol_cbor.PROTOCOL:
            named = model.operations.get(protocol_cbor.operation_name(request) or "")
            if named is None:
                raise UnknownOperation("The requested operation is not supported in the called region.")
            return named, {}, {}
        target = (request.headers.get(b"x-amz-target") or b"").decode("ascii", "replace")
        prefix, _, name = target.rpartition(".")
        operation = model.operations.get(name)
        if operation is None or prefix != model.target_prefix:
            raise UnknownOperation("The requested operation is not supported in the called region." if target else "")
        return operation, {}, {}

    def render(self, operation: Operation, output: Mapping[str, Any], request_id: str) -> Response:
        """The answer of a successful call."""
        model = self.model
        if model.protocol == "query":
            if self._in_json:
                named = self.json_answers or model
                answer = protocol_query.write_output_json(named, operation, output, request_id)
                return Response(200, _json_of_query(request_id), answer)
            xml = protocol_query.write_output(model, operation, output, request_id)
            return Response(200, [(_REQUEST_ID, request_id.encode()), (b"Content-Type", b"text/xml")], xml)
        if model.protocol == "rest-json":
            status, headers, body = protocol_rest.write_output(model, operation, output)
            return Response(status, [*headers, (_REQUEST_ID, request_id.encode())], body)
        if model.protocol == protocol_cbor.PROTOCOL:
            return Response(200, _cbor_headers(request_id), protocol_cbor.write(model, operation.output_shape, output))
        document = write_value(model, operation.output_shape, output) if operation.output_shape is not None else {}
        return Response(200, self._json_headers(request_id), orjson.dumps(document))

    def render_error(self, error: AwsError, request_id: str) -> Response:
        """The answer of a call that failed, in this protocol's shape."""
        model = self.model
        if model.protocol == "query":
            code, status = error.code, error.status
            own = model.error_shapes.get(code)  # else it is an error of every API
            if own is None:
                code, status = protocol_query.QUERY_NAMES.get(code, (code, status))
            else:
                code = own.get("error", {}).get("code", code)
            if self._in_json:
                answer = protocol_query.write_error_json(code, error.message, status, request_id)
                return Response(status, _json_of_query(request_id), answer)
            xml = protocol_query.write_error(model.namespace, code, error.message, status, request_id)
            return Response(status, [(_REQUEST_ID, request_id.encode()), (b"Content-Type", b"text/xml")], xml)
        shape = model.error_shapes.get(error.code)
        document, headers = self._error_members(error, shape)
        if model.protocol == "rest-json":
            headers = [
                (b"Content-Type", b"application/json"),
                (_ERROR_TYPE, error.code.encode()),
                *headers,
                (_REQUEST_ID, request_id.encode()),
            ]
            return Response(error.status, headers, orjson.dumps(document))
        name, extra = self._compatible(error, shape)
        if model.protocol == protocol_cbor.PROTOCOL:
            body = protocol_cbor.write_plain({"__type": name, **document})
            return Response(error.status, [*_cbor_headers(request_id), *extra], body)
        body = orjson.dumps({"__type": name, **document})
        return Response(error.status, [*self._json_headers(request_id), *extra], body)

    def _compatible(self, error: AwsError, shape: Raw | None) -> tuple[str, list[tuple[bytes, bytes]]]:
        """The error's name, and for services that once spoke query the header with its older code."""
        if shape is None or "error" not in shape or not self.model.query_compatible:
            return error.code, []
        kind = "Sender" if error.status < 500 else "Receiver"
        code = shape["error"].get("code", error.code)
        return shape["name"], [(b"x-amzn-query-error", f"{code};{kind}".encode())]

    def _json_headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        kind = f"application/x-amz-json-{self.model.json_version}".encode()
        return [(_REQUEST_ID, request_id.encode()), (b"Content-Type", kind)]

    def _error_members(self, error: AwsError, shape: Raw | None) -> tuple[dict[str, Any], list[tuple[bytes, bytes]]]:
        """The error's body and headers by its shape; `message` under the name the shape gives it."""
        members: Raw = shape.get("members", {}) if shape is not None else {}
        named = next((name for name in members if name.lower() == "message"), "message")
        values: dict[str, Any] = {**error.members, named: error.message}
        if "Type" in members:
            values.setdefault("Type", "User" if error.status < 500 else "Service")
        document: dict[str, Any] = {}
        headers: list[tuple[bytes, bytes]] = []
        for name, value in values.items():
            member = members.get(name)
            if member is not None and member.get("location") == "header":
                headers.append((member.get("locationName", name).encode(), str(value).encode()))
            else:
                document[name] = write_value(self.model, member["shape"], value) if member is not None else value
        return document, headers


def _json_of_query(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(_REQUEST_ID, request_id.encode()), (b"Content-Type", b"application/json")]


def _cbor_headers(request_id: str) -> list[tuple[bytes, bytes]]:
    return [
        (_REQUEST_ID, request_id.encode()),
        (b"smithy-protocol", b"rpc-v2-cbor"),
        (b"Content-Type", b"application/cbor"),
    ]


__all__ = ["Call", "Operation", "Serialization", "ServiceModel", "write_timestamp"]
