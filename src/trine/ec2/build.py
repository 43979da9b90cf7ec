"""`AWS::EC2::*` resources of a template become a `Network`. Pure.

Enters resolved resources; leaves the network with the sentences of what it cannot model (`Network.problems`). A VPC's
main route table is no resource of CloudFormation and has the local route only; network ACLs are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trine.aws.resource import ResourceLike
from trine.ec2.network import ANYWHERE, Endpoint, Group, Network, Route, RouteTable, Rule, Subnet
from trine.iam.errors import MalformedPolicy
from trine.iam.policy import CompiledPolicy, parse_policy

EVERYTHING = (Rule(ANYWHERE[0]), Rule(ANYWHERE[1]))
"""What a new group lets out until it has egress rules of its own."""
_NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}
_TARGETS = {"NatGatewayId": "nat", "GatewayId": "internet"}
_OTHER_TARGETS = ("TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId", "VpcEndpointId",
                  "EgressOnlyInternetGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn")  # fmt: skip
_PEERS = ("CidrIp", "CidrIpv6", "DestinationPrefixListId", "SourcePrefixListId", "DestinationSecurityGroupId",
          "SourceSecurityGroupId")  # fmt: skip


def build_network(resources: Iterable[ResourceLike]) -> Network:
    """The network that `resources` describe."""
    by_type: dict[str, list[ResourceLike]] = {}
    for resource in resources:
        if resource.type.startswith("AWS::EC2::"):
            by_type.setdefault(resource.type.removeprefix("AWS::EC2::"), []).append(resource)
    problems: list[str] = []
    tables = _tables(by_type)
    chosen = {
        str(link.properties.get("SubnetId")): tables.get(str(link.properties.get("RouteTableId")))
        for link in by_type.get("SubnetRouteTableAssociation", [])
    }
    return Network(
        subnets={
            each.physical_id: Subnet(
                each.physical_id,
                each.logical_id,
                str(each.properties.get("VpcId")),
                str(each.properties.get("CidrBlock") or ""),
                chosen.get(each.physical_id),
            )
            for each in by_type.get("Subnet", [])
        },
        groups=_groups(by_type),
        endpoints=tuple(_endpoint(each, problems) for each in by_type.get("VPCEndpoint", [])),
        vpc_cidrs={each.physical_id: str(each.properties.get("CidrBlock") or "") for each in by_type.get("VPC", [])},
        nat_subnets={each.physical_id: str(each.properties.get("SubnetId")) for each in by_type.get("NatGateway", [])},
        attached=frozenset(
            (str(each.properties.get("VpcId")), str(each.properties.get("InternetGatewayId")))
            for each in by_type.get("VPCGatewayAttachment", [])
        ),
        problems=tuple(problems),
    )


def _tables(by_type: Mapping[str, list[ResourceLike]]) -> dict[str, RouteTable]:
    routes: dict[str, list[Route]] = {}
    for each in by_type.get("Route", []):
        node = each.properties
        destination = str(
            node.get("DestinationCidrBlock")
            or node.get("DestinationIpv6CidrBlock")
            or node.get("DestinationPrefixListId")
            or ""
        )
        for name in (*_TARGETS, *_OTHER_TARGETS):
            if node.get(name):
                route = Route(destination, _TARGETS.get(name, name), str(node[name]))
                routes.setdefault(str(node.get("RouteTableId")), []).append(route)
    return {
        each.physical_id: RouteTable(each.physical_id, each.logical_id, tuple(routes.get(each.physical_id, ())))
        for each in by_type.get("RouteTable", [])
    }


def _groups(by_type: Mapping[str, list[ResourceLike]]) -> dict[str, Group]:
    alone: dict[tuple[str, str], list[Rule]] = {}
    for way in ("Egress", "Ingress"):
        for each in by_type.get(f"SecurityGroup{way}", []):
            alone.setdefault((way, str(each.properties.get("GroupId"))), []).append(_rule(each.properties))
    found: dict[str, Group] = {}
    for each in by_type.get("SecurityGroup", []):
        own = _rules(each.properties.get("SecurityGroupEgress"))
        found[each.physical_id] = Group(
            each.physical_id,
            each.logical_id,
            (*(own or EVERYTHING), *alone.get(("Egress", each.physical_id), ())),
            (*_rules(each.properties.get("SecurityGroupIngress")), *alone.get(("Ingress", each.physical_id), ())),
        )
    return found


def _rules(value: Any) -> tuple[Rule, ...]:
    nodes = value if isinstance(value, list) else [value] if isinstance(value, Mapping) else []
    return tuple(_rule(node) for node in nodes if isinstance(node, Mapping))


def _rule(node: Mapping[str, Any]) -> Rule:
    peer = next((str(node[name]) for name in _PEERS if node.get(name)), "")
    protocol = str(node.get("IpProtocol", "-1")).lower()
    return Rule(peer, protocol, _port(node.get("FromPort"), 0), _port(node.get("ToPort"), 65_535))


def _port(value: Any, otherwise: int) -> int:
    text = str(value)
    return int(text) if text.isdigit() else otherwise  # -1 stands for every port


def _endpoint(resource: ResourceLike, problems: list[str]) -> Endpoint:
    node = resource.properties
    policy: CompiledPolicy | None = None
    document = node.get("PolicyDocument")
    if document:
        try:
            policy = parse_policy(document, "resource", f"VPC endpoint policy of {resource.logical_id}")
        except MalformedPolicy as error:
            problems.append(
                f"{resource.logical_id}: its policy is malformed ({error.message}); it lets nothing through"
            )
            policy = parse_policy(_NOTHING, "resource", resource.logical_id)
    return Endpoint(
        id=resource.physical_id,
        name=resource.logical_id,
        vpc_id=str(node.get("VpcId")),
        service=str(node.get("ServiceName") or "").split(".", 3)[-1],
        gateway=str(node.get("VpcEndpointType") or "Gateway") == "Gateway",
        table_ids=frozenset(str(each) for each in node.get("RouteTableIds") or ()),
        group_ids=tuple(str(each) for each in node.get("SecurityGroupIds") or ()),
        private_dns=str(node.get("PrivateDnsEnabled", True)).lower() == "true",
        policy=policy,
    )
