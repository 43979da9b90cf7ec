"""Which way a call takes out of a subnet, case by case, on networks as a template describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from trine.ec2.build import build_network
from trine.ec2.reach import find_way
from trine.ec2.site import site_of
from trine.iam.placement import Way


@dataclass
class Resource:
    """A resolved resource."""

    type: str
    physical_id: str
    properties: dict[str, Any]

    @property
    def logical_id(self) -> str:
        return self.physical_id.title()


def _private(**changes: Any) -> list[Resource]:
    """A VPC with a private subnet and its route table; `changes` adds resources by id."""
    resources = {
        "vpc": ("VPC", {"CidrBlock": "10.0.0.0/16"}),
        "subnet": ("Subnet", {"VpcId": "vpc", "CidrBlock": "10.0.1.0/24"}),
        "table": ("RouteTable", {"VpcId": "vpc"}),
        "link": ("SubnetRouteTableAssociation", {"SubnetId": "subnet", "RouteTableId": "table"}),
        "group": ("SecurityGroup", {"VpcId": "vpc", "GroupDescription": "functions"}),
        **changes,
    }
    return [Resource(f"AWS::EC2::{kind}", name, node) for name, (kind, node) in resources.items()]


GATEWAY = (
    "VPCEndpoint",
    {"VpcId": "vpc", "ServiceName": "com.amazonaws.us-east-1.dynamodb", "RouteTableIds": ["table"]},
)
INTERFACE = ("VPCEndpoint", {"VpcId": "vpc", "ServiceName": "com.amazonaws.us-east-1.sqs",
                             "VpcEndpointType": "Interface", "SecurityGroupIds": ["door"]})  # fmt: skip
NAT = {
    "public": ("Subnet", {"VpcId": "vpc", "CidrBlock": "10.0.2.0/24"}),
    "outer": ("RouteTable", {"VpcId": "vpc"}),
    "outer-link": ("SubnetRouteTableAssociation", {"SubnetId": "public", "RouteTableId": "outer"}),
    "nat": ("NatGateway", {"SubnetId": "public"}),
    "igw": ("InternetGateway", {}),
    "attached": ("VPCGatewayAttachment", {"VpcId": "vpc", "InternetGatewayId": "igw"}),
    "out": ("Route", {"RouteTableId": "table", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat"}),
    "outer-out": ("Route", {"RouteTableId": "outer", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw"}),
}


def _way(service: str, groups: tuple[str, ...] = ("group",), subnet: str = "subnet", **changes: Any) -> Way:
    return find_way(build_network(_private(**changes)), subnet, groups, service)


def _egress(*rules: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return ("SecurityGroup", {"VpcId": "vpc", "SecurityGroupEgress": list(rules)})


HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def test_a_private_subnet_reaches_nothing() -> None:
    way = _way("dynamodb")
    assert not way.open
    assert way.reason == "no route leads from Subnet to dynamodb"
    assert "add a VPC endpoint for dynamodb" in way.facts["hint"]
    assert way.facts["routeTable"] == "Table (table)"


def test_a_gateway_endpoint_is_passed_and_says_so() -> None:
    way = _way("dynamodb", endpoint=GATEWAY)
    assert way.open
    assert way.context == {
        "aws:SourceVpce": ("endpoint",), "aws:SourceVpc": ("vpc",), "aws:VpcSourceIp": ("10.0.1.10",),
    }  # fmt: skip
    assert way.policy is None
    assert not _way("sqs", endpoint=GATEWAY).open


def test_a_gateway_endpoint_of_another_table_does_not_help() -> None:
    elsewhere = (GATEWAY[0], {**GATEWAY[1], "RouteTableIds": ["other"]})
    way = _way("dynamodb", endpoint=elsewhere)
    assert not way.open
    assert "RouteTableIds of Endpoint" in way.facts["hint"]


def test_a_subnet_without_association_has_the_main_table() -> None:
    changes = {"endpoint": GATEWAY, "bare": ("Subnet", {"VpcId": "vpc", "CidrBlock": "10.0.3.0/24"})}
    way = _way("dynamodb", subnet="bare", **changes)
    assert not way.open
    assert way.facts["routeTable"] == "the VPC's main one"


@pytest.mark.parametrize(
    ("rules", "passes"),
    [
        ([], True),
        ([{**HTTPS, "CidrIp": "0.0.0.0/0"}], True),
        ([{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}], True),
        ([{"IpProtocol": -1, "CidrIp": "0.0.0.0/0"}], True),
        ([{**HTTPS, "DestinationPrefixListId": "pl-02cd2c6b"}], True),
        ([{**HTTPS, "CidrIp": "10.0.0.0/16"}], False),
        ([{**HTTPS, "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}], False),
        ([{**HTTPS, "IpProtocol": "udp", "CidrIp": "0.0.0.0/0"}], False),
        ([{**HTTPS, "FromPort": 0, "ToPort": 65535, "CidrIp": "0.0.0.0/0"}], True),
        ([{**HTTPS, "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}, {**HTTPS, "CidrIp": "0.0.0.0/0"}], True),
    ],
)
def test_egress_rules_of_the_function(rules: list[dict[str, Any]], passes: bool) -> None:
    assert _way("dynamodb", endpoint=GATEWAY, group=_egress(*rules)).open is passes


def test_an_egress_rule_of_its_own_is_added() -> None:
    closed = _egress({**HTTPS, "CidrIp": "10.0.0.0/16"})
    rule = ("SecurityGroupEgress", {"GroupId": "group", **HTTPS, "CidrIp": "0.0.0.0/0"})
    assert not _way("dynamodb", endpoint=GATEWAY, group=closed).open
    assert _way("dynamodb", endpoint=GATEWAY, group=closed, rule=rule).open


@pytest.mark.parametrize(
    ("ingress", "passes"),
    [
        ([], False),
        ([{**HTTPS, "SourceSecurityGroupId": "group"}], True),
        ([{**HTTPS, "CidrIp": "10.0.0.0/16"}], True),
        ([{**HTTPS, "CidrIp": "10.0.1.0/24"}], True),
        ([{**HTTPS, "CidrIp": "10.9.0.0/16"}], False),
    ],
)
def test_an_interface_endpoint_has_a_door_of_its_own(ingress: list[dict[str, Any]], passes: bool) -> None:
    door = ("SecurityGroup", {"VpcId": "vpc", "SecurityGroupIngress": ingress})
    way = _way("sqs", endpoint=INTERFACE, door=door)
    assert way.open is passes
    assert bool(way.context) is passes


def test_without_private_dns_an_interface_endpoint_is_not_found() -> None:
    hidden = (INTERFACE[0], {**INTERFACE[1], "PrivateDnsEnabled": False})
    assert not _way("sqs", endpoint=hidden).open


def test_nat_passes_without_naming_an_endpoint() -> None:
    way = _way("dynamodb", **NAT)
    assert way.open
    assert way.context == {}
    assert _way("dynamodb", **NAT, endpoint=GATEWAY).context  # the endpoint's route is the more specific one


@pytest.mark.parametrize("missing", ["attached", "outer-out", "outer-link"])
def test_a_nat_gateway_that_leads_nowhere(missing: str) -> None:
    way = _way("dynamodb", **{name: node for name, node in NAT.items() if name != missing})
    assert not way.open
    assert "NAT gateway's own subnet Public" in way.reason


def test_an_internet_gateway_is_no_way_for_a_function() -> None:
    way = _way("dynamodb", subnet="public", **NAT)
    assert not way.open
    assert "no public address" in way.reason


def test_the_groups_keep_the_internet_shut() -> None:
    way = _way("dynamodb", **NAT, group=_egress({**HTTPS, "CidrIp": "10.0.0.0/16"}))
    assert not way.open
    assert "security groups" in way.reason


def test_what_is_not_of_the_template_passes_and_says_so() -> None:
    assert "not known" in _way("dynamodb", subnet="subnet-elsewhere").reason
    peering = ("Route", {"RouteTableId": "table", "DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw"})
    way = _way("dynamodb", out=peering)
    assert way.open
    assert "not modelled" in way.reason


def test_environments_take_turns_in_the_subnets() -> None:
    network = build_network(_private(endpoint=GATEWAY, bare=("Subnet", {"VpcId": "vpc", "CidrBlock": "10.0.3.0/24"})))
    site = site_of(network, {"SubnetIds": ["subnet", "bare"], "SecurityGroupIds": ["group"]})
    assert site is not None
    assert [site.place().way("dynamodb").open for _ in range(4)] == [True, False, True, False]
    assert site_of(network, {"SubnetIds": []}) is None


def test_a_broken_endpoint_policy_lets_nothing_through() -> None:
    broken = (GATEWAY[0], {**GATEWAY[1], "PolicyDocument": {"Statement": [{"Effect": "Perhaps"}]}})
    network = build_network(_private(endpoint=broken))
    assert "malformed" in network.problems[0]
    policy = find_way(network, "subnet", ("group",), "dynamodb").policy
    assert policy is not None
    assert not any(statement.allows for statement in policy.statements)
