"""Fixtures of the front door's tests: templates as plain values, an Invoker that records, a gateway without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from tests.catalogue import MemoryCatalogue
from trine.apigateway.build import build_apis
from trine.apigateway.gateway import Gateway
from trine.aws.answer_stream import AnswerStream
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.aws.invoke import InvokeRequest, InvokeResponse, StreamedResponse
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.trace import TraceBook

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hello"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
START_SECONDS = 1_800_000_000.0


@dataclass
class TemplateResource:
    """A resolved resource, as the template wing hands it over."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)


class RecordingInvoker:
    """Answers with what the test wants: bytes, a value, an InvokeResponse, an exception, a function, or not yet."""

    def __init__(self) -> None:
        self.requests: list[InvokeRequest] = []
        self.answer: Any = {"statusCode": 200, "body": "hello"}
        self.pending: list[asyncio.Future[InvokeResponse]] = []
        self.holds: list[bool] = []
        self.stream = AnswerStream(self.holds.append)
        """What a streaming invocation gives; the test feeds it."""
        self.refusal: Exception | None = None

    def invoke(self, request: InvokeRequest) -> asyncio.Future[InvokeResponse]:
        self.requests.append(request)
        future: asyncio.Future[InvokeResponse] = asyncio.get_running_loop().create_future()
        answer = self.answer(request) if callable(self.answer) else self.answer
        if answer is None:
            self.pending.append(future)
        elif isinstance(answer, Exception):
            future.set_exception(answer)
        elif isinstance(answer, InvokeResponse):
            future.set_result(answer)
        else:
            payload = answer if isinstance(answer, bytes) else orjson.dumps(answer)
            future.set_result(InvokeResponse(200, payload, "invocation-1"))
        return future

    def invoke_with_response_stream(self, request: InvokeRequest) -> asyncio.Future[StreamedResponse]:
        self.requests.append(request)
        future: asyncio.Future[StreamedResponse] = asyncio.get_running_loop().create_future()
        if self.refusal is not None:
            future.set_exception(self.refusal)
        else:
            future.set_result(StreamedResponse("stream-1", "$LATEST", "application/octet-stream", self.stream))
        return future

    @property
    def event(self) -> dict[str, Any]:
        """The event of the latest invocation."""
        return orjson.loads(self.requests[-1].payload)


class Door:
    """A gateway and everything around it that a test looks at."""

    def __init__(self, resources: list[TemplateResource], **options: Any) -> None:
        self.clock = ManualClock(START_SECONDS)
        self.invoker = RecordingInvoker()
        self.traces = TraceBook(self.clock)
        self.apis = build_apis(resources)
        self.gateway = Gateway(self.apis, self.invoker, self.clock, SeededIds(7), Place(), self.traces, **options)

    def start(self, method: str, target: str | bytes, headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
              body: bytes = b"") -> Any:  # fmt: skip
        """Hand one request in; a Response, or the future of one. Needs a running loop."""
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers or [])
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.insert(0, ("Host", "127.0.0.1:3000"))
        raw = target.encode() if isinstance(target, str) else target
        message = Headers([(n.encode("latin-1"), v.encode("latin-1")) for n, v in pairs])
        return self.gateway.handle(Request(method, raw, message, body, peer_host="203.0.113.9"))

    async def acall(self, *args: Any, **kwargs: Any) -> Response:
        answer = self.start(*args, **kwargs)
        return answer if isinstance(answer, Response) else await answer

    def call(self, *args: Any, **kwargs: Any) -> Response:
        """One whole request, in a loop of its own."""
        return asyncio.run(self.acall(*args, **kwargs))

    def event(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The event that a request makes."""
        response = self.call(*args, **kwargs)
        assert response.status == 200, response.body
        return self.invoker.event

    def refusal(self) -> Mapping[str, Any]:
        """Why the latest request was refused."""
        trace = next(self.traces.latest("apigateway"))
        assert trace.refusal is not None
        return trace.refusal


def header(response: Response, name: str) -> str | None:
    """The value of one header, names in any case."""
    for key, value in response.headers:
        if key.decode().lower() == name.lower():
            return value.decode("latin-1")
    return None


def rest_template(
    paths: Mapping[str, Any], *, body: Mapping[str, Any] | None = None, stages: Any = None, **properties: Any
) -> list[TemplateResource]:
    """A REST API `rest01` as SAM writes it, with the stage Prod unless `stages` says otherwise."""
    document = {"swagger": "2.0", "info": {"title": "users"}, "paths": paths, **(body or {})}
    resources = [TemplateResource("Api", "AWS::ApiGateway::RestApi", "rest01", {"Body": document, **properties})]
    for stage in stages or [{"StageName": "Prod"}]:
        resources.append(
            TemplateResource(
                "ApiStage",
                "AWS::ApiGateway::Stage",
                stage["StageName"],
                {"RestApiId": "rest01", "DeploymentId": "dep123", **stage},
            )
        )
    return resources


def http_template(
    paths: Mapping[str, Any], *, body: Mapping[str, Any] | None = None, stages: Any = None, **properties: Any
) -> list[TemplateResource]:
    """An HTTP API `http01` as SAM writes it, with the stage `$default` unless `stages` says otherwise."""
    document = {"openapi": "3.0.1", "info": {"title": "users"}, "paths": paths, **(body or {})}
    resources = [TemplateResource("Api", "AWS::ApiGatewayV2::Api", "http01", {"Body": document, **properties})]
    for stage in stages or [{"StageName": "$default"}]:
        resources.append(
            TemplateResource("ApiStage", "AWS::ApiGatewayV2::Stage", stage["StageName"], {"ApiId": "http01", **stage})
        )
    return resources


def proxy(**more: Any) -> dict[str, Any]:
    """An operation with a Lambda proxy integration."""
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI, **more.pop("integration", {})}
    return {"x-amazon-apigateway-integration": integration, "responses": {}, **more}


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    return MemoryCatalogue()


@pytest.fixture
def make_door() -> Callable[..., Door]:
    return Door


@pytest.fixture
def rest() -> Callable[..., list[TemplateResource]]:
    return rest_template


@pytest.fixture
def http() -> Callable[..., list[TemplateResource]]:
    return http_template


@pytest.fixture
def lambda_proxy() -> Callable[..., dict[str, Any]]:
    return proxy


@pytest.fixture
def get_header() -> Callable[[Response, str], str | None]:
    return header


@pytest.fixture
def resource() -> type[TemplateResource]:
    return TemplateResource


@pytest.fixture
def function_arn() -> str:
    return FUNCTION


@pytest.fixture
def rest_door(rest: Any, lambda_proxy: Any) -> Door:
    """A REST API with a named, a greedy and a literal path."""
    return Door(
        rest(
            {
                "/users": {"get": lambda_proxy(), "post": lambda_proxy()},
                "/users/{id}": {"get": lambda_proxy()},
                "/files/{proxy+}": {"x-amazon-apigateway-any-method": lambda_proxy()},
            }
        )
    )


@pytest.fixture
def http_door(http: Any, lambda_proxy: Any) -> Door:
    """An HTTP API with payload 2.0, and one route with 1.0."""
    two = {"integration": {"payloadFormatVersion": "2.0"}}
    return Door(
        http(
            {
                "/users": {"get": lambda_proxy(**two), "post": lambda_proxy(**two)},
                "/users/{id}": {"get": lambda_proxy(**two)},
                "/files/{proxy+}": {"x-amazon-apigateway-any-method": lambda_proxy(**two)},
                "/old/{id}": {
                    "x-amazon-apigateway-any-method": lambda_proxy(integration={"payloadFormatVersion": "1.0"})
                },
            }
        )
    )
