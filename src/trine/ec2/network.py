"""A network as frozen values: what the template says, and nothing that a request changes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from trine.iam.policy import CompiledPolicy

ANYWHERE = ("0.0.0.0/0", "::/0")
HTTPS_PORT = 443


class Rule(Struct, frozen=True):
    """One rule of a security group, inbound or outbound. `peer` is a CIDR block, a group's id or a prefix list's id."""

    peer: str
    protocol: str = "-1"
    from_port: int = 0
    to_port: int = 65_535

    def lets(self, *peers: str) -> bool:
        """Whether it lets HTTPS through to (or from) one of `peers`."""
        return self.peer in peers and (
            self.protocol == "-1"
            or (self.protocol in ("tcp", "6") and self.from_port <= HTTPS_PORT <= self.to_port)
        )  # fmt: skip


class Group(Struct, frozen=True):
    """A security group of the template."""

    id: str
    name: str
    """Its name in the template."""
    egress: tuple[Rule, ...]
    ingress: tuple[Rule, ...]


class Route(Struct, frozen=True):
    """Where packets for `destination` go. `kind` is `nat`, `internet` or the property that names a target."""

    destination: str
    kind: str
    target: str


class RouteTable(Struct, frozen=True):
    """A route table; the local route is not listed."""

    id: str
    name: str
    routes: tuple[Route, ...] = ()

    def default(self) -> Route | None:
        """Where packets for the Internet go."""
        return next((route for route in self.routes if route.destination == ANYWHERE[0]), None)


class Subnet(Struct, frozen=True):
    """A subnet of the template with the route table that holds for it; None: the VPC's main one."""

    id: str
    name: str
    vpc_id: str
    cidr: str
    table: RouteTable | None


class Endpoint(Struct, frozen=True):
    """A VPC endpoint."""

    id: str
    name: str
    vpc_id: str
    service: str
    """The service's last name: `dynamodb`."""
    gateway: bool
    table_ids: frozenset[str] = frozenset()
    group_ids: tuple[str, ...] = ()
    private_dns: bool = True
    policy: CompiledPolicy | None = None
    """None: the default policy, which lets everything through."""


class Network(Struct, frozen=True):
    """All networks of a template."""

    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()
    vpc_cidrs: Mapping[str, str] = field(default_factory=dict)
    """VPC → its block."""
    nat_subnets: Mapping[str, str] = field(default_factory=dict)
    """NAT gateway → its subnet."""
    attached: frozenset[tuple[str, str]] = frozenset()
    """(VPC, internet gateway) pairs."""
    problems: tuple[str, ...] = ()
