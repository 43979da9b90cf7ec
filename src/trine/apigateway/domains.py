"""Custom domain names: `AWS::ApiGateway::BasePathMapping` and `AWS::ApiGatewayV2::ApiMapping` become `DomainMapping`s.

Enters the template's resources and an API; leaves the domains and base paths under which it answers by Host header.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trine.apigateway.api import DomainMapping
from trine.aws.resource import ResourceLike

_MAPPINGS = {
    "AWS::ApiGateway::BasePathMapping": ("RestApiId", "BasePath"),
    "AWS::ApiGatewayV2::ApiMapping": ("ApiId", "ApiMappingKey"),
}
_DOMAINS = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")


def read_domains(api_id: str, resources: Iterable[ResourceLike]) -> tuple[DomainMapping, ...]:
    """The mappings of `api_id`, in template order."""
    everything = list(resources)
    secured = {
        str(resource.properties.get("DomainName")).lower()
        for resource in everything
        if resource.type in _DOMAINS and resource.properties.get("MutualTlsAuthentication")
    }
    found: list[DomainMapping] = []
    for resource in everything:
        names = _MAPPINGS.get(resource.type)
        node: Mapping[str, Any] = resource.properties
        if names is None or node.get(names[0]) != api_id or not node.get("DomainName"):
            continue
        base_path = str(node.get(names[1]) or "").strip("/")
        if base_path == "(none)":
            base_path = ""
        domain = str(node["DomainName"]).lower()
        found.append(DomainMapping(domain, base_path, str(node.get("Stage") or ""), domain in secured))
    return tuple(found)
