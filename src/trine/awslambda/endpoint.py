"""The Lambda API on the AWS port: rest-json by botocore's model, every call authenticated and authorized.

Corridor: signature → operation → policy → input → service → answer. Enters `http.Request`, leaves `http.Response`; it
never raises.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.invoke import InvocationType, InvokeRequest
from trine.aws.protocol import Operation, ServiceModel
from trine.awslambda.describe import CodeMeasure, configuration, measure_code
from trine.awslambda.errors import InvalidParameterValue, InvalidRequestContent, ResourceNotFound
from trine.awslambda.function import Function, split_name
from trine.awslambda.service import Service
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.trace import Trace, TraceBook

_LOGGER = logging.getLogger(__name__)
_Answer = tuple[dict[str, Any], str | None]
"""Output members and, for Invoke, the invocation's own request id."""
_ACTIONS = {"Invoke": "lambda:InvokeFunction", "InvokeAsync": "lambda:InvokeFunction"}
PAGE_FUNCTIONS = 50
"""API reference, ListFunctions: at most 50 functions a page."""


class Endpoint:
    """The door of the Lambda API."""

    def __init__(self, service: Service, access: Access, ids: Ids, traces: TraceBook) -> None:
        self._service = service
        self._access = access
        self._ids = ids
        self._traces = traces
        self._measured: dict[str, CodeMeasure] = {}
        self._operations: dict[str, Callable[[Mapping[str, Any], Trace], Awaitable[_Answer]]] = {
            "Invoke": self._invoke,
            "InvokeAsync": self._invoke_async,
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": self._get_configuration,
            "ListFunctions": self._list_functions,
            "GetFunctionConcurrency": self._get_concurrency,
            "PutFunctionConcurrency": self._put_concurrency,
            "DeleteFunctionConcurrency": self._delete_concurrency,
            "GetPolicy": self._get_policy,
            "GetAccountSettings": self._account_settings,
        }
        self._model: ServiceModel | None = None

    @property
    def model(self) -> ServiceModel:
        """The API's model; read on the first call (it costs some 20 ms)."""
        if self._model is None:
            self._model = ServiceModel("lambda", frozenset(self._operations))
        return self._model

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        request_id = self._ids.uuid()
        trace = self._traces.open("lambda-api", request_id)
        try:
            response = await self._answer(request, request_id, trace)
        except AwsError as error:
            if trace.refusal is None:
                trace.refuse("awslambda.endpoint", error.message, code=error.code)
            response = self.model.render_error(error, request_id)
        except Exception:
            _LOGGER.exception("request %s failed unexpectedly", request_id)
            internal = AwsError("Service encountered an internal failure.", code="ServiceException")
            response = self.model.render_error(internal, request_id)
        self._traces.close(trace, response.status)
        return response

    async def _answer(self, request: Request, request_id: str, trace: Trace) -> Response:
        caller = self._access.authenticate(request, "lambda", trace)
        operation, given = self.model.parse(request)
        trace.title = f"lambda:{operation.name} {given.get('FunctionName', '')}".rstrip()
        resource, policy = self._resource(operation, given)
        action = _ACTIONS.get(operation.name, f"lambda:{operation.name}")
        self._access.authorize(caller, action, resource, None, policy, trace)
        output, invocation_id = await self._operations[operation.name](given, trace)
        trace.step("awslambda.endpoint")
        return self.model.render(operation, output, invocation_id or request_id)

    def _resource(self, operation: Operation, given: Mapping[str, Any]) -> tuple[str, Any]:
        named = given.get("FunctionName")
        if named is None:
            return "*", None
        try:
            name, qualifier = split_name(named, self._service.place)
        except ValueError:
            raise ResourceNotFound(f"Function not found: {named}") from None
        qualifier = given.get("Qualifier") or qualifier
        arn = self._service.place.function(name)
        policy = None
        if any(function.name == name for function in self._service.functions()):
            policy = self._service.policy(name)
        return (f"{arn}:{qualifier}" if qualifier else arn), policy

    # -- invoking ----------------------------------------------------------------------------------------------------

    async def _invoke(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        payload: bytes = given.get("Payload") or b""
        _check_json(payload)
        kind: InvocationType = given.get("InvocationType", "RequestResponse")
        response = await self._service.invoke(
            InvokeRequest(
                given["FunctionName"],
                payload,
                kind,
                given.get("Qualifier"),
                given.get("ClientContext"),
                given.get("LogType") == "Tail",
                None,
                trace,
            )
        )
        output: dict[str, Any] = {"StatusCode": response.status, "Payload": response.payload}
        if kind == "RequestResponse":
            output["ExecutedVersion"] = response.executed_version
        if response.function_error is not None:
            output["FunctionError"] = response.function_error
        if response.log_tail is not None:
            output["LogResult"] = base64.b64encode(response.log_tail).decode()
        return output, response.request_id

    async def _invoke_async(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        payload: bytes = given.get("InvokeArgs") or b""
        _check_json(payload)
        response = await self._service.invoke(InvokeRequest(given["FunctionName"], payload, "Event", trace=trace))
        return {"Status": response.status}, response.request_id

    # -- describing --------------------------------------------------------------------------------------------------

    async def _measure(self, function: Function) -> CodeMeasure:
        measured = self._measured.get(function.revision)
        if measured is None:
            measured = await asyncio.to_thread(measure_code, function.code_directory)
            if len(self._measured) > 1_000:
                self._measured.clear()
            self._measured[function.revision] = measured
        return measured

    def _function(self, given: Mapping[str, Any]) -> Function:
        name = given["FunctionName"]
        qualifier = given.get("Qualifier")
        return self._service.function(f"{name}:{qualifier}" if qualifier else name)

    async def _get_configuration(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        function = self._function(given)
        return configuration(function, await self._measure(function)), None

    async def _get_function(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        function = self._function(given)
        output: dict[str, Any] = {
            "Configuration": configuration(function, await self._measure(function)),
            "Code": {"RepositoryType": "Local", "Location": function.code_directory.as_uri()},
        }
        if function.reserved_concurrency is not None:
            output["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return output, None

    async def _list_functions(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        functions = self._service.functions()
        marker = given.get("Marker", "")
        if marker:
            functions = [function for function in functions if function.name > marker]
        page = functions[: min(given.get("MaxItems", PAGE_FUNCTIONS), PAGE_FUNCTIONS)]
        output: dict[str, Any] = {"Functions": [configuration(f, await self._measure(f)) for f in page]}
        if len(page) < len(functions):
            output["NextMarker"] = page[-1].name
        return output, None

    async def _get_policy(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        text = self._service.policy_text(given["FunctionName"])
        if text is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return {"Policy": text, "RevisionId": self._service.function(given["FunctionName"]).revision}, None

    async def _account_settings(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        concurrency = self._service.concurrency
        functions = self._service.functions()
        sizes = [(await self._measure(function)).size_bytes for function in functions]
        return {
            "AccountLimit": {
                "ConcurrentExecutions": concurrency.account_limit,
                "UnreservedConcurrentExecutions": concurrency.unreserved_limit,
            },
            "AccountUsage": {"FunctionCount": len(functions), "TotalCodeSize": sum(sizes)},
        }, None

    # -- concurrency -------------------------------------------------------------------------------------------------

    async def _get_concurrency(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        reserved = self._service.function(given["FunctionName"]).reserved_concurrency
        return ({} if reserved is None else {"ReservedConcurrentExecutions": reserved}), None

    async def _put_concurrency(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        units = given["ReservedConcurrentExecutions"]
        self._service.reserve_concurrency(given["FunctionName"], units)
        return {"ReservedConcurrentExecutions": units}, None

    async def _delete_concurrency(self, given: Mapping[str, Any], trace: Trace) -> _Answer:
        self._service.reserve_concurrency(given["FunctionName"], None)
        return {}, None


def _check_json(payload: bytes) -> None:
    if not payload:
        return
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestContent(f"Could not parse request body into json: {error}") from None
    except RecursionError:
        raise InvalidParameterValue("The event is nested too deeply") from None
