"""`AWS::ApplicationAutoScaling::ScalableTarget`: which capacity may be changed, and within which bounds.

A template's properties enter, a `ScalableTarget` leaves. Source: API reference, RegisterScalableTarget.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import CAPACITY_MAX_UNITS
from trine.dynamodb.throughput.flow import Kind

SERVICE = "dynamodb"
_RESOURCE = re.compile(r"table/([A-Za-z0-9_.-]{3,255})(?:/index/([A-Za-z0-9_.-]{3,255}))?\Z")
_DIMENSION = re.compile(r"dynamodb:(table|index):(Read|Write)CapacityUnits\Z")


class ScalableTarget(Struct, frozen=True):
    """The read or write units of a table or of a global index, between two bounds."""

    table_name: str
    index_name: str | None
    kind: Kind
    min_units: int
    max_units: int
    in_suspended: bool = False
    out_suspended: bool = False

    @property
    def name(self) -> tuple[str, str | None, Kind]:
        """What a policy must name to mean this target."""
        return self.table_name, self.index_name, self.kind


def scalable_target(properties: Mapping[str, Any]) -> ScalableTarget:
    """The target of a template's properties. ValidationException."""
    table_name, index_name, kind = dimension_of(properties)
    least, most = _units(properties, "MinCapacity"), _units(properties, "MaxCapacity")
    if not 1 <= least <= most <= CAPACITY_MAX_UNITS:
        raise ValidationException(f"MinCapacity ({least}) must be at least 1 and at most MaxCapacity ({most})")
    suspended = properties.get("SuspendedState") or {}
    return ScalableTarget(
        table_name,
        index_name,
        kind,
        least,
        most,
        is_true(suspended.get("DynamicScalingInSuspended")),
        is_true(suspended.get("DynamicScalingOutSuspended")),
    )


def dimension_of(properties: Mapping[str, Any]) -> tuple[str, str | None, Kind]:
    """Table, index and kind of units that `ResourceId` and `ScalableDimension` name. ValidationException."""
    if properties.get("ServiceNamespace") != SERVICE:
        raise ValidationException(f"ServiceNamespace must be {SERVICE}, not {properties.get('ServiceNamespace')}")
    resource = _RESOURCE.match(str(properties.get("ResourceId", "")))
    dimension = _DIMENSION.match(str(properties.get("ScalableDimension", "")))
    if resource is None:
        raise ValidationException(
            f"Invalid ResourceId: {properties.get('ResourceId')} (table/Name, table/Name/index/X)"
        )
    if dimension is None or (dimension[1] == "index") != (resource[2] is not None):
        raise ValidationException(
            f"Invalid ScalableDimension: {properties.get('ScalableDimension')} for {properties['ResourceId']}"
        )
    return resource[1], resource[2], "Read" if dimension[2] == "Read" else "Write"


def target_id(properties: Mapping[str, Any]) -> str:
    """What `Ref` of the target gives: `table/Name|dynamodb:table:ReadCapacityUnits|dynamodb`."""
    return "|".join(str(properties.get(name)) for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))


def is_true(value: object) -> bool:
    """A Boolean of a template, which may be text."""
    return str(value).lower() == "true"


def _units(properties: Mapping[str, Any], member: str) -> int:
    try:
        return int(properties[member])
    except (KeyError, TypeError, ValueError):
        raise ValidationException(f"{member} must be a whole number, not {properties.get(member)}") from None
