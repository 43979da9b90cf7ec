"""Plain CloudFormation resources, read into routes.

Enters every resource of the template that names the API (`AWS::ApiGateway::Resource`, `Method`, `Authorizer`, … or
`AWS::ApiGatewayV2::Route`, `Integration`, `Authorizer`); leaves the same `Definition` an OpenAPI document gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from trine.apigateway.api import Authorization, Integration, IntegrationType, Route, Validator
from trine.apigateway.definition import (
    as_mapping,
    as_strings,
    read_authorizer,
    read_cors,
    read_gateway_response,
    read_integration,
)
from trine.apigateway.openapi import Definition
from trine.aws.resource import ResourceLike


def _authorization(value: Any) -> Authorization:
    text = str(value or "NONE").upper()
    return Authorization(text) if text in Authorization.__members__.values() else Authorization.NONE


def read_rest_resources(api_id: str, resources: Iterable[ResourceLike]) -> Definition:
    """What the `AWS::ApiGateway::*` resources of `api_id` define."""
    mine = [r for r in resources if r.properties.get("RestApiId") == api_id]
    by_type: dict[str, list[ResourceLike]] = {}
    for resource in mine:
        by_type.setdefault(resource.type.removeprefix("AWS::ApiGateway::"), []).append(resource)
    definition = Definition()
    definition.schemas = _schemas(by_type.get("Model", []))
    validators = {
        r.physical_id: Validator(
            bool(r.properties.get("ValidateRequestBody")), bool(r.properties.get("ValidateRequestParameters"))
        )
        for r in by_type.get("RequestValidator", [])
    }
    for resource in by_type.get("Authorizer", []):
        name = resource.physical_id
        definition.authorizers[name] = read_authorizer(name, resource.properties, {}, rest=True)
    for resource in by_type.get("GatewayResponse", []):
        kind = str(resource.properties.get("ResponseType"))
        definition.gateway_responses[kind] = read_gateway_response(resource.properties)
    nodes = {r.physical_id: r for r in by_type.get("Resource", [])}
    for method in by_type.get("Method", []):
        route = _method(method, nodes, definition, validators)
        if route.integration.problem:
            definition.problems.append(f"{route.key} ({method.logical_id}): {route.integration.problem}")
        definition.routes.append(route)
    return definition


def _schemas(models: list[ResourceLike]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model in models:
        schema = model.properties.get("Schema")
        if isinstance(schema, str):
            try:
                schema = orjson.loads(schema)
            except orjson.JSONDecodeError:
                continue
        found[str(model.properties.get("Name") or model.physical_id)] = schema
    return found


def _path(resource_id: str, nodes: Mapping[str, ResourceLike]) -> str:
    """The path of a resource, by its parents; an id that is no known resource is the root."""
    parts: list[str] = []
    node = nodes.get(resource_id)
    for _ in range(len(nodes)):
        if node is None:
            break
        parts.append(str(node.properties.get("PathPart", "")))
        node = nodes.get(str(node.properties.get("ParentId")))
    return "/" + "/".join(reversed(parts))


def _method(
    method: ResourceLike,
    nodes: Mapping[str, ResourceLike],
    definition: Definition,
    validators: Mapping[str, Validator],
) -> Route:
    node = method.properties
    resource_id = str(node.get("ResourceId"))
    authorizer = str(node.get("AuthorizerId")) if node.get("AuthorizerId") else None
    return Route(
        method=str(node.get("HttpMethod", "ANY")).upper(),
        path=_path(resource_id, nodes),
        integration=read_integration(as_mapping(node.get("Integration")), rest=True),
        resource_id=resource_id,
        authorization=_authorization(node.get("AuthorizationType")),
        authorizer=authorizer,
        scopes=as_strings(node.get("AuthorizationScopes")),
        api_key_required=str(node.get("ApiKeyRequired", False)).lower() == "true",
        required_parameters=tuple(
            str(name)
            for name, required in as_mapping(node.get("RequestParameters")).items()
            if str(required).lower() == "true"
        ),
        models={
            str(media_type): {"$ref": f"#/definitions/{name}"}
            for media_type, name in as_mapping(node.get("RequestModels")).items()
            if str(name) in definition.schemas
        },
        validator=validators.get(str(node.get("RequestValidatorId"))),
        method_responses={
            int(as_mapping(response)["StatusCode"]): {
                str(name): bool(required)
                for name, required in as_mapping(as_mapping(response).get("ResponseParameters")).items()
            }
            for response in node.get("MethodResponses") or []
            if str(as_mapping(response).get("StatusCode", "")).isdigit()
        },
    )


def read_http_resources(api_id: str, properties: Mapping[str, Any], resources: Iterable[ResourceLike]) -> Definition:
    """What the `AWS::ApiGatewayV2::*` resources of `api_id` define, and its quick-create `Target`."""
    mine = [r for r in resources if r.properties.get("ApiId") == api_id]
    definition = Definition()
    integrations: dict[str, Integration] = {}
    for resource in mine:
        if resource.type == "AWS::ApiGatewayV2::Integration":
            integrations[resource.physical_id] = read_integration(resource.properties, rest=False)
        elif resource.type == "AWS::ApiGatewayV2::Authorizer":
            name = resource.physical_id
            definition.authorizers[name] = read_authorizer(name, resource.properties, {}, rest=False)
    for resource in mine:
        if resource.type == "AWS::ApiGatewayV2::Route":
            definition.routes.append(_route(resource, integrations, definition))
    target = properties.get("Target")
    if target:
        definition.routes.append(_quick_create(str(target), properties))
    for route in definition.routes:
        if route.integration.problem:
            definition.problems.append(f"{route.key}: {route.integration.problem}")
    cors = properties.get("CorsConfiguration")
    definition.cors = read_cors(cors) if isinstance(cors, Mapping) else None
    return definition


def split_route_key(key: str) -> tuple[str, str]:
    """`GET /users` → (`GET`, `/users`); `$default` → (`ANY`, `$default`)."""
    method, _, path = key.partition(" ")
    return (method.upper(), path.strip()) if path else ("ANY", key or "$default")


def _route(resource: ResourceLike, integrations: Mapping[str, Integration], definition: Definition) -> Route:
    node = resource.properties
    method, path = split_route_key(str(node.get("RouteKey", "$default")))
    target = str(node.get("Target") or "").removeprefix("integrations/")
    integration = integrations.get(target)
    if integration is None:
        integration = Integration(IntegrationType.NOT_BUILT, problem=f"its target {target or '(none)'} is unknown")
    authorizer_id = str(node.get("AuthorizerId")) if node.get("AuthorizerId") else None
    authorization = _authorization(node.get("AuthorizationType"))
    return Route(
        method=method,
        path=path,
        integration=integration,
        authorization=authorization,
        authorizer=authorizer_id if authorizer_id in definition.authorizers else None,
        scopes=as_strings(node.get("AuthorizationScopes")),
    )


def _quick_create(target: str, properties: Mapping[str, Any]) -> Route:
    method, path = split_route_key(str(properties.get("RouteKey") or "$default"))
    kind = "HTTP_PROXY" if target.startswith("http") else "AWS_PROXY"
    node = {
        "integrationType": kind,
        "integrationUri": target,
        "payloadFormatVersion": "2.0" if kind == "AWS_PROXY" else "1.0",
        "integrationMethod": "ANY",
        "credentialsArn": properties.get("CredentialsArn"),
    }
    return Route(method=method, path=path, integration=read_integration(node, rest=False))
