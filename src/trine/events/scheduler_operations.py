"""The operations of EventBridge Scheduler: one function each, from checked input to output.

Enters members by the model's names, leaves members, or raises an AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trine.events.errors import AlreadyExists, Invalid, NotFound
from trine.events.eventbridge import EventBridge
from trine.events.listing import one_page
from trine.events.schedules import NAME, Schedule

Given = Mapping[str, Any]
Output = dict[str, Any]
_MEMBERS = ("ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate", "State", "Target",
            "FlexibleTimeWindow", "Description", "KmsKeyArn", "ActionAfterCompletion")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """One call."""

    wing: EventBridge
    given: Given

    def page(self, member: str, found: Sequence[Any]) -> Output:
        """One page of a list, under `member`. Invalid."""
        return one_page(self.given, member, found, "MaxResults")


async def create_schedule(turn: Turn) -> Output:
    """CreateSchedule."""
    name, group = turn.given["Name"], turn.given.get("GroupName")
    if turn.wing.schedules.has(name, group):
        raise AlreadyExists(f"Schedule {name} already exists.", code="ConflictException", status=409)
    return {"ScheduleArn": (await turn.wing.schedules.put(name, group, _members(turn.given))).arn}


async def update_schedule(turn: Turn) -> Output:
    """UpdateSchedule: replaces the whole schedule, as on AWS."""
    found = turn.wing.schedules.find(turn.given["Name"], turn.given.get("GroupName"))
    return {"ScheduleArn": (await turn.wing.schedules.put(found.name, found.group, _members(turn.given))).arn}


def _members(given: Given) -> Output:
    return {name: given[name] for name in _MEMBERS if given.get(name) is not None}


async def get_schedule(turn: Turn) -> Output:
    """GetSchedule."""
    found = turn.wing.schedules.find(turn.given["Name"], turn.given.get("GroupName"))
    return {
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "ActionAfterCompletion": "NONE",
        **_members(found.given),
        **_names(found),
    }


async def list_schedules(turn: Turn) -> Output:
    """ListSchedules."""
    given = turn.given
    found = [
        {
            **_names(one),
            "State": one.given.get("State", "ENABLED"),
            "Target": {"Arn": one.target.arn},
        }
        for one in turn.wing.schedules
        if given.get("GroupName") in (None, one.group)
        and one.name.startswith(given.get("NamePrefix") or "")
        and given.get("State") in (None, one.given.get("State", "ENABLED"))
    ]
    return turn.page("Schedules", found)


def _names(one: Schedule) -> Output:
    return {
        "Arn": one.arn,
        "Name": one.name,
        "GroupName": one.group,
        "CreationDate": one.created_at,
        "LastModificationDate": one.modified_at,
    }


async def delete_schedule(turn: Turn) -> Output:
    """DeleteSchedule."""
    await turn.wing.schedules.delete(turn.given["Name"], turn.given.get("GroupName"))
    return {}


async def create_schedule_group(turn: Turn) -> Output:
    """CreateScheduleGroup."""
    name = turn.given["Name"]
    if not NAME.fullmatch(name):
        raise Invalid(f"Invalid group name: {name[:100]}")
    if name in turn.wing.schedules.groups:
        raise AlreadyExists(f"Schedule group {name} already exists.", code="ConflictException", status=409)
    await turn.wing.schedules.put_group(name)
    if turn.given.get("Tags"):
        await turn.wing.schedules.tag_group(name, _tags(turn.given))
    return {"ScheduleGroupArn": group_arn(turn.wing, name)}


async def get_schedule_group(turn: Turn) -> Output:
    """GetScheduleGroup."""
    return _group(turn.wing, turn.given["Name"])


async def list_schedule_groups(turn: Turn) -> Output:
    """ListScheduleGroups."""
    prefix = turn.given.get("NamePrefix") or ""
    found = [_group(turn.wing, name) for name in sorted(turn.wing.schedules.groups) if name.startswith(prefix)]
    return turn.page("ScheduleGroups", found)


async def delete_schedule_group(turn: Turn) -> Output:
    """DeleteScheduleGroup."""
    await turn.wing.schedules.delete_group(turn.given["Name"])
    return {}


async def tag_resource(turn: Turn) -> Output:
    """TagResource: groups are what Scheduler tags."""
    await turn.wing.schedules.tag_group(_tagged(turn), _tags(turn.given))
    return {}


async def untag_resource(turn: Turn) -> Output:
    """UntagResource."""
    await turn.wing.schedules.tag_group(_tagged(turn), {}, turn.given["TagKeys"])
    return {}


async def list_tags_for_resource(turn: Turn) -> Output:
    """ListTagsForResource."""
    tags = turn.wing.schedules.group(_tagged(turn)).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def _tagged(turn: Turn) -> str:
    arn = str(turn.given["ResourceArn"])
    before = group_arn(turn.wing, "")
    if not arn.startswith(before):
        raise NotFound(f"{arn[:300]} is no schedule group of this stack.", status=404)
    return arn.removeprefix(before)


def _tags(given: Given) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in given["Tags"]}


def group_arn(wing: EventBridge, name: str) -> str:
    """The ARN of a group of that name."""
    return wing.schedules.place.arn("scheduler", f"schedule-group/{name}")


def _group(wing: EventBridge, name: str) -> Output:
    made_at = wing.schedules.group(name).created_at
    return {
        "Arn": group_arn(wing, name),
        "Name": name,
        "State": "ACTIVE",
        "CreationDate": made_at,
        "LastModificationDate": made_at,
    }


OPERATIONS: dict[str, Callable[[Turn], Awaitable[Output]]] = {
    "CreateSchedule": create_schedule,
    "UpdateSchedule": update_schedule,
    "GetSchedule": get_schedule,
    "ListSchedules": list_schedules,
    "DeleteSchedule": delete_schedule,
    "CreateScheduleGroup": create_schedule_group,
    "GetScheduleGroup": get_schedule_group,
    "ListScheduleGroups": list_schedule_groups,
    "DeleteScheduleGroup": delete_schedule_group,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}


def charged(operation: str, given: Given, output: Given) -> None:
    """Calls are free: what is charged for are the runs of schedules (`schedules`)."""


def resources_of(wing: EventBridge, name: str, given: Given) -> list[str]:
    """The ARNs that an operation needs the right for."""
    if "ResourceArn" in given:
        return [str(given["ResourceArn"])]
    if name.startswith("List"):
        return ["*"]
    if name.endswith("Group"):
        return [group_arn(wing, str(given["Name"]))]
    return [wing.schedules.arn(str(given["Name"]), given.get("GroupName"))]


def passed_roles(name: str, given: Given) -> list[str]:
    """The role that the caller hands over with the call, if any."""
    if name not in ("CreateSchedule", "UpdateSchedule"):
        return []
    role = (given.get("Target") or {}).get("RoleArn")
    return [] if role is None else [str(role)]
