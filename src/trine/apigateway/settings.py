"""What a person may set about the front door, and the private roads that only the person knows.

On AWS a VPC link leads to a load balancer and a private API is reached through a VPC endpoint. Here neither exists, so
the person says where a link leads (`links`) and which endpoint of the template the requests come through (`endpoint`).
What is not said is refused, with a sentence that tells how to say it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from trine.apigateway.api import Api
from trine.apigateway.limits import THROTTLE_BURST_DEFAULT, THROTTLE_RATE_DEFAULT
from trine.aws.resource import ResourceLike
from trine.trace import Trace

LINK_TYPES = ("AWS::ApiGateway::VpcLink", "AWS::ApiGatewayV2::VpcLink")
ENDPOINT_TYPE = "AWS::EC2::VPCEndpoint"


class VpcEndpoint(Struct, frozen=True):
    """The interface endpoint through which requests reach private APIs."""

    id: str
    vpc_id: str = ""


class GatewaySettings(Struct, frozen=True):
    """What a person may set about the front door."""

    forwarded_port: str = "3000"
    """`X-Forwarded-Port` of events."""
    forwarded_protocol: str = "http"
    account_rate_per_second: float = THROTTLE_RATE_DEFAULT
    """The account's limit over all APIs; AWS's default."""
    account_burst: int = THROTTLE_BURST_DEFAULT
    receipt: Callable[[Trace], bytes] | None = None
    """What a finished request cost, as the value of `X-Trine-Receipt`; None: answers do not carry it."""
    issuer_urls: Mapping[str, str] = field(default_factory=dict)
    """Where to find the keys of token issuers instead of at the issuer itself: beginning of its URL → address."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Id of a VPC link → the URL it leads to, without a slash at its end."""
    endpoint: VpcEndpoint | None = None
    """What requests come through; None: private APIs cannot be reached."""


def find_links(resources: Iterable[ResourceLike], urls: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """`urls` by the ids of the template's links, which a person may name by logical id, name or id; and the names that
    mean none. A name that the template lacks stays as it is: stage variables and parameters may hold ids."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for resource in resources:
        if resource.type in LINK_TYPES:
            given = str(resource.properties.get("Name") or resource.logical_id)
            names.update({given: resource.physical_id, resource.logical_id: resource.physical_id})
    for name, url in urls.items():
        found[names.get(name, name)] = url.rstrip("/")
    return found, [name for name in urls if name not in names and name not in names.values()]


def find_endpoint(resources: Iterable[ResourceLike], name: str) -> VpcEndpoint:
    """The endpoint `name`: a logical id of the template, or an id."""
    for resource in resources:
        if resource.type == ENDPOINT_TYPE and name in (resource.logical_id, resource.physical_id):
            return VpcEndpoint(resource.physical_id, str(resource.properties.get("VpcId") or ""))
    return VpcEndpoint(name)


def unreachable(apis: Iterable[Api], endpoint: VpcEndpoint | None) -> list[str]:
    """What of `apis` no request reaches, in words for people."""
    found: list[str] = []
    for api in apis:
        if api.private and endpoint is None:
            found.append(f"{api.name} is a private API: every request is refused (403) without --vpc-endpoint ID")
        found.extend(
            f"{mapping.domain}: mutual TLS is not built, so requests to this domain are refused (403)"
            for mapping in api.domains
            if mapping.mutual_tls
        )
    return found
