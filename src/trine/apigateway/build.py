"""Templates become APIs: the one room that knows which resource types make an API.

Enters the resolved resources of a template (see `ResourceLike`); leaves `Api` values in template order, each with
the sentences of what it asks for and cannot have (`Api.problems`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from trine.apigateway.api import Api, ApiKind, CacheSetting, Canary, IntegrationType, Route, Stage, Throttle
from trine.apigateway.definition import as_mapping, as_strings, read_cors
from trine.apigateway.domains import read_domains
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.limits import CACHE_TTL_DEFAULT_SECONDS, CACHE_TTL_MAX_SECONDS, ROUTES_PER_API
from trine.apigateway.mapping.template import TemplateError
from trine.apigateway.openapi import Definition, read_openapi
from trine.apigateway.patterns import PatternRefused
from trine.apigateway.resources import ResourceLike, read_http_resources, read_rest_resources
from trine.aws.arn import Place

REST_API = "AWS::ApiGateway::RestApi"
HTTP_API = "AWS::ApiGatewayV2::Api"


def build_apis(resources: Iterable[ResourceLike], place: Place | None = None) -> list[Api]:
    """Every REST and HTTP API of a template. WebSocket APIs come back with no routes and say so in `problems`."""
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
    compression = str(properties.get("MinimumCompressionSize", ""))
    return Api(
        id=api_id,
        kind=ApiKind.REST,
        name=str(properties.get("Name") or definition.title or logical_id),
        logical_id=logical_id,
        routes=_routes(api_id, definition, rest=True),
        stages=tuple(_rest_stages(api_id, everything)),
        authorizers=definition.authorizers,
        binary_media_types=tuple(dict.fromkeys([*definition.binary_media_types, *media_types])),
        gateway_responses=definition.gateway_responses,
        policy=policy if isinstance(policy, Mapping) else definition.policy,
        api_key_source=str(properties.get("ApiKeySourceType") or definition.api_key_source or "HEADER").upper(),
        minimum_compression_bytes=(int(compression) if compression.isdigit() else definition.minimum_compression_bytes),
        definitions=definition.schemas,
        domains=read_domains(api_id, everything),
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
    name = str(properties.get("Name") or logical_id)
    if str(properties.get("ProtocolType") or "HTTP").upper() == "WEBSOCKET":
        return Api(api_id, ApiKind.HTTP, name, logical_id, problems=("WebSocket APIs are not built",))
    everything = list(resources)
    body = properties.get("Body")
    plain = read_http_resources(api_id, properties, everything)
    definition = _merge(read_openapi(body, rest=False, place=place), plain) if isinstance(body, Mapping) else plain
    stages = _http_stages(api_id, everything)
    if not stages and properties.get("Target"):
        stages = [Stage("$default")]  # quick create makes the $default stage
    cors = properties.get("CorsConfiguration")
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
    return tuple(r if r.resource_id else replace(r, resource_id=_resource_id(api_id, r.path)) for r in routes)


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


def _resource_id(api_id: str, path: str) -> str:
    """Six lower-case characters, the same at each start: what AWS's resource ids look like."""
    number = int.from_bytes(hashlib.blake2b(f"{api_id}{path}".encode(), digest_size=5).digest(), "big")
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in range(6))


def _throttle(node: Mapping[str, Any]) -> Throttle:
    rate, burst = node.get("ThrottlingRateLimit"), node.get("ThrottlingBurstLimit")
    return Throttle(float(rate) if rate is not None else None, int(burst) if burst is not None else None)


def _log(properties: Mapping[str, Any], name: str) -> tuple[str | None, str | None]:
    node = as_mapping(properties.get(name))
    return (str(node["Format"]) if node.get("Format") else None, str(node.get("DestinationArn") or "") or None)


def _rest_stages(api_id: str, resources: list[ResourceLike]) -> list[Stage]:
    stages: dict[str, Stage] = {}
    for resource in resources:
        node = resource.properties
        if resource.type == "AWS::ApiGateway::Stage" and node.get("RestApiId") == api_id:
            throttles, cache = _method_settings(node.get("MethodSettings") or [])
            log_format, log_destination = _log(node, "AccessLogSetting")
            name = str(node.get("StageName"))
            stages[name] = Stage(
                name=name,
                variables={str(k): str(v) for k, v in as_mapping(node.get("Variables")).items()},
                deployment_id=_deployment_id(str(node.get("DeploymentId") or api_id)),
                throttles=throttles,
                access_log_format=log_format,
                access_log_destination=log_destination,
                cache=cache if str(node.get("CacheClusterEnabled", False)).lower() == "true" else {},
                canary=_canary(as_mapping(node.get("CanarySetting"))),
            )
    for resource in resources:  # a Deployment with StageName makes that stage too; SAM's is called "Stage"
        node = resource.properties
        if resource.type == "AWS::ApiGateway::Deployment" and node.get("RestApiId") == api_id and node.get("StageName"):
            name = str(node["StageName"])
            description = as_mapping(node.get("StageDescription"))
            variables = {str(k): str(v) for k, v in as_mapping(description.get("Variables")).items()}
            stages.setdefault(name, Stage(name, variables, _deployment_id(resource.physical_id)))
    return list(stages.values())


def _method_settings(nodes: list[Any]) -> tuple[dict[str, Throttle], dict[str, CacheSetting]]:
    """Throttling and caching by `METHOD /path`; paths of settings write their slashes as `~1`."""
    throttles: dict[str, Throttle] = {}
    cache: dict[str, CacheSetting] = {}
    for node in map(as_mapping, nodes):
        path = str(node.get("ResourcePath", "/*")).replace("~1", "/")
        name = f"{str(node.get('HttpMethod', '*')).upper()} /{path.strip('/')}"
        throttles[name] = _throttle(node)
        if "CachingEnabled" in node:
            ttl = min(max(int(node.get("CacheTtlInSeconds", CACHE_TTL_DEFAULT_SECONDS)), 0), CACHE_TTL_MAX_SECONDS)
            cache[name] = CacheSetting(str(node["CachingEnabled"]).lower() == "true", ttl)
    return throttles, cache


def _canary(node: Mapping[str, Any]) -> Canary | None:
    if not node:
        return None
    overrides = as_mapping(node.get("StageVariableOverrides"))
    percent = min(max(float(node.get("PercentTraffic") or 0.0), 0.0), 100.0)
    return Canary(percent, {str(name): str(value) for name, value in overrides.items()})


def _deployment_id(name: str) -> str:
    """Deployment ids have six lower-case characters on AWS; a longer logical name is shortened to such a one."""
    return name if len(name) <= 10 and name.isalnum() else _resource_id("deployment", name)


def _http_stages(api_id: str, resources: list[ResourceLike]) -> list[Stage]:
    stages: list[Stage] = []
    for resource in resources:
        node = resource.properties
        if resource.type != "AWS::ApiGatewayV2::Stage" or node.get("ApiId") != api_id:
            continue
        throttles = {str(k): _throttle(as_mapping(v)) for k, v in as_mapping(node.get("RouteSettings")).items()}
        if node.get("DefaultRouteSettings"):
            throttles[""] = _throttle(as_mapping(node.get("DefaultRouteSettings")))
        log_format, log_destination = _log(node, "AccessLogSettings")
        stages.append(
            Stage(
                name=str(node.get("StageName")),
                variables={str(k): str(v) for k, v in as_mapping(node.get("StageVariables")).items()},
                deployment_id=_deployment_id(str(node.get("DeploymentId") or api_id)),
                throttles=throttles,
                access_log_format=log_format,
                access_log_destination=log_destination,
            )
        )
    return stages
