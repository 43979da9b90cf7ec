"""APIs and what they are made of, as API Gateway's own API describes them. Pure.

Enters `Api`, `Stage` and `Route` values; leaves members of `RestApi`, `Stage`, `Resource`, `Method`, `Integration`,
`Authorizer`, `Model` (version 1) and of `Api`, `Route`, `Integration`, `Authorizer` (version 2).
"""

from __future__ import annotations

from typing import Any

import orjson

from trine.apigateway.api import Api, ApiKind, Authorizer, Integration, Route, Stage
from trine.aws.arn import Place


def describe_api(api: Api) -> dict[str, Any]:
    """A REST API."""
    shown: dict[str, Any] = {
        "id": api.id,
        "name": api.name,
        "apiKeySource": api.api_key_source,
        "binaryMediaTypes": list(api.binary_media_types),
        "endpointConfiguration": {"types": ["PRIVATE" if api.private else "EDGE"]},
        "disableExecuteApiEndpoint": not api.default_endpoint,
    }
    if api.minimum_compression_bytes is not None:
        shown["minimumCompressionSize"] = api.minimum_compression_bytes
    if api.policy is not None:
        shown["policy"] = orjson.dumps(api.policy).decode()
    return shown


def describe_http_api(api: Api, place: Place) -> dict[str, Any]:
    """An HTTP or WebSocket API."""
    socket = api.kind is ApiKind.WEBSOCKET
    shown = {
        "ApiId": api.id,
        "Name": api.name,
        "ProtocolType": api.kind.value,
        "ApiEndpoint": f"{'wss' if socket else 'https'}://{api.id}.execute-api.{place.region}.amazonaws.com",
        "RouteSelectionExpression": api.route_selection if socket else "$request.method $request.path",
        "DisableExecuteApiEndpoint": not api.default_endpoint,
    }
    if socket:
        from_authorizer = api.api_key_source == "AUTHORIZER"
        header, authorizer = "$request.header.x-api-key", "$context.authorizer.usageIdentifierKey"
        shown["ApiKeySelectionExpression"] = authorizer if from_authorizer else header
    return shown


def describe_stage(stage: Stage) -> dict[str, Any]:
    """A stage of either kind, in version 1's spelling."""
    shown: dict[str, Any] = {
        "stageName": stage.name,
        "deploymentId": stage.deployment_id,
        "cacheClusterEnabled": bool(stage.cache),
    }
    if stage.variables:
        shown["variables"] = dict(stage.variables)
    if stage.access_log_format:
        log = {"format": stage.access_log_format, "destinationArn": stage.access_log_destination or ""}
        shown["accessLogSettings"] = log
    if stage.canary is not None:
        overrides = dict(stage.canary.variables)
        shown["canarySettings"] = {"percentTraffic": stage.canary.percent, "stageVariableOverrides": overrides}
    return shown


def describe_resources(api: Api) -> list[dict[str, Any]]:
    """The resources of a REST API that have methods, with them."""
    resources: dict[str, dict[str, Any]] = {}
    for route in api.routes:
        resource = resources.setdefault(
            route.path, {"id": route.resource_id, "path": route.path, "resourceMethods": {}}
        )
        if route.path != "/":
            resource["pathPart"] = route.path.rpartition("/")[2]
        resource["resourceMethods"][route.method] = describe_method(route)
    return list(resources.values())


def describe_method(route: Route) -> dict[str, Any]:
    """A method of a REST API, with its integration."""
    shown: dict[str, Any] = {
        "httpMethod": route.method,
        "authorizationType": route.authorization.value,
        "apiKeyRequired": route.api_key_required,
        "methodIntegration": describe_integration(route.integration),
    }
    if route.authorizer:
        shown["authorizerId"] = route.authorizer
    if route.scopes:
        shown["authorizationScopes"] = list(route.scopes)
    if route.required_parameters:
        shown["requestParameters"] = dict.fromkeys(route.required_parameters, True)
    if route.method_responses:
        shown["methodResponses"] = {
            str(status): {"statusCode": str(status), "responseParameters": dict(parameters)}
            for status, parameters in route.method_responses.items()
        }
    return shown


def describe_integration(integration: Integration) -> dict[str, Any]:
    """An integration, in version 1's spelling."""
    shown: dict[str, Any] = {
        "type": integration.type.value,
        "httpMethod": integration.http_method,
        "uri": integration.uri,
        "passthroughBehavior": integration.passthrough,
        "timeoutInMillis": int(integration.timeout_seconds * 1000),
        "connectionType": "VPC_LINK" if integration.connection else "INTERNET",
    }
    for name, value in (
        ("credentials", integration.credentials),
        ("connectionId", integration.connection),
        ("requestParameters", dict(integration.request_parameters)),
        ("requestTemplates", dict(integration.request_templates)),
        ("cacheKeyParameters", list(integration.cache_key_parameters)),
    ):
        if value:
            shown[name] = value
    if integration.responses:
        shown["integrationResponses"] = {
            str(one.status): {
                "statusCode": str(one.status),
                **({"selectionPattern": one.selection_pattern} if one.selection_pattern else {}),
                "responseParameters": dict(one.parameters),
                "responseTemplates": dict(one.templates),
            }
            for one in integration.responses
        }
    return shown


def describe_authorizer(authorizer: Authorizer, key: str) -> dict[str, Any]:
    """An authorizer of a REST API."""
    kind = "COGNITO_USER_POOLS" if authorizer.kind == "COGNITO" else authorizer.kind
    shown: dict[str, Any] = {
        "id": authorizer.id or key,
        "name": authorizer.name,
        "type": kind,
        "identitySource": ",".join(authorizer.identity_sources),
        "authorizerResultTtlInSeconds": authorizer.ttl_seconds,
    }
    if authorizer.uri:
        shown["authorizerUri"] = authorizer.uri
    if authorizer.provider_arns:
        shown["providerARNs"] = list(authorizer.provider_arns)
    return shown


def describe_http_authorizer(authorizer: Authorizer, key: str) -> dict[str, Any]:
    """An authorizer of an HTTP or WebSocket API."""
    shown: dict[str, Any] = {
        "AuthorizerId": authorizer.id or key,
        "Name": authorizer.name,
        "AuthorizerType": authorizer.kind,
        "IdentitySource": list(authorizer.identity_sources),
    }
    if authorizer.kind == "JWT":
        shown["JwtConfiguration"] = {"Issuer": authorizer.issuer, "Audience": list(authorizer.audience)}
    else:
        shown |= {
            "AuthorizerUri": authorizer.uri,
            "AuthorizerPayloadFormatVersion": authorizer.payload_version,
            "AuthorizerResultTtlInSeconds": authorizer.ttl_seconds,
            "EnableSimpleResponses": authorizer.simple_responses,
        }
    return shown


def describe_routes(api: Api) -> list[dict[str, Any]]:
    """The routes of an HTTP or WebSocket API; each has the integration of its own number."""
    return [
        {
            "RouteKey": route.key,
            "RouteId": route.resource_id or str(number),
            "Target": f"integrations/{number}",
            "AuthorizationType": route.authorization.value,
            "ApiKeyRequired": route.api_key_required,
            **({"AuthorizerId": route.authorizer} if route.authorizer else {}),
            **({"AuthorizationScopes": list(route.scopes)} if route.scopes else {}),
        }
        for number, route in enumerate(api.routes)
    ]


def describe_http_integrations(api: Api) -> list[dict[str, Any]]:
    """The integrations of an HTTP or WebSocket API, one for each route."""
    return [
        {
            "IntegrationId": str(number),
            "IntegrationType": route.integration.type.value,
            "IntegrationUri": route.integration.uri,
            "IntegrationMethod": route.integration.http_method,
            "PayloadFormatVersion": route.integration.payload_version,
            "TimeoutInMillis": int(route.integration.timeout_seconds * 1000),
            "ConnectionType": "VPC_LINK" if route.integration.connection else "INTERNET",
            **({"IntegrationSubtype": route.integration.subtype} if route.integration.subtype else {}),
        }
        for number, route in enumerate(api.routes)
    ]


def describe_models(api: Api) -> list[dict[str, Any]]:
    """The models of an API, in version 1's spelling."""
    return [
        {"id": name, "name": name, "contentType": "application/json", "schema": orjson.dumps(schema).decode()}
        for name, schema in api.definitions.items()
    ]


def describe_gateway_responses(api: Api) -> list[dict[str, Any]]:
    """The customized gateway responses of a REST API."""
    return [
        {
            "responseType": kind,
            "defaultResponse": False,
            "responseParameters": dict(response.parameters),
            "responseTemplates": dict(response.templates),
            **({"statusCode": str(response.status)} if response.status is not None else {}),
        }
        for kind, response in api.gateway_responses.items()
    ]
