"""`AWS::ApiGatewayV2::Api` with `ProtocolType: WEBSOCKET` and the resources that name it become an `Api`. Pure.

Enters the template's resolved resources; leaves an `Api` whose routes have no method and whose paths are route keys.
What cannot be served is told in `Api.problems`, and its routes answer with an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from trine.apigateway.api import (
    Api,
    ApiKind,
    Authorization,
    Authorizer,
    Integration,
    IntegrationResponse,
    IntegrationType,
    Route,
    Stage,
)
from trine.apigateway.definition import as_mapping, read_authorizer, read_integration
from trine.apigateway.domains import read_domains
from trine.apigateway.limits import ROUTES_PER_API
from trine.apigateway.mapping.template import TemplateError
from trine.apigateway.websocket.route_keys import CONNECT, DEFAULT
from trine.apigateway.websocket.selection import SelectionInvalid, parse_selection
from trine.aws.patterns import PatternRefused
from trine.aws.resource import ResourceLike

ROUTE_SELECTION_DEFAULT = "$request.body.action"
_PREFIX = "AWS::ApiGatewayV2::"
_FROM_AUTHORIZER = "context.authorizer.usageidentifierkey"
_AUTHORIZATIONS = {"": Authorization.NONE, "NONE": Authorization.NONE, "AWS_IAM": Authorization.AWS_IAM,
                   "CUSTOM": Authorization.CUSTOM}  # fmt: skip


def build_websocket_api(
    api_id: str,
    properties: Mapping[str, Any],
    resources: Iterable[ResourceLike],
    stages: tuple[Stage, ...],
    *,
    logical_id: str = "",
) -> Api:
    """A WebSocket API from its properties, its stages and the resources that name it."""
    mine: dict[str, list[ResourceLike]] = {}
    everything = list(resources)
    for resource in everything:
        if resource.properties.get("ApiId") == api_id:
            mine.setdefault(resource.type.removeprefix(_PREFIX), []).append(resource)
    problems: list[str] = []
    selection = str(properties.get("RouteSelectionExpression") or ROUTE_SELECTION_DEFAULT)
    try:
        parse_selection(selection)
    except SelectionInvalid as error:
        problems.append(f"RouteSelectionExpression: {error}; every message goes to $default")
        selection = "\\$default"
    authorizers = {r.physical_id: _authorizer(r, problems) for r in mine.get("Authorizer", [])}
    models = {str(r.properties.get("Name") or r.logical_id): r.properties.get("Schema") for r in mine.get("Model", [])}
    routes = [_with_models(route, models, problems) for route in _routes(mine, authorizers, problems)]
    if len(routes) > ROUTES_PER_API:
        problems.append(f"{len(routes)} routes; only the first {ROUTES_PER_API} are served")
    if properties.get("Body") or properties.get("BodyS3Location"):
        problems.append("a WebSocket API takes no OpenAPI document; its routes are resources of the template")
    key_source = str(properties.get("ApiKeySelectionExpression") or "").lower()
    return Api(
        id=api_id,
        kind=ApiKind.WEBSOCKET,
        name=str(properties.get("Name") or logical_id),
        logical_id=logical_id,
        routes=tuple(routes[:ROUTES_PER_API]),
        stages=stages,
        authorizers=authorizers,
        api_key_source="AUTHORIZER" if _FROM_AUTHORIZER in key_source else "HEADER",
        definitions=models,
        domains=read_domains(api_id, everything),
        default_endpoint=str(properties.get("DisableExecuteApiEndpoint", False)).lower() != "true",
        route_selection=selection,
        problems=tuple(problems),
    )


def _authorizer(resource: ResourceLike, problems: list[str]) -> Authorizer:
    """A REQUEST authorizer, the only kind a WebSocket API has; its answers are never cached (CloudFormation,
    `AuthorizerResultTtlInSeconds`: HTTP APIs only)."""
    name = resource.physical_id
    read = read_authorizer(name, resource.properties, {}, rest=False)
    if read.kind != "REQUEST":
        problems.append(f"authorizer {resource.logical_id}: a WebSocket API takes REQUEST, not {read.kind or '(none)'}")
    return replace(read, kind="REQUEST", ttl_seconds=0, payload_version="1.0", simple_responses=False)


def _routes(
    mine: Mapping[str, list[ResourceLike]], authorizers: Mapping[str, Authorizer], problems: list[str]
) -> list[Route]:
    responses: dict[str, list[IntegrationResponse]] = {}
    for resource in mine.get("IntegrationResponse", []):
        responses.setdefault(str(resource.properties.get("IntegrationId")), []).append(_response(resource.properties))
    integrations = {
        r.physical_id: _integration(r.properties, tuple(responses.get(r.physical_id, ())))
        for r in mine.get("Integration", [])
    }
    responding = {str(r.properties.get("RouteId")) for r in mine.get("RouteResponse", [])}
    routes: dict[str, Route] = {}
    for resource in mine.get("Route", []):
        route = _route(resource, integrations, authorizers, problems, responds=resource.physical_id in responding)
        if route.path in routes:
            problems.append(f"route {route.path} ({resource.logical_id}) is defined twice; the first one counts")
        else:
            routes[route.path] = route
    for route in routes.values():
        if route.integration.problem:
            problems.append(f"{route.path}: {route.integration.problem}")
    return list(routes.values())


def _route(
    resource: ResourceLike,
    integrations: Mapping[str, Integration],
    authorizers: Mapping[str, Authorizer],
    problems: list[str],
    *,
    responds: bool,
) -> Route:
    node = resource.properties
    key = str(node.get("RouteKey") or DEFAULT)
    target = str(node.get("Target") or "").removeprefix("integrations/")
    integration = integrations.get(target)
    if integration is None:
        integration = Integration(IntegrationType.NOT_BUILT, problem=f"its target {target or '(none)'} is unknown")
    text = str(node.get("AuthorizationType") or "").upper()
    authorization = _AUTHORIZATIONS.get(text)
    if authorization is None:
        problems.append(f"{key}: a WebSocket API has no authorization type {text}; nobody may connect")
        authorization = Authorization.CUSTOM
    if key != CONNECT and authorization is not Authorization.NONE:
        problems.append(f"{key}: authorization counts on $connect only, as on AWS")
        authorization = Authorization.NONE
    authorizer = str(node.get("AuthorizerId") or "")
    return Route(
        method="",
        path=key,
        integration=integration,
        resource_id=resource.physical_id,
        authorization=authorization,
        authorizer=authorizer if authorizer in authorizers else None,
        api_key_required=str(node.get("ApiKeyRequired", False)).lower() == "true",
        models={str(key): str(name) for key, name in as_mapping(node.get("RequestModels")).items()},
        model_selection=str(node.get("ModelSelectionExpression") or ""),
        required_parameters=tuple(
            str(name)
            for name, rule in as_mapping(node.get("RequestParameters")).items()
            if str(as_mapping(rule).get("Required", False)).lower() == "true"
        ),
        # CDK's `returnResponse` and SAM's WebSocketApi set the expression alone, other templates make a route response.
        responds=responds or bool(node.get("RouteResponseSelectionExpression")),
    )


def _with_models(route: Route, models: Mapping[str, Any], problems: list[str]) -> Route:
    """`route` with the schemas of the models that it names; one that cannot be used serves nobody."""
    from trine.apigateway.validation import SchemaRefused
    from trine.apigateway.websocket.validation import RouteValidation

    if not route.model_selection:
        return replace(route, models={})
    try:
        found = replace(route, models={key: models[name] for key, name in route.models.items()})
        RouteValidation(found, models)
    except (KeyError, SchemaRefused, SelectionInvalid) as error:
        problem = f"there is no model {error}" if isinstance(error, KeyError) else str(error)
        problems.append(f"{route.path}: {problem}")
        broken = replace(route.integration, type=IntegrationType.NOT_BUILT, problem=problem)
        return replace(route, models={}, model_selection="", integration=broken)
    return found


def _integration(node: Mapping[str, Any], responses: tuple[IntegrationResponse, ...]) -> Integration:
    # `rest`: WebSocket APIs have all five integration types, and at most 29 s, as REST APIs have.
    read = read_integration({**node, "integrationResponses": []}, rest=True)
    strategy = str(node.get("ContentHandlingStrategy") or "") or None
    read = replace(
        read,
        responses=responses,
        timeout_seconds=min(read.timeout_seconds, 29.0),
        template_selection=str(node.get("TemplateSelectionExpression") or ""),
        content_handling=strategy,
    )
    problem = _unreadable(read)
    return replace(read, type=IntegrationType.NOT_BUILT, problem=problem) if problem and not read.problem else read


def _unreadable(integration: Integration) -> str:
    from trine.apigateway.websocket.transformation import SocketTransformation

    try:
        SocketTransformation(integration)
    except (TemplateError, PatternRefused, SelectionInvalid) as error:
        return str(error)
    return ""


def _response(node: Mapping[str, Any]) -> IntegrationResponse:
    """`IntegrationResponseKey` is `$default`, or a regular expression between slashes."""
    key = str(node.get("IntegrationResponseKey") or DEFAULT)
    pattern = key[1:-1] if len(key) > 1 and key.startswith("/") and key.endswith("/") else key
    return IntegrationResponse(
        status=200,
        selection_pattern=None if key == DEFAULT else pattern,
        parameters={str(k): str(v) for k, v in as_mapping(node.get("ResponseParameters")).items()},
        templates={str(k): str(v) for k, v in as_mapping(node.get("ResponseTemplates")).items()},
        content_handling=str(node.get("ContentHandlingStrategy") or "") or None,
        template_selection=str(node.get("TemplateSelectionExpression") or ""),
    )
