"""Which way a call takes from a subnet to an AWS service: gateway endpoint, interface endpoint, NAT, or none. Pure.

Enters a `Network`, a subnet, security groups and a service; leaves a `Way`. The rules are those of the VPC User Guide:
the most specific route wins, so a gateway endpoint's prefix list goes before 0.0.0.0/0; a function's interface has no
public address, so an internet gateway alone leads nowhere; a security group lets out what one of its rules names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trine.ec2.network import ANYWHERE, Endpoint, Network, Subnet
from trine.iam.placement import Way


def find_way(network: Network, subnet_id: str, group_ids: Sequence[str], service: str) -> Way:
    """The way from `subnet_id` to `service` for an interface in `group_ids`."""
    subnet = network.subnets.get(subnet_id)
    if subnet is None:
        return Way(True, f"{subnet_id} is no subnet of this template, so its routes are not known: everything passes")
    table = subnet.table
    facts = _facts(network, subnet, group_ids, service)
    here = [each for each in network.endpoints if each.vpc_id == subnet.vpc_id and each.service == service]
    for endpoint in here:
        if endpoint.gateway and table is not None and table.id in endpoint.table_ids:
            return _through_gateway(network, subnet, group_ids, endpoint, facts)
    for endpoint in here:
        if not endpoint.gateway and endpoint.private_dns:
            return _through_interface(network, subnet, group_ids, endpoint, facts)
    return _through_the_internet(network, subnet, group_ids, here, facts)


def find_way_out(network: Network, subnet_id: str, group_ids: Sequence[str]) -> Way:
    """The way from `subnet_id` to the Internet, for whatever a group lets out."""
    subnet = network.subnets.get(subnet_id)
    if subnet is None:
        return Way(True, f"{subnet_id} is no subnet of this template, so its routes are not known: everything passes")
    facts = _facts(network, subnet, group_ids, "the Internet")
    return _through_the_internet(network, subnet, group_ids, (), facts, any_port=True)


def _facts(network: Network, subnet: Subnet, group_ids: Sequence[str], service: str) -> dict[str, Any]:
    table = subnet.table
    return {
        "service": service,
        "subnet": f"{subnet.name} ({subnet.id})",
        "routeTable": f"{table.name} ({table.id})" if table is not None else "the VPC's main one",
        "securityGroups": [network.groups[g].name if g in network.groups else g for g in group_ids],
    }


def _lets_out(
    network: Network, group_ids: Sequence[str], *peers: str, prefix_lists: bool = False, any_port: bool = False
) -> bool:
    """Whether one of the groups lets HTTPS (or anything at all) out. A group that is none of the template's lets
    everything out."""
    if not group_ids:
        return True
    for group_id in group_ids:
        group = network.groups.get(group_id)
        if group is None:
            return True
        for rule in group.egress:
            if (
                rule.lets(*peers)
                or (any_port and rule.peer in peers)
                or (prefix_lists and rule.peer.startswith("pl-") and rule.lets(rule.peer))
            ):
                return True
    return False


def _through_gateway(
    network: Network, subnet: Subnet, group_ids: Sequence[str], endpoint: Endpoint, facts: dict[str, Any]
) -> Way:
    if not _lets_out(network, group_ids, ANYWHERE[0], prefix_lists=True):
        return _closed(
            f"the security groups let no HTTPS out to {endpoint.service}'s prefix list",
            facts,
            "add an egress rule for tcp 443 to the service's prefix list, or to 0.0.0.0/0",
        )
    return _opened(f"through the gateway endpoint {endpoint.name}", subnet, endpoint, facts)


def _through_interface(
    network: Network, subnet: Subnet, group_ids: Sequence[str], endpoint: Endpoint, facts: dict[str, Any]
) -> Way:
    cidr = network.vpc_cidrs.get(subnet.vpc_id, subnet.cidr)
    ways = [ANYWHERE[0], subnet.cidr, cidr, *endpoint.group_ids]
    if not _lets_out(network, group_ids, *ways):
        return _closed(
            f"the security groups let no HTTPS out to the interface endpoint {endpoint.name}",
            facts,
            "add an egress rule for tcp 443 to the endpoint's security group or the VPC's block",
        )
    if not _lets_in(network, group_ids, endpoint, subnet, cidr):
        return _closed(
            f"the security groups of the interface endpoint {endpoint.name} let no HTTPS in from the function",
            facts,
            "add an ingress rule for tcp 443 from the function's security group or the VPC's block",
        )
    return _opened(f"through the interface endpoint {endpoint.name}", subnet, endpoint, facts)


def _lets_in(network: Network, group_ids: Sequence[str], endpoint: Endpoint, subnet: Subnet, cidr: str) -> bool:
    callers = [ANYWHERE[0], subnet.cidr, cidr, *group_ids]
    if not endpoint.group_ids:  # the default group, which lets in its own members only
        return not group_ids or any(group_id not in network.groups for group_id in group_ids)
    groups = [network.groups.get(group_id) for group_id in endpoint.group_ids]
    return any(group is None or any(rule.lets(*callers) for rule in group.ingress) for group in groups)


def _through_the_internet(
    network: Network,
    subnet: Subnet,
    group_ids: Sequence[str],
    here: Sequence[Endpoint],
    facts: dict[str, Any],
    *,
    any_port: bool = False,
) -> Way:
    table = subnet.table
    route = table.default() if table is not None else None
    service = facts["service"]
    missing = "add a route 0.0.0.0/0 to a NAT gateway"
    if not any_port:
        missing = f"add a VPC endpoint for {service} with this route table, or a route 0.0.0.0/0 to a NAT gateway"
    if route is None:
        nearly = [each.name for each in here if each.gateway]
        if nearly:
            missing = f"add this route table to RouteTableIds of {', '.join(nearly)}"
        return _closed(f"no route leads from {subnet.name} to {service}", facts, missing)
    facts["route"] = f"{route.destination} → {route.target}"
    if route.kind == "internet":
        reason = f"{subnet.name} leads to an internet gateway, and a function's interface has no public address"
        return _closed(reason, facts, missing)
    if not _lets_out(network, group_ids, ANYWHERE[0], any_port=any_port):
        what = "nothing" if any_port else "no HTTPS"
        reason = f"the security groups let {what} out to the Internet"
        return _closed(reason, facts, "add an egress rule for tcp 443 to 0.0.0.0/0")
    if route.kind != "nat":
        return Way(True, f"through {route.target} ({route.kind}), whose other side is not modelled", facts=facts)
    return _through_nat(network, subnet, route.target, facts)


def _through_nat(network: Network, subnet: Subnet, nat: str, facts: dict[str, Any]) -> Way:
    beyond = network.subnets.get(network.nat_subnets.get(nat, ""))
    if beyond is None:
        return Way(True, f"through the NAT gateway {nat}, which is none of this template", facts=facts)
    out = beyond.table.default() if beyond.table is not None else None
    if out is None or out.kind != "internet" or (beyond.vpc_id, out.target) not in network.attached:
        return _closed(
            f"the NAT gateway's own subnet {beyond.name} has no route to an attached internet gateway",
            facts,
            "add a route 0.0.0.0/0 to an internet gateway to the NAT gateway's subnet, and attach that to the VPC",
        )
    return Way(True, f"through the NAT gateway {nat}", facts=facts)


def _opened(reason: str, subnet: Subnet, endpoint: Endpoint, facts: dict[str, Any]) -> Way:
    context = {
        "aws:SourceVpce": (endpoint.id,),
        "aws:SourceVpc": (subnet.vpc_id,),
        "aws:VpcSourceIp": (address_in(subnet.cidr),),
    }
    return Way(True, reason, context, endpoint.policy, {**facts, "endpoint": f"{endpoint.name} ({endpoint.id})"})


def _closed(reason: str, facts: dict[str, Any], hint: str) -> Way:
    return Way(False, reason, facts={**facts, "hint": hint})


def address_in(cidr: str) -> str:
    """An address of the subnet, as an interface in it would have; the first four and the last are AWS's."""
    from ipaddress import ip_network

    try:
        block = ip_network(cidr, strict=False)
    except ValueError:
        return "10.0.0.10"
    return str(block.network_address + min(10, max(block.num_addresses - 2, 0)))
