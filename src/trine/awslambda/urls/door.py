"""The door of the function URLs: `http.Request` in, `http.Response` out; it never raises.

Order of the rooms: which URL → preflight → permission → event → function → answer → CORS. A URL is found by its host
(`{url-id}.lambda-url.{region}.…`) or, for clients that cannot resolve it, by a path (`/_urls/{url-id}/…`).
"""

from __future__ import annotations

import logging
import re

import orjson

from trine.aws.errors import AwsError
from trine.aws.http_prelude import CONTENT_TYPE, PreludeMalformed, read_prelude
from trine.aws.ids import Ids
from trine.aws.invoke import InvokeRequest, StreamedResponse
from trine.awslambda import limits
from trine.awslambda.admission import trace_header_for, trace_header_of
from trine.awslambda.service import Service
from trine.awslambda.urls.answer import AnswerMalformed, StreamedBody, buffered, head_of
from trine.awslambda.urls.config import PATH_PREFIX, UrlConfig
from trine.awslambda.urls.cors import is_preflight, preflight_headers, with_cors
from trine.awslambda.urls.event import Visit, url_event
from trine.awslambda.urls.permit import UnknownUrl, permit_anybody, permit_signed
from trine.clock import Clock
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger(__name__)
_HOST = re.compile(rb"([a-z0-9]+)\.lambda-url\.[a-z0-9.-]+(?::\d+)?", re.IGNORECASE)
_STATUS_OF = {"TooManyRequestsException": 429, "RequestTooLargeException": 413}


class FunctionFailed(AwsError):
    """The function failed, or what it answered is no response."""

    code = "InternalFailure"
    status = 502


class FunctionTimedOut(AwsError):
    """The function ran into its timeout. AWS documents the status, not the body."""

    code = "GatewayTimeout"
    status = 504


class UrlDoor:
    """Serves every function URL of one service."""

    def __init__(
        self, service: Service, access: Access, clock: Clock, ids: Ids, traces: TraceBook, forwarded_port: str
    ) -> None:
        self._service = service
        self._access = access
        self._clock = clock
        self._ids = ids
        self._traces = traces
        self._forwarded_port = forwarded_port

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        request_id = self._ids.uuid()
        now = self._clock.now()
        trace_header = trace_header_of(request.headers.get(b"x-amzn-trace-id")) or trace_header_for(request_id, now)
        trace = self._traces.open("lambda-url", request_id)
        if self._traces.keeps_origin:
            trace.origin = request.headers.get(b"traceparent"), request.headers.get(b"x-amzn-trace-id")
        trace.title = f"{request.method} {request.path.decode('latin-1')}"
        config: UrlConfig | None = None
        try:
            url_id, path, domain = self._find(request)
            config = self._service.urls.get(url_id)
            if config is None:
                raise UnknownUrl(f"There is no function URL {url_id}")
            visit = Visit(request, url_id, path, domain, request_id, trace_header, now, self._forwarded_port)
            response = await self._answer(visit, config, trace)
        except AwsError as error:
            if trace.refusal is None:
                trace.refuse("awslambda.urls.door", error.message, code=error.code, **error.members)
            response = _refusal(error)
        except Exception:
            _LOGGER.exception("request %s to a function URL failed unexpectedly", request_id)
            response = _refusal(FunctionFailed("Internal Server Error", status=500))
        if config is not None and config.cors is not None and not is_preflight(request):
            response.headers = with_cors(config.cors, response.headers, request)
        response.headers += [
            (b"x-amzn-RequestId", request_id.encode()),
            (b"X-Amzn-Trace-Id", trace_header.encode("latin-1")),
        ]
        self._traces.close(trace, response.status)
        return response

    def _find(self, request: Request) -> tuple[str, bytes, str]:
        if request.path.startswith(PATH_PREFIX):
            url_id, slash, rest = request.path[len(PATH_PREFIX) :].partition(b"/")
            name = url_id.decode("latin-1")
            return name, slash + rest or b"/", f"{name}.lambda-url.{self._service.place.region}.on.aws"
        host = request.headers.get(b"host") or b""
        found = _HOST.fullmatch(host)
        if found is None:
            raise UnknownUrl(f"{host.decode('latin-1')!r} is no address of a function URL")
        return found[1].decode().lower(), request.path, host.partition(b":")[0].decode("latin-1").lower()

    async def _answer(self, visit: Visit, config: UrlConfig, trace: Trace) -> Response:
        if config.cors is not None and is_preflight(visit.request):
            trace.step("awslambda.urls.cors")
            return Response(200, preflight_headers(config.cors, visit.request))
        caller = self._permit(visit.request, config, trace)
        payload = url_event(visit, caller)
        if len(payload) > limits.EVENT_MAX_BYTES:
            message = f"Request must be smaller than {limits.EVENT_MAX_BYTES} bytes for the InvokeFunction operation"
            raise AwsError(message, code="RequestTooLargeException", status=413)
        trace.step("awslambda.urls.event", {"bytes": len(payload)})
        # Developer guide, "Invoking Lambda function URLs", `requestContext.requestId`: the id of the invocation.
        request = InvokeRequest(
            config.function,
            payload,
            qualifier=config.qualifier,
            trace=trace,
            trace_header=visit.trace_header,
            request_id=visit.request_id,
        )
        try:
            if config.streams:
                return await self._stream(await self._service.invoke_with_response_stream(request), trace)
            answer = await self._service.invoke(request)
            if answer.function_error is not None:
                raise _failure(answer.payload)
            response = buffered(answer.payload)
        except AnswerMalformed as malformed:
            trace.refuse("awslambda.urls.answer", f"the function's answer is no response: {malformed}")
            raise FunctionFailed("Internal Server Error") from malformed
        trace.step("awslambda.urls.answer")
        return response

    def _permit(self, request: Request, config: UrlConfig, trace: Trace) -> Caller | None:
        entry, qualifier = self._service.registry.find(config.function, config.qualifier)
        arn, policy = entry.arn(qualifier), entry.policy(qualifier)
        if config.auth == "AWS_IAM":
            return permit_signed(self._access, request, arn, policy, trace)
        permit_anybody(self._access, arn, policy, trace)
        return None

    async def _stream(self, answer: StreamedResponse, trace: Trace) -> Response:
        body = answer.body
        try:
            if answer.failed_early:
                assert body.end is not None
                raise _failure(body.end.payload)
            if answer.content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
                content_type = answer.content_type.encode("latin-1", "replace")
                return Response(200, [(b"Content-Type", content_type)], StreamedBody(b"", body))
            prelude = await read_prelude(body)
            status, pairs = head_of(prelude.metadata)
            trace.step("awslambda.urls.answer", {"streamed": True})
            return Response(status, pairs, StreamedBody(prelude.rest, body))
        except PreludeMalformed as malformed:
            body.abandon()
            raise AnswerMalformed(str(malformed)) from malformed
        except BaseException:
            body.abandon()
            raise


def _failure(payload: bytes) -> AwsError:
    try:
        document = orjson.loads(payload)
        kind = document.get("errorType") if isinstance(document, dict) else None
    except orjson.JSONDecodeError:
        kind = None
    if kind == "Sandbox.Timedout":
        return FunctionTimedOut("Gateway Timeout")
    return FunctionFailed("Internal Server Error")


def _refusal(error: AwsError) -> Response:
    status = _STATUS_OF.get(error.code, error.status)
    headers = [(b"Content-Type", b"application/json")]
    if isinstance(error, FunctionFailed | FunctionTimedOut):
        return Response(status, headers, error.message.encode())  # these two are plain words, as on AWS
    headers.append((b"x-amzn-ErrorType", error.code.encode()))
    if isinstance(error, UnknownUrl):
        return Response(status, headers, b'{"Message":null}')  # the reason is in the trace
    member = "Message" if error.code == "AccessDeniedException" else "message"
    return Response(status, headers, orjson.dumps({**error.members, member: error.message}))
