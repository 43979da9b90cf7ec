"""AWS with a service behind it: `arn:aws:apigateway:REGION:SERVICE:action/NAME` or `…:path/PATH`, in a role's name.

Enters an `Exchange`; the request template makes the body, `requestParameters` make headers, query and path. The request
goes to the service's endpoint in this stack, signed with credentials of the role that `credentials` names (its trust
policy must admit apigateway.amazonaws.com), so the role's policy decides as for anyone. The endpoint's status chooses
the integration response. Source: `uri` in "Integration" (API Gateway API Reference).
"""

from __future__ import annotations

import re
from asyncio import Future
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from trine.apigateway.api import Integration
from trine.apigateway.deployment import DeployedStage, fill_stage_variables
from trine.apigateway.errors import API_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.request_parameters import Parameters, fill_path, integration_parameters
from trine.apigateway.integrations.service_call import Call, ServiceDoor, all_headers
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.response import header_name, header_value
from trine.apigateway.roles import CALLER, Roles
from trine.aws.protocol_model import read_document
from trine.clock import Clock
from trine.http.message import Handler, Response
from trine.iam.signing import HeaderPairs

_URI = re.compile(
    r"arn:[^:]*:apigateway:(?P<region>[^:]*):(?:(?P<subdomain>[^:]*)\.)?(?P<service>[A-Za-z0-9-]+)"
    r":(?P<kind>path|action)/(?P<rest>.*)",
    re.DOTALL,
)
_SIGNING_NAMES = {"email": "ses"}
"""Names in a URI that are not what the service signs with."""
_MODELS = {"states": "stepfunctions", "monitoring": "cloudwatch"}
"""Signing names that botocore's data calls otherwise."""
_QUERY_ACTIONS = frozenset({"sqs"})
"""Services whose newest protocol is JSON and whose `action/…` is still called by the query protocol."""


class _Wire(NamedTuple):
    """How a service's operations are called."""

    query: bool
    version: str
    target_prefix: str
    json_version: str


@lru_cache
def _wire(service: str) -> _Wire:
    """The wire of `service`, read from its model when the first request needs it. GatewayError when unknown."""
    if service == "dynamodb":
        return _Wire(False, "2012-08-10", "DynamoDB_20120810", "1.0")
    try:
        metadata = read_document(_MODELS.get(service, service))["metadata"]
    except LookupError:
        reason = f"the operations of {service} are not known"
        raise GatewayError(API_CONFIGURATION_ERROR, reason, room="apigateway.integration") from None
    query = metadata["protocol"] == "query" or service in _QUERY_ACTIONS
    return _Wire(query, metadata["apiVersion"], metadata.get("targetPrefix", ""), metadata.get("jsonVersion", "1.1"))


class ServiceTarget(NamedTuple):
    """An AWS integration's URI, taken apart."""

    service: str
    """The signing name: `dynamodb`, `sqs`, `states`, …"""
    region: str
    action: str | None
    """The operation of `action/…`; None for `path/…`."""
    path: str
    host: str


def service_target(uri: str, default_region: str) -> ServiceTarget | None:
    """What `uri` names; None when it names no service."""
    match = _URI.fullmatch(uri)
    if match is None:
        return None
    name, region = match["service"], match["region"] or default_region
    subdomain = f"{match['subdomain']}." if match["subdomain"] else ""
    action = match["rest"] if match["kind"] == "action" else None
    path = "/" if action is not None else "/" + match["rest"].lstrip("/")
    return ServiceTarget(
        _SIGNING_NAMES.get(name, name), region, action, path, f"{subdomain}{name}.{region}.amazonaws.com"
    )


class ServiceAction:
    """Runs one integration with an AWS service."""

    def __init__(
        self,
        transformation: Transformation,
        target: ServiceTarget,
        deployed: DeployedStage,
        endpoint: Handler,
        roles: Roles,
        clock: Clock,
    ) -> None:
        integration: Integration = transformation.integration
        self._transformation = transformation
        self._target = target
        self._role = fill_stage_variables(integration.credentials or "", deployed.stage.variables)
        self._door = ServiceDoor(endpoint, self._role, roles, clock)

    def start(self, exchange: Exchange) -> Future[Response]:
        """Render the request, sign it and hand it to the service's endpoint."""
        if not self._role or self._role == CALLER:
            raise GatewayError(API_CONFIGURATION_ERROR, "the integration names no role in `credentials`")
        transformation, target = self._transformation, self._target
        body = transformation.request_body(exchange)
        parameters = integration_parameters(transformation.integration.request_parameters, exchange, body)
        method = transformation.integration.http_method
        call = Call(
            target.service,
            target.region,
            exchange.method if method == "ANY" else method,
            self._request_target(parameters),
            self._headers(exchange, parameters),
            body,
        )
        return self._door.call(exchange, call)

    def _request_target(self, parameters: Parameters) -> bytes:
        query = dict(parameters["querystring"])
        action = self._target.action
        if action is not None and (wire := _wire(self._target.service)).query:
            query = {"Action": action, "Version": wire.version, **query}
        path = fill_path(self._target.path, parameters["path"]).encode()
        return path + b"?" + urlencode(query).encode() if query else path

    def _headers(self, exchange: Exchange, parameters: Parameters) -> HeaderPairs:
        kind = exchange.request.headers.get(b"content-type") or b"application/json"
        defaults = {b"content-type": kind, b"accept": b"application/json"}
        action = self._target.action
        if action is not None and not (wire := _wire(self._target.service)).query:
            defaults[b"content-type"] = f"application/x-amz-json-{wire.json_version}".encode()
            defaults[b"x-amz-target"] = f"{wire.target_prefix}.{action}".encode()
        for name, value in parameters["header"].items():
            defaults.pop(name.lower().encode("latin-1", "replace"), None)
            defaults[header_name(name)] = header_value(value, name)
        defaults[b"host"] = self._target.host.encode()
        return list(defaults.items())

    def complete(self, exchange: Exchange, settled: Future[Response]) -> Response:
        """The integration response that the endpoint's status chooses."""
        answer = settled.result()
        exchange.integration_status = answer.status
        exchange.received = answer.body if isinstance(answer.body, bytes) else None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in all_headers(answer)}
        exchange.endpoint_request_id = next(
            (value for name, value in headers.items() if name.lower() == "x-amzn-requestid"), None
        )
        index = self._transformation.choose(str(answer.status))
        body = answer.body if isinstance(answer.body, bytes) else b""
        return self._transformation.respond(exchange, index, body, headers)
