"""A resource of a template as the wings read it: they see none of the template's own types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ResourceLike(Protocol):
    """A resource with its intrinsics resolved."""

    @property
    def logical_id(self) -> str:
        """Its name in the template."""

    @property
    def type(self) -> str:
        """`AWS::ApiGateway::Method`, `AWS::EC2::Subnet` and the like."""

    @property
    def physical_id(self) -> str:
        """What `Ref` gives: API id, resource id, stage name, …"""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Plain values."""
