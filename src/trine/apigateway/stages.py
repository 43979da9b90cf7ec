"""Stages of an API, read from `AWS::ApiGateway::Stage`, `Deployment` with a stage, and `AWS::ApiGatewayV2::Stage`.

Enters the template's resources and an API's id; leaves `Stage` values in template order. A REST stage and the
`StageDescription` of a Deployment carry the same settings under nearly the same names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from trine.apigateway.api import CacheSetting, Canary, LogSetting, Stage, Throttle
from trine.apigateway.definition import as_mapping
from trine.apigateway.limits import CACHE_TTL_DEFAULT_SECONDS, CACHE_TTL_MAX_SECONDS
from trine.aws.resource import ResourceLike


def read_rest_stages(api_id: str, resources: list[ResourceLike]) -> list[Stage]:
    """Stages of a REST API. A Deployment with `StageName` makes that stage too, unless it has a resource of its own."""
    mine = [resource for resource in resources if resource.properties.get("RestApiId") == api_id]
    stages: dict[str, Stage] = {}
    for resource in mine:
        node = resource.properties
        if resource.type == "AWS::ApiGateway::Stage":
            name = str(node.get("StageName"))
            stages[name] = _rest_stage(name, node, str(node.get("DeploymentId") or api_id), node.get("MethodSettings"))
    for resource in mine:
        node = resource.properties
        if resource.type == "AWS::ApiGateway::Deployment" and node.get("StageName"):
            name = str(node["StageName"])
            description = as_mapping(node.get("StageDescription"))
            # What holds for all methods stands beside the settings of single ones here.
            every = {**description, "HttpMethod": "*", "ResourcePath": "/*"}
            settings = [every, *(description.get("MethodSettings") or [])]
            described = {**description, "CanarySetting": node.get("DeploymentCanarySettings")
                         or description.get("CanarySetting")}  # fmt: skip
            stages.setdefault(name, _rest_stage(name, described, resource.physical_id, settings))
    return list(stages.values())


def _rest_stage(name: str, node: Mapping[str, Any], deployment: str, settings: Any) -> Stage:
    throttles: dict[str, Throttle] = {}
    cache: dict[str, CacheSetting] = {}
    logs: dict[str, LogSetting] = {}
    for setting in map(as_mapping, settings or []):
        path = str(setting.get("ResourcePath", "/*")).replace("~1", "/")  # slashes in settings are written ~1
        key = f"{str(setting.get('HttpMethod', '*')).upper()} /{path.strip('/')}"
        throttles[key] = _throttle(setting)
        logs[key] = LogSetting(
            str(setting.get("LoggingLevel") or "OFF").upper(), _true(setting.get("DataTraceEnabled"))
        )
        if "CachingEnabled" in setting:
            ttl = min(max(int(setting.get("CacheTtlInSeconds", CACHE_TTL_DEFAULT_SECONDS)), 0), CACHE_TTL_MAX_SECONDS)
            cache[key] = CacheSetting(_true(setting["CachingEnabled"]), ttl)
    log_format, log_destination = _log(node, "AccessLogSetting")
    return Stage(
        name=name,
        variables={str(k): str(v) for k, v in as_mapping(node.get("Variables")).items()},
        deployment_id=_deployment_id(deployment),
        throttles=throttles,
        access_log_format=log_format,
        access_log_destination=log_destination,
        cache=cache if _true(node.get("CacheClusterEnabled")) else {},
        cache_gb=str(node.get("CacheClusterSize") or "0.5") if _true(node.get("CacheClusterEnabled")) else "",
        canary=_canary(as_mapping(node.get("CanarySetting"))),
        logs=logs if any(setting.level != "OFF" for setting in logs.values()) else {},
    )


def read_http_stages(api_id: str, resources: list[ResourceLike]) -> list[Stage]:
    """Stages of an HTTP API."""
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


def short_id(name: str) -> str:
    """Six lower-case characters, the same at each start: what AWS's resource ids look like."""
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=5).digest(), "big")
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[number // 36**place % 36] for place in range(6))


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _throttle(node: Mapping[str, Any]) -> Throttle:
    rate, burst = node.get("ThrottlingRateLimit"), node.get("ThrottlingBurstLimit")
    return Throttle(float(rate) if rate is not None else None, int(burst) if burst is not None else None)


def _log(properties: Mapping[str, Any], name: str) -> tuple[str | None, str | None]:
    node = as_mapping(properties.get(name))
    return (str(node["Format"]) if node.get("Format") else None, str(node.get("DestinationArn") or "") or None)


def _canary(node: Mapping[str, Any]) -> Canary | None:
    if not node:
        return None
    overrides = as_mapping(node.get("StageVariableOverrides"))
    percent = min(max(float(node.get("PercentTraffic") or 0.0), 0.0), 100.0)
    return Canary(percent, {str(name): str(value) for name, value in overrides.items()})


def _deployment_id(name: str) -> str:
    """Deployment ids have six lower-case characters on AWS; a longer logical name is shortened to such a one."""
    return name if len(name) <= 10 and name.isalnum() else short_id("deployment" + name)
