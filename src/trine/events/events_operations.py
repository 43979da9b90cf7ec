"""The operations of EventBridge: one function each, from checked input to output.

Enters members by the model's names, leaves members, or raises an AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from trine.aws.charges import chunks
from trine.aws.errors import AwsError
from trine.aws.event_pattern import InvalidPattern, compile_pattern
from trine.events import limits
from trine.events.errors import AlreadyExists, Invalid, InvalidEventPattern, InvalidTarget
from trine.events.event import EntryRefused, size_of
from trine.events.eventbridge import EventBridge
from trine.events.listing import one_page
from trine.events.rules import Rule
from trine.events.target import Target, target_from

Given = Mapping[str, Any]
Output = dict[str, Any]
_RULE_MEMBERS = ("EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")


@dataclass(frozen=True, slots=True)
class Turn:
    """One call."""

    wing: EventBridge
    given: Given

    def rule(self) -> Rule:
        """The rule that `Rule` or `Name` means. NotFound."""
        name = self.given.get("Rule") or self.given["Name"]
        return self.wing.rules.rule(name, self.given.get("EventBusName"))

    def page(self, member: str, found: Sequence[Any]) -> Output:
        """One page of a list, under `member`. Invalid."""
        return one_page(self.given, member, found, "Limit")


async def put_events(turn: Turn) -> Output:
    """PutEvents: every entry answers for itself."""
    entries = turn.given["Entries"]
    if len(entries) > limits.ENTRIES_MAX:
        raise Invalid(
            f"1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length "
            f"less than or equal to {limits.ENTRIES_MAX}"
        )
    if sum(map(size_of, entries)) > limits.ENTRY_MAX_BYTES:
        raise Invalid("Total size of the entries in the request is over the limit.")
    results: list[Output] = []
    for entry in entries:
        bus = turn.wing.rules.bus(entry.get("EventBusName"))
        try:
            results.append({"EventId": turn.wing.put_entry(bus, entry)})
        except EntryRefused as refused:
            results.append({"ErrorCode": refused.code, "ErrorMessage": refused.message})
    return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


def charged(operation: str, given: Given, output: Given) -> dict[str, float] | None:
    """What is charged for are events of one's own, by 64 KB (pricing page); those of AWS and of rules are free."""
    if operation != "PutEvents":
        return None
    taken = zip(given["Entries"], output["Entries"], strict=True)
    return {"units": sum(chunks(size_of(entry)) for entry, result in taken if "EventId" in result)}


async def put_rule(turn: Turn) -> Output:
    """PutRule."""
    given = {name: turn.given[name] for name in _RULE_MEMBERS if turn.given.get(name) is not None}
    rule = await turn.wing.rules.put_rule(turn.given["Name"], turn.given.get("EventBusName"), given)
    return {"RuleArn": rule.arn}


async def describe_rule(turn: Turn) -> Output:
    """DescribeRule."""
    return _shown(turn.rule())


async def list_rules(turn: Turn) -> Output:
    """ListRules."""
    bus = turn.wing.rules.bus(turn.given.get("EventBusName")).name
    prefix = turn.given.get("NamePrefix") or ""
    return turn.page("Rules", [_shown(rule) for rule in turn.wing.rules.rules(bus) if rule.name.startswith(prefix)])


def _shown(rule: Rule) -> Output:
    return {
        "Name": rule.name,
        "Arn": rule.arn,
        "EventBusName": rule.bus,
        "State": "ENABLED",
        **{name: rule.given[name] for name in _RULE_MEMBERS if name in rule.given},
    }


async def delete_rule(turn: Turn) -> Output:
    """DeleteRule."""
    await turn.wing.rules.delete_rule(turn.given["Name"], turn.given.get("EventBusName"))
    return {}


async def enable_rule(turn: Turn) -> Output:
    """EnableRule."""
    await turn.wing.rules.enable(turn.rule(), True)
    return {}


async def disable_rule(turn: Turn) -> Output:
    """DisableRule."""
    await turn.wing.rules.enable(turn.rule(), False)
    return {}


async def put_targets(turn: Turn) -> Output:
    """PutTargets: every target answers for itself. InvalidTarget when one's input is none."""
    rule = turn.rule()
    good: list[Target] = []
    failed: list[Output] = []
    for given in turn.given["Targets"]:
        try:
            good.append(target_from(given))
        except InvalidTarget:
            raise
        except AwsError as error:
            failed.append({"TargetId": given["Id"], "ErrorCode": error.code, "ErrorMessage": error.message})
    await turn.wing.rules.put_targets(rule, good)
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


async def remove_targets(turn: Turn) -> Output:
    """RemoveTargets."""
    rule = turn.rule()
    wanted = list(turn.given["Ids"])
    unknown = [one for one in wanted if one not in rule.targets]
    await turn.wing.rules.remove_targets(rule, wanted)
    failed = [
        {"TargetId": one, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Rule {rule.name} has no {one}."}
        for one in unknown
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


async def list_targets_by_rule(turn: Turn) -> Output:
    """ListTargetsByRule."""
    targets = turn.rule().targets
    return turn.page("Targets", [{**targets[key].given, "Id": key} for key in sorted(targets)])


async def list_rule_names_by_target(turn: Turn) -> Output:
    """ListRuleNamesByTarget."""
    bus = turn.wing.rules.bus(turn.given.get("EventBusName")).name
    arn = turn.given["TargetArn"]
    names = [
        rule.name for rule in turn.wing.rules.rules(bus) if any(target.arn == arn for target in rule.targets.values())
    ]
    return turn.page("RuleNames", names)


_EVERY_EVENT_HAS = {"id", "account", "source", "time", "region", "detail-type"}
"""API reference, TestEventPattern: fields that `Event` must have (AWS does not insist on `resources` and `detail`)."""


async def test_event_pattern(turn: Turn) -> Output:
    """TestEventPattern, of an event as buses deliver it. Invalid when it lacks a field that every event has."""
    try:
        event = orjson.loads(turn.given["Event"])
    except orjson.JSONDecodeError:
        event = None
    if not isinstance(event, dict) or not event.keys() >= _EVERY_EVENT_HAS:
        raise Invalid("Parameter Event is not valid.")
    try:
        return {"Result": compile_pattern(turn.given["EventPattern"]).matches(event)}
    except InvalidPattern as error:
        raise InvalidEventPattern(f"Event pattern is not valid. Reason: {error}") from None


async def create_event_bus(turn: Turn) -> Output:
    """CreateEventBus."""
    name = turn.given["Name"]
    if any(bus.name == name for bus in turn.wing.rules.buses()):
        raise AlreadyExists(f"Event bus {name} already exists.")
    return {"EventBusArn": (await turn.wing.rules.put_bus(name)).arn}


async def delete_event_bus(turn: Turn) -> Output:
    """DeleteEventBus."""
    await turn.wing.rules.delete_bus(turn.given["Name"])
    return {}


async def describe_event_bus(turn: Turn) -> Output:
    """DescribeEventBus."""
    bus = turn.wing.rules.bus(turn.given.get("Name"))
    return {"Name": bus.name, "Arn": bus.arn}


async def list_event_buses(turn: Turn) -> Output:
    """ListEventBuses."""
    prefix = turn.given.get("NamePrefix") or ""
    found = [{"Name": bus.name, "Arn": bus.arn} for bus in turn.wing.rules.buses() if bus.name.startswith(prefix)]
    return turn.page("EventBuses", found)


OPERATIONS: dict[str, Callable[[Turn], Awaitable[Output]]] = {
    "PutEvents": put_events,
    "PutRule": put_rule,
    "DescribeRule": describe_rule,
    "ListRules": list_rules,
    "DeleteRule": delete_rule,
    "EnableRule": enable_rule,
    "DisableRule": disable_rule,
    "PutTargets": put_targets,
    "RemoveTargets": remove_targets,
    "ListTargetsByRule": list_targets_by_rule,
    "ListRuleNamesByTarget": list_rule_names_by_target,
    "TestEventPattern": test_event_pattern,
    "CreateEventBus": create_event_bus,
    "DeleteEventBus": delete_event_bus,
    "DescribeEventBus": describe_event_bus,
    "ListEventBuses": list_event_buses,
}


def resources_of(wing: EventBridge, name: str, given: Given) -> list[str]:
    """The ARNs that an operation needs the right for."""
    rules = wing.rules
    if name == "PutEvents":
        return sorted({rules.bus_arn(_bus_name(entry.get("EventBusName"))) for entry in given["Entries"]})
    if name in ("ListRules", "ListRuleNamesByTarget", "TestEventPattern", "ListEventBuses"):
        return ["*"]
    if "EventBus" in name:
        return [rules.bus_arn(_bus_name(given.get("Name")))]
    return [rules.rule_arn(str(given.get("Rule") or given.get("Name")), _bus_name(given.get("EventBusName")))]


def passed_roles(name: str, given: Given) -> list[str]:
    """The roles that the caller hands over with the call (service authorization reference: PutRule and PutTargets
    depend on `iam:PassRole`)."""
    if name == "PutRule":
        holders: Sequence[Mapping[str, Any]] = [given]
    elif name == "PutTargets":
        holders = given.get("Targets") or ()
    else:
        return []
    return sorted({str(holder["RoleArn"]) for holder in holders if holder.get("RoleArn")})


def _bus_name(name_or_arn: str | None) -> str:
    return (name_or_arn or "default").rpartition("/")[2]
