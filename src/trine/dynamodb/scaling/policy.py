"""`AWS::ApplicationAutoScaling::ScalingPolicy` with target tracking: which utilisation to keep, and how quickly.

A template's properties enter, a `TargetTracking` leaves. Source: API reference, PutScalingPolicy; DynamoDB takes
target tracking only, by its own two metrics; cooldowns are 0 s for it unless given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.scaling.target import dimension_of, is_true
from trine.dynamodb.throughput.flow import Kind

_METRICS: dict[str, Kind] = {"DynamoDBReadCapacityUtilization": "Read", "DynamoDBWriteCapacityUtilization": "Write"}
TARGET_MIN_PERCENT, TARGET_MAX_PERCENT = 20.0, 90.0
COOLDOWN_MAX_SECONDS = 86_400.0
"""Our own."""


class TargetTracking(Struct, frozen=True):
    """Keep consumed units near `target_percent` of provisioned ones."""

    table_name: str
    index_name: str | None
    kind: Kind
    target_percent: float
    in_cooldown_seconds: float = 0.0
    out_cooldown_seconds: float = 0.0
    scales_in: bool = True

    @property
    def name(self) -> tuple[str, str | None, Kind]:
        """The target that it is for."""
        return self.table_name, self.index_name, self.kind


def target_tracking(properties: Mapping[str, Any]) -> TargetTracking:
    """The policy of a template's properties. ValidationException for other kinds of policies and metrics."""
    given = dict(properties)
    if properties.get("ScalingTargetId"):
        parts = str(properties["ScalingTargetId"]).split("|")
        if len(parts) != 3:
            raise ValidationException(f"Invalid ScalingTargetId: {properties['ScalingTargetId']}")
        given["ResourceId"], given["ScalableDimension"], given["ServiceNamespace"] = parts
    table_name, index_name, kind = dimension_of(given)
    if properties.get("PolicyType") != "TargetTrackingScaling":
        raise ValidationException(
            f"PolicyType {properties.get('PolicyType')} is not supported for ServiceNamespace dynamodb: "
            "TargetTrackingScaling is"
        )
    settings = properties.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric = (settings.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if _METRICS.get(str(metric)) != kind:
        raise ValidationException(f"The metric {metric} does not measure {kind.lower()} units of DynamoDB")
    target = _number(settings, "TargetValue", None)
    if not TARGET_MIN_PERCENT <= target <= TARGET_MAX_PERCENT:
        raise ValidationException(
            f"TargetValue must be between {TARGET_MIN_PERCENT:.0f} and {TARGET_MAX_PERCENT:.0f} for DynamoDB, "
            f"not {target}"
        )
    cooldowns = [_number(settings, member, 0.0) for member in ("ScaleInCooldown", "ScaleOutCooldown")]
    if not all(0 <= cooldown <= COOLDOWN_MAX_SECONDS for cooldown in cooldowns):
        raise ValidationException(f"Cooldowns are 0 to {COOLDOWN_MAX_SECONDS:.0f} seconds")
    return TargetTracking(
        table_name, index_name, kind, target, cooldowns[0], cooldowns[1], not is_true(settings.get("DisableScaleIn"))
    )


def _number(settings: Mapping[str, Any], member: str, default: float | None) -> float:
    value = settings.get(member, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValidationException(f"{member} must be a number, not {value}") from None
