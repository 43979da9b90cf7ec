"""APIs, stages and resources as API Gateway's own API describes them. Pure.

Enters `Api` and `Stage` values; leaves members of `RestApi`, `Stage`, `Resource` (version 1) and `Api` (version 2).
"""

from __future__ import annotations

from typing import Any

import orjson

from trine.apigateway.api import Api, ApiKind, Stage
from trine.aws.arn import Place


def describe_api(api: Api) -> dict[str, Any]:
    """A REST API."""
    shown: dict[str, Any] = {
        "id": api.id,
        "name": api.name,
        "apiKeySource": api.api_key_source,
        "binaryMediaTypes": list(api.binary_media_types),
        "endpointConfiguration": {"types": ["EDGE"]},
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
        resource["resourceMethods"][route.method] = {
            "httpMethod": route.method,
            "authorizationType": route.authorization.value,
            "apiKeyRequired": route.api_key_required,
        }
    return list(resources.values())
