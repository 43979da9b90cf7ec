"""Where a function's environments stand: each new one goes to the next subnet of its `VpcConfig`, in turn.

Enters a `Network` and a function's `VpcConfig`; leaves a `Site`. Ways are worked out once for each subnet and service.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from trine.ec2.network import Network
from trine.ec2.reach import address_in, find_way, find_way_out
from trine.iam.placement import Way


class SubnetPlacement:
    """One subnet, for the environments that stand in it."""

    def __init__(self, network: Network, subnet_id: str, group_ids: tuple[str, ...]) -> None:
        self._network, self._subnet_id, self._group_ids = network, subnet_id, group_ids
        self._ways: dict[str, Way] = {}
        self._way_out: Way | None = None

    @property
    def address(self) -> str:
        """An address of the subnet, as an interface in it would have."""
        subnet = self._network.subnets.get(self._subnet_id)
        return address_in("" if subnet is None else subnet.cidr)

    def way_out(self) -> Way:
        """The way to the Internet from here."""
        if self._way_out is None:
            self._way_out = find_way_out(self._network, self._subnet_id, self._group_ids)
        return self._way_out

    def way(self, service: str) -> Way:
        """The way to `service` from here."""
        way = self._ways.get(service)
        if way is None:
            way = find_way(self._network, self._subnet_id, self._group_ids, service)
            if len(self._ways) < 100:  # names of services are the client's to invent
                self._ways[service] = way
        return way


class FunctionSite:
    """The subnets of one function."""

    def __init__(self, placements: tuple[SubnetPlacement, ...]) -> None:
        self._placements = placements
        self._next = count()

    @property
    def is_shut_in(self) -> bool:
        """Whether nothing leads from one of its subnets to the Internet."""
        return not all(placement.way_out().open for placement in self._placements)

    def place(self) -> SubnetPlacement:
        """The place of a new environment."""
        return self._placements[next(self._next) % len(self._placements)]


def site_of(network: Network, config: Mapping[str, Any]) -> FunctionSite | None:
    """The site that a function's `VpcConfig` describes; None without subnets: the function is in no VPC."""
    subnet_ids = [str(each) for each in config.get("SubnetIds") or ()]
    group_ids = tuple(str(each) for each in config.get("SecurityGroupIds") or ())
    if not subnet_ids:
        return None
    return FunctionSite(tuple(SubnetPlacement(network, subnet_id, group_ids) for subnet_id in subnet_ids))
