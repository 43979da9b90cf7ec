"""Templates become APIs: the one room that knows which resource types make an API.

Enters the resolved resources of a template (see `ResourceLike`); leaves `Api` values in template order, each with
the sentences of what it asks for and cannot have (`Api.problems`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from trine.apigateway.api import Api, ApiKind, IntegrationType, Route, Stage
from trine.apigateway.definition import as_mapping, as_strings, read_cors
from trine.apigateway.domains import read_domains
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.limits import ROUTES_PER_API
from trine.apigateway.mapping.template import TemplateError
from trine.apigateway.openapi import Definition, read_openapi
from trine.apigateway.resources import read_http_resources, read_rest_resources
from trine.apigateway.stages import read_http_stages, read_rest_stages, short_id
from trine.apigateway.websocket.build import build_websocket_api
from trine.aws.arn import Place
from trine.aws.patterns import PatternRefused
from trine.aws.resource import ResourceLike

REST_API = "AWS::ApiGateway::RestApi"
HTTP_API = "AWS::ApiGatewayV2::Api"


def build_apis(resources: Iterable[ResourceLike], place: Place | None = None) -> list[Api]:
    """Every API of a template, of all three kinds."""
    everything = list(resources)
    apis: list[Api] = []
    for resource in everything:
        if resource.type == REST_API:
            apis.append(
                build_rest_api(resource.physical_id, resource.properties, everything, resource.logical_id, place)
            )
        elif resource.type == HTTP_API:
            apis.append(
                build_http_api(resource.physical_id, resource.properties, everything, resource.logical_id, place)
            )
    return apis


def build_rest_api(
    api_id: str,
    properties: Mapping[str, Any],
    resources: Iterable[ResourceLike] = (),
    logical_id: str = "",
    place: Place | None = None,
) -> Api:
    """A REST API from `AWS::ApiGateway::RestApi` properties and the resources that name it."""
    everything = list(resources)
    body = properties.get("Body")
    plain = read_rest_resources(api_id, everything)
    definition = _merge(read_openapi(body, rest=True, place=place), plain) if isinstance(body, Mapping) else plain
    if body is None and properties.get("BodyS3Location"):
        definition.problems.append("BodyS3Location cannot be read here; put the document in Body or use a local file")
    media_types = [m.replace("~1", "/") for m in as_strings(properties.get("BinaryMediaTypes"))]
    policy = properties.get("Policy")
    disabled = properties.get("DisableExecuteApiEndpoint", definition.default_endpoint_disabled)
    compression = str(properties.get("MinimumCompressionSize", ""))
    return Api(
        id=api_id,
        kind=ApiKind.REST,
        name=str(properties.get("Name") or definition.title or logical_id),
        logical_id=logical_id,
        routes=_routes(api_id, definition, rest=True),
        stages=tuple(read_rest_stages(api_id, everything)),
        authorizers=definition.authorizers,
        binary_media_types=tuple(dict.fromkeys([*definition.binary_media_types, *media_types])),
        gateway_responses=definition.gateway_responses,
        policy=policy if isinstance(policy, Mapping) else definition.policy,
        api_key_source=str(properties.get("ApiKeySourceType") or definition.api_key_source or "HEADER").upper(),
        minimum_compression_bytes=(int(compression) if compression.isdigit() else definition.minimum_compression_bytes),
        definitions=definition.schemas,
        domains=read_domains(api_id, everything),
        private="PRIVATE" in as_strings(as_mapping(properties.get("EndpointConfiguration")).get("Types")),
        default_endpoint=str(disabled).lower() != "true",
        problems=tuple(definition.problems),
    )


def build_http_api(
    api_id: str,
    properties: Mapping[str, Any],
    resources: Iterable[ResourceLike] = (),
    logical_id: str = "",
    place: Place | None = None,
) -> Api:
    """An HTTP API from `AWS::ApiGatewayV2::Api` properties and the resources that name it."""
    everything = list(resources)
    if str(properties.get("ProtocolType") or "HTTP").upper() == "WEBSOCKET":
        found = tuple(read_http_stages(api_id, everything))
        return build_websocket_api(api_id, properties, everything, found, logical_id=logical_id)
    body = properties.get("Body")
    plain = read_http_resources(api_id, properties, everything)
    definition = _merge(read_openapi(body, rest=False, place=place), plain) if isinstance(body, Mapping) else plain
    stages = read_http_stages(api_id, everything)
    if not stages and properties.get("Target"):
        stages = [Stage("$default")]  # quick create makes the $default stage
    cors = properties.get("CorsConfiguration")
    disabled = properties.get("DisableExecuteApiEndpoint", definition.default_endpoint_disabled)
    return Api(
        id=api_id,
        kind=ApiKind.HTTP,
        name=str(properties.get("Name") or definition.title or logical_id),
        logical_id=logical_id,
        routes=_routes(api_id, definition, rest=False),
        stages=tuple(stages),
        authorizers=definition.authorizers,
        cors=read_cors(cors) if isinstance(cors, Mapping) else definition.cors,
        domains=read_domains(api_id, everything),
        default_endpoint=str(disabled).lower() != "true",
        problems=tuple(definition.problems),
    )


def _merge(document: Definition, plain: Definition) -> Definition:
    """Plain resources beside a Body: CloudFormation adds them to what the document made."""
    document.routes.extend(plain.routes)
    document.authorizers.update(plain.authorizers)
    document.gateway_responses.update(plain.gateway_responses)
    document.schemas = {**document.schemas, **plain.schemas}
    document.problems.extend(plain.problems)
    return document


def _routes(api_id: str, definition: Definition, *, rest: bool) -> tuple[Route, ...]:
    if len(definition.routes) > ROUTES_PER_API:
        definition.problems.append(f"{len(definition.routes)} routes; only the first {ROUTES_PER_API} are served")
    routes = [_checked(route, definition) for route in definition.routes[:ROUTES_PER_API]]
    if not rest:
        return tuple(routes)
    return tuple(r if r.resource_id else replace(r, resource_id=short_id(api_id + r.path)) for r in routes)


def _checked(route: Route, definition: Definition) -> Route:
    """`route`, or a NOT_BUILT one when its templates or patterns cannot be read."""
    integration = route.integration
    try:
        if integration.request_templates or integration.responses:
            Transformation(integration)
    except (TemplateError, PatternRefused) as error:
        definition.problems.append(f"{route.key}: {error}")
        return replace(route, integration=replace(integration, type=IntegrationType.NOT_BUILT, problem=str(error)))
    return route
