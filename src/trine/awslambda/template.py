"""A template's Lambda resources other than functions, made in a service; and which permissions are a function's.

Enters plain properties with intrinsics resolved, as `stack` hands them over. Layers are made before functions, the rest
after them, in the order of `AFTER_FUNCTIONS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.awslambda.code import without_content
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.function import split_name
from trine.awslambda.service import Service
from trine.awslambda.urls.config import id_of

LAYER, VERSION, ALIAS = "AWS::Lambda::LayerVersion", "AWS::Lambda::Version", "AWS::Lambda::Alias"
EVENT_CONFIG = "AWS::Lambda::EventInvokeConfig"
EVENT_SOURCE = "AWS::Lambda::EventSourceMapping"
LAYER_PERMISSION = "AWS::Lambda::LayerVersionPermission"
BEFORE_FUNCTIONS = (LAYER, LAYER_PERMISSION)
URL = "AWS::Lambda::Url"
AFTER_FUNCTIONS = (VERSION, ALIAS, EVENT_CONFIG, EVENT_SOURCE, URL)


def put_resource(
    service: Service,
    resource_type: str,
    properties: Mapping[str, Any],
    content: Path | None = None,
    physical_id: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Make one resource of `BEFORE_FUNCTIONS` or `AFTER_FUNCTIONS`. `content` is a layer's folder or zip file,
    `physical_id` an event source mapping's UUID, `attributes` what GetAtt gives: a function URL's id is in its
    `FunctionUrl`.

    Raises AwsError when the properties are wrong or name a function or version that does not exist.
    """
    if resource_type == LAYER:
        if content is None:
            raise InvalidParameterValue(without_content(properties.get("Content")))
        service.deployment.put_layer(properties, content)
    elif resource_type == LAYER_PERMISSION:
        layers = service.deployment.layers
        layers.permit(layers.find(str(properties.get("LayerVersionArn"))), physical_id, properties)
    elif resource_type == VERSION:
        version = service.deployment.put_version(str(properties.get("FunctionName")))
        _provision(service, version.name, version.version, properties)
    elif resource_type == ALIAS:
        routing = properties.get("RoutingConfig") or {}
        weights = {
            str(weight.get("FunctionVersion")): float(weight.get("FunctionWeight", 0))
            for weight in routing.get("AdditionalVersionWeights") or ()
        }
        service.deployment.put_alias(
            str(properties.get("FunctionName")),
            str(properties.get("Name")),
            str(properties.get("FunctionVersion")),
            weights,
        )
        _provision(service, str(properties.get("FunctionName")), str(properties.get("Name")), properties)
    elif resource_type == EVENT_CONFIG:
        service.events.put_config(properties)
    elif resource_type == EVENT_SOURCE:
        service.sources.put(properties, physical_id)
    elif resource_type == URL:
        service.deployment.put_url(id_of(str((attributes or {})["FunctionUrl"])), properties)
    else:
        raise AssertionError(f"{resource_type} is not made here")


def _provision(service: Service, name: str, qualifier: str, properties: Mapping[str, Any]) -> None:
    wanted = properties.get("ProvisionedConcurrencyConfig")
    if not isinstance(wanted, Mapping):
        return
    try:
        units = int(wanted.get("ProvisionedConcurrentExecutions", 0))
    except (TypeError, ValueError):
        raise InvalidParameterValue("ProvisionedConcurrentExecutions must be an integer") from None
    service.provisioned.put(name, qualifier, units)


def permissions_of(name: str, permissions: Iterable[Mapping[str, Any]], place: Place) -> list[Mapping[str, Any]]:
    """Those `AWS::Lambda::Permission` properties that are about the function `name`, by name, ARN, version or alias."""
    return [permission for permission in permissions if _function_of(permission, place) == name]


def _function_of(permission: Mapping[str, Any], place: Place) -> str | None:
    try:
        return split_name(str(permission.get("FunctionName")), place)[0]
    except ValueError:
        return None
