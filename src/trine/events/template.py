"""A template's buses, rules, schedules and groups: properties in, the wing's state out.

`check` is pure and finds what `put_resource` would refuse of the properties alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from trine.aws.shapes import object_in, objects_in, text_in
from trine.events.errors import Invalid
from trine.events.eventbridge import EventBridge
from trine.events.resource_types import BUS, GROUP, RULE, SCHEDULE
from trine.events.rules import DEFAULT_BUS, checked_rule
from trine.events.schedules import checked_schedule
from trine.events.target import Target, is_offered, target_from

_NAME = re.compile(r"[\w./-]{1,256}", re.ASCII)


def rule_members(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The members of PutRule in an `AWS::Events::Rule`."""
    names = ("Description", "RoleArn", "ScheduleExpression", "State")
    given = {name: properties[name] for name in names if properties.get(name) is not None}
    pattern = properties.get("EventPattern")
    if pattern is not None:
        given["EventPattern"] = pattern if isinstance(pattern, str) else orjson.dumps(pattern).decode()
    return given


def _bus_of(properties: Mapping[str, Any]) -> str:
    return (text_in(properties, "EventBusName") or DEFAULT_BUS).rpartition("/")[2]


def _targets(properties: Mapping[str, Any]) -> tuple[list[Target], list[str]]:
    """The targets that Trine delivers to, and the ARNs of the others."""
    targets, others = [], []
    for given in objects_in(properties, "Targets"):
        if is_offered(text_in(given, "Arn") or ""):
            targets.append(target_from(given))
        else:
            others.append(str(given["Arn"]))
    return targets, others


def check(resource_type: str, properties: Mapping[str, Any]) -> None:
    """Raise AwsError for properties that are wrong."""
    name = text_in(properties, "Name") or ""
    if not _NAME.fullmatch(name):
        raise Invalid(f"Name {name[:100]!r} must be 1 to 256 letters, digits, dots, hyphens and underscores")
    if resource_type == RULE:
        checked_rule(rule_members(properties), _bus_of(properties))
        _targets(properties)
    elif resource_type == SCHEDULE and _is_offered_target(properties):
        checked_schedule(name, properties)


def _is_offered_target(properties: Mapping[str, Any]) -> bool:
    return is_offered(text_in(object_in(properties, "Target"), "Arn") or "")


async def put_resource(wing: EventBridge, resource_type: str, properties: Mapping[str, Any]) -> None:
    """Make one resource of `resource_types.TYPES`. Raises AwsError."""
    name = text_in(properties, "Name") or ""
    if resource_type == BUS:
        await wing.rules.put_bus(name)
    elif resource_type == RULE:
        targets, others = _targets(properties)
        rule = await wing.rules.put_rule(name, _bus_of(properties), rule_members(properties))
        await wing.rules.set_targets(rule, targets)
        wing.notes += [f"rule {name}: events do not go to {arn} here" for arn in others]
    elif resource_type == GROUP:
        await wing.schedules.put_group(name)
    elif resource_type == SCHEDULE:
        if not _is_offered_target(properties):
            wing.notes.append(f"schedule {name}: it does not call {properties['Target']['Arn']} here")
            return
        await wing.schedules.put(name, properties.get("GroupName"), dict(properties))
    else:
        raise AssertionError(f"{resource_type} is not made here")
