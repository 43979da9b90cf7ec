"""From where a session's calls come: the way that they take to a service, and what a policy may know of it.

A function in a VPC holds credentials that its placement belongs to; so does whatever role it assumes with them. The
`ec2` wing works ways out, this one only asks. Condition keys: "AWS global condition context keys" (IAM User Guide).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:
    from trine.iam.policy import CompiledPolicy


class Way(Struct, frozen=True):
    """How calls reach a service, or why they do not."""

    open: bool
    reason: str
    """In words: through which endpoint or gateway, or what is missing."""
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """`aws:SourceVpce`, `aws:SourceVpc` and `aws:VpcSourceIp` where an endpoint is passed."""
    policy: CompiledPolicy | None = None
    """The endpoint's policy, which must allow too."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Subnet, route table and the like, for the trace."""


class Placement(Protocol):
    """One environment's place in a network."""

    @property
    def address(self) -> str:
        """An address of the subnet, as an interface in it would have."""

    def way(self, service: str) -> Way:
        """The way to `service` (`dynamodb`, `sqs`, …)."""

    def way_out(self) -> Way:
        """The way to the Internet."""


class Site(Protocol):
    """Where the environments of one function are placed."""

    @property
    def is_shut_in(self) -> bool:
        """Whether nothing leads from one of its subnets to the Internet."""

    def place(self) -> Placement:
        """The place of a new environment."""
