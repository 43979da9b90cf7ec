"""The wire protocols, with botocore as the other side: what it serialises is read, what is rendered it parses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.aws.protocol_validation import validate
from trine.http.message import Headers, Request

TEXT = 'aZ0 é漢🙂&<>"=+/%~_-.:\n'
SERVICES = ("lambda", "iam", "sts", "logs")
_ours: dict[str, ServiceModel] = {}
_theirs: dict[str, botocore.model.ServiceModel] = {}


def ours(name: str) -> ServiceModel:
    if name not in _ours:
        _ours[name] = ServiceModel(name)
    return _ours[name]


def theirs(name: str) -> botocore.model.ServiceModel:
    if name not in _theirs:
        raw = botocore.loaders.Loader().load_service_model(name, "service-2")
        _theirs[name] = botocore.model.ServiceModel(raw, name)
    return _theirs[name]


def _value(shape: botocore.model.Shape, chance: random.Random, depth: int = 0) -> Any:
    """A random value of a shape; constraints are not kept, since only the codec is under test."""
    kind = shape.type_name
    if kind == "structure":
        if depth > 3:
            return {}
        names = [name for name in shape.members if chance.random() < 0.7 or name in shape.required_members]
        if shape.is_tagged_union:
            names = [chance.choice(list(shape.members))]
        return {name: _value(shape.members[name], chance, depth + 1) for name in names}
    if kind == "list":
        return [_value(shape.member, chance, depth + 1) for _ in range(chance.randrange(1, 3))]
    if kind == "map":
        return {f"k{n}{chance.choice(TEXT.strip())}": _value(shape.value, chance, depth + 1) for n in range(1, 3)}
    if kind == "blob":
        return chance.randbytes(chance.randrange(1, 20))
    if kind == "boolean":
        return chance.random() < 0.5
    if kind in {"integer", "long"}:
        return chance.randrange(-5, 10**6)
    if kind in {"float", "double"}:
        return chance.randrange(10**6) / 8
    if kind == "timestamp":
        return float(chance.randrange(10**9, 2 * 10**9))
    if shape.enum:
        return chance.choice(shape.enum)
    return "x" + "".join(chance.choices(TEXT, k=chance.randrange(8))) + "y"


def _without_events(model: botocore.model.ServiceModel) -> Iterator[botocore.model.OperationModel]:
    for name in model.operation_names:
        operation = model.operation_model(name)
        if not operation.has_event_stream_output and not operation.has_event_stream_input:
            yield operation


def _wire(service: str, operation: botocore.model.OperationModel, values: dict[str, Any]) -> Request:
    serializer = botocore.serialize.create_serializer(theirs(service).metadata["protocol"], include_validation=False)
    made = serializer.serialize_to_request(values, operation)
    body = made["body"]
    if isinstance(body, dict):
        from urllib.parse import urlencode

        body = urlencode(body).encode()
    elif isinstance(body, str):
        body = body.encode()
    target = made["url_path"]
    if made["query_string"]:
        from botocore.utils import percent_encode_sequence

        target += ("&" if "?" in target else "?") + percent_encode_sequence(made["query_string"])
    headers = [(name.encode(), str(value).encode()) for name, value in made["headers"].items()]
    return Request(made["method"], target.encode(), Headers(headers), body or b"")


@pytest.mark.parametrize("service", SERVICES)
def test_what_botocore_serialises_is_read(service: str) -> None:
    chance = random.Random(5)
    model = ours(service).model
    for operation in _without_events(theirs(service)):
        for _ in range(4):
            values = _value(operation.input_shape, chance) if operation.input_shape is not None else {}
            request = _wire(service, operation, dict(values))
            found, labels, form = ours(service)._find(request)
            assert found.name == operation.name
            if operation.input_shape is not None:
                assert _pruned(_read(service, request, found, labels, form)) == _pruned(values)
            assert model.operations[operation.name] is found


def _read(service: str, request: Request, operation: Any, labels: Any, form: Any) -> Any:
    from trine.aws import protocol_json, protocol_query, protocol_rest

    model = ours(service).model
    if model.protocol == "query":
        return protocol_query.read_input(model, operation, form)
    if model.protocol == "rest-json":
        return protocol_rest.read_input(model, operation, request, labels)
    return protocol_json.read_value(model, operation.input_shape, protocol_json.parse_body(request.body))


def _pruned(value: Any) -> Any:
    """Without empty structures and payloads: they leave no trace on the wire."""
    if isinstance(value, dict):
        kept = {key: _pruned(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in ({}, [], b"")}
    return [one for one in map(_pruned, value) if one != {}] if isinstance(value, list) else value


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_rendered_botocore_parses(service: str) -> None:
    chance = random.Random(6)
    parser = botocore.parsers.create_parser(theirs(service).metadata["protocol"])
    for operation in _without_events(theirs(service)):
        shape = operation.output_shape
        for _ in range(4):
            values = _value(shape, chance) if shape is not None else {}
            for name, member in (shape.members if shape is not None else {}).items():
                if member.serialization.get("location") == "statusCode":
                    values[name] = 200
                if member.serialization.get("location") == "header" and isinstance(values.get(name), str):
                    values[name] = "plain"
                if shape.serialization.get("payload") == name:
                    values[name] = b"body"
            response = ours(service).render(ours(service).model.operations[operation.name], values, "rid-1")
            headers = {name.decode(): value.decode() for name, value in response.headers}
            received = {"status_code": response.status, "headers": _Insensitive(headers), "body": response.body}
            parsed = parser.parse(received, shape)
            if operation.name == "Invoke":
                parsed["Payload"] = response.body
            metadata = parsed.pop("ResponseMetadata")
            assert metadata["RequestId"] == "rid-1"
            assert _pruned(_plain(parsed)) == _pruned(values), operation.name


class _Insensitive(dict[str, str]):
    def __init__(self, given: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in given.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.timestamp() if hasattr(value, "timestamp") else value


def _error(service: str, request: Request) -> AwsError:
    with pytest.raises(AwsError) as refused:
        ours(service).parse(request)
    return refused.value


def _outcome(service: str, request: Request) -> AwsError | None:
    try:
        ours(service).parse(request)
    except AwsError as error:
        return error
    return None


def _json(target: str, body: bytes) -> Request:
    return Request("POST", b"/", Headers([(b"X-Amz-Target", target.encode())]), body)


def test_unknown_operations() -> None:
    assert _error("logs", _json("Logs_20140328.Nothing", b"{}")).code == "UnknownOperationException"
    assert _error("logs", _json("Other.PutLogEvents", b"{}")).code == "UnknownOperationException"
    assert _error("logs", Request("POST", b"/", Headers())).code == "UnknownOperationException"
    assert _error("lambda", Request("GET", b"/2015-03-31/nothing", Headers())).status == 403
    assert _error("sts", Request("POST", b"/", Headers(), b"Version=2011-06-15")).code == "MissingAction"
    error = _error("sts", Request("POST", b"/", Headers(), b"Action=Nothing&Version=2011-06-15"))
    assert (error.code, error.message) == ("InvalidAction", "Could not find operation Nothing for version 2011-06-15")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[]", b"1", b'{"logGroupName":1}', b'{"tags":[]}', b'{"logGroupName":' + b"[" * 5000]
)
def test_bodies_of_the_wrong_shape(body: bytes) -> None:
    error = _error("logs", _json("Logs_20140328.CreateLogGroup", body))
    assert (error.code, error.status) == ("SerializationException", 400)


def test_every_broken_constraint_is_named() -> None:
    error = _error("logs", _json("Logs_20140328.PutRetentionPolicy", b'{"logGroupName":""}'))
    assert error.code == "ValidationException"
    assert error.message == (
        "3 validation errors detected: Value null at 'retentionInDays' failed to satisfy constraint: Member must not "
        "be null; Value '' at 'logGroupName' failed to satisfy constraint: Member must have length greater than or "
        "equal to 1; Value '' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression "
        "pattern: [\\.\\-_/#A-Za-z0-9]+"
    )
    body = b"Action=AssumeRole&Version=2011-06-15&RoleArn=x&RoleSessionName=ab&DurationSeconds=1"
    error = _error("sts", Request("POST", b"/", Headers(), body))
    assert (error.code, error.status) == ("ValidationError", 400)
    assert (
        "Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than"
        in error.message
    )


def test_enumerations_and_nested_places() -> None:
    body = b'{"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Code":{},"Runtime":"cobol","Tags":{"":"x"}}'
    request = Request("POST", b"/2015-03-31/functions", Headers(), body)
    message = _error("lambda", request).message
    assert (
        "Value 'cobol' at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs"
        in message
    )
    body = b'{"tags":{"":"x"},"logGroupName":"g"}'
    assert "at 'tags..key' failed" in _error("logs", _json("Logs_20140328.CreateLogGroup", body)).message


def test_sensitive_values_are_not_echoed() -> None:
    model = ours("sts").model
    shapes = {**model.shapes, "Secret": {"type": "string", "max": 3, "sensitive": True}}
    model_shapes, model.shapes = model.shapes, shapes
    try:
        with pytest.raises(AwsError) as refused:
            validate(model, "Secret", "hunter2")
    finally:
        model.shapes = model_shapes
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    "form",
    [
        b"Action",
        b"Action=x&" + b"a=b&" * 6000,
        b"Action=CreateRole&Tags.member.1.Key.x=1&Tags.member.1.Key=2",
        b"a=1&a..b=2&Action=CreateRole",
        b"Action=CreateRole&Tags=1&Tags.member=2&Tags.member.x=3",
        b"Action=CreateRole&MaxSessionDuration=x",
        b"Action=%FF&%FF=%FF",
    ],
)
def test_forms_that_make_no_sense(form: bytes) -> None:
    assert _error("iam", Request("POST", b"/", Headers(), form)).status == 400


@given(st.binary(max_size=200))
def test_no_form_breaks_the_reader(noise: bytes) -> None:
    refused = _outcome("iam", Request("POST", b"/", Headers(), b"Action=CreateRole&" + noise))
    assert refused is None or refused.status == 400


@given(st.binary(max_size=60), st.sampled_from(["GET", "POST", "PUT", "DELETE"]), st.binary(max_size=40))
def test_no_path_breaks_the_router(path: bytes, method: str, body: bytes) -> None:
    refused = _outcome("lambda", Request(method, b"/2015-03-31/functions/" + path, Headers(), body))
    assert refused is None or refused.status in {400, 403}


class TestErrors:
    """An `AwsError` in each protocol's shape, as botocore reads it."""

    def _parsed(self, service: str, error: AwsError) -> tuple[Any, Any]:
        response = ours(service).render_error(error, "rid-1")
        headers = _Insensitive({name.decode(): value.decode() for name, value in response.headers})
        parser = botocore.parsers.create_parser(theirs(service).metadata["protocol"])
        shape = theirs(service).operation_model(theirs(service).operation_names[0]).output_shape
        return parser.parse(
            {"status_code": response.status, "headers": headers, "body": response.body}, shape
        ), response

    @pytest.mark.parametrize("service", SERVICES)
    def test_code_message_and_id(self, service: str) -> None:
        parsed, response = self._parsed(service, AwsError("It <broke> & fell", code="SomethingException", status=418))
        assert parsed["Error"]["Code"] == "SomethingException"
        assert parsed["Error"]["Message"] == "It <broke> & fell"
        assert parsed["ResponseMetadata"]["RequestId"] == "rid-1"
        assert response.status == 418

    def test_members_of_the_shape(self) -> None:
        error = AwsError(
            "Rate Exceeded.",
            code="TooManyRequestsException",
            status=429,
            members={"Reason": "ConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"},
        )
        response = ours("lambda").render_error(error, "r")
        assert isinstance(response.body, bytes)
        assert b'"message":"Rate Exceeded."' in response.body
        assert b'"Type":"User"' in response.body
        assert b'"Reason":"ConcurrentInvocationLimitExceeded"' in response.body
        assert (b"Retry-After", b"1") in response.headers
        assert (b"x-amzn-ErrorType", b"TooManyRequestsException") in response.headers


def test_only_some_operations_cost_less() -> None:
    small = ServiceModel("lambda", frozenset({"Invoke"}))
    assert [name for name, operation in small.model.operations.items() if operation.offered] == ["Invoke"]
    with pytest.raises(AwsError) as refused:
        small.parse(Request("GET", b"/2015-03-31/functions", Headers()))
    assert (refused.value.code, refused.value.status) == ("UnsupportedOperationException", 501)
    assert refused.value.message == "Trine does not offer the operation lambda:ListFunctions"
    assert len(small.model.shapes) < 60
    with pytest.raises(LookupError):
        ServiceModel("no-such-service")
