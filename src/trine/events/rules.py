"""Buses and rules: which events go to which targets, and which rules make events of their own by the clock.

Enters PutRule, PutTargets and PutEvents as values, leaves errands. State is kept; a schedule keeps its phase over
restarts, because that counts from when the rule was made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trine.aws.actor import Actor
from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.event_pattern import InvalidPattern, Pattern, compile_pattern
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.events import limits
from trine.events.appointment import Appointment
from trine.events.delivery import Errand
from trine.events.errors import Invalid, InvalidEventPattern, LimitExceeded, NotFound
from trine.events.event import scheduled_event
from trine.events.schedule_expression import ScheduleExpression, parse_schedule
from trine.events.target import Target, target_from
from trine.events.transformer import NotRendered
from trine.iam.policy import CompiledPolicy

_LOGGER = logging.getLogger("trine.events")
RULE, BUS = "events:rule", "events:bus"
DEFAULT_BUS = "default"
SERVICE = "events.amazonaws.com"


@dataclass(slots=True)
class Bus:
    """An event bus."""

    name: str
    arn: str
    policy: CompiledPolicy | None = None


@dataclass(slots=True)
class Rule:
    """A rule with its targets."""

    name: str
    bus: str
    arn: str
    given: dict[str, Any]
    created_at: float
    pattern: Pattern | None = None
    schedule: ScheduleExpression | None = None
    targets: dict[str, Target] = field(default_factory=dict)
    appointment: Appointment = field(init=False)
    """When its schedule runs next."""

    @property
    def enabled(self) -> bool:
        """Whether it does anything."""
        return str(self.given.get("State", "ENABLED")).startswith("ENABLED")


class Rules:
    """All buses and rules."""

    def __init__(
        self, catalogue: Catalogue, clock: Clock, ids: Ids, place: Place, deliver: Callable[[Errand], None]
    ) -> None:
        self._catalogue, self._clock, self._ids, self.place = catalogue, clock, ids, place
        self._deliver = deliver
        self._running = False
        self._buses = {DEFAULT_BUS: Bus(DEFAULT_BUS, self.bus_arn(DEFAULT_BUS))}
        for name, _ in catalogue.list(BUS):
            self._buses[name] = Bus(name, self.bus_arn(name))
        self._rules: dict[tuple[str, str], Rule] = {}
        for _, document in catalogue.list(RULE):
            rule = self._made(document["name"], document["bus"], document["given"], document["created_at"])
            rule.targets = {
                target_id: target_from(given, target_id) for target_id, given in document["targets"].items()
            }

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let schedules run; needs the running event loop."""
        self._running = True
        for rule in self._rules.values():
            self._arm(rule)

    def close(self) -> None:
        """Stop the schedules."""
        self._running = False
        for rule in self._rules.values():
            rule.appointment.cancel()

    # -- buses -------------------------------------------------------------------------------------------------------

    def bus_arn(self, name: str) -> str:
        """The ARN of a bus of that name."""
        return self.place.arn("events", f"event-bus/{name}")

    def bus(self, name_or_arn: str | None) -> Bus:
        """The bus. NotFound."""
        name = (name_or_arn or DEFAULT_BUS).rpartition("/")[2]
        found = self._buses.get(name)
        if found is None or ((name_or_arn or "").startswith("arn:") and found.arn != name_or_arn):
            raise NotFound(f"Event bus {name} does not exist.")
        return found

    def buses(self) -> list[Bus]:
        """Every bus, by name."""
        return [self._buses[name] for name in sorted(self._buses)]

    async def put_bus(self, name: str) -> Bus:
        """Make a bus; the one that is there stays."""
        if name not in self._buses:
            if len(self._buses) >= limits.BUSES_MAX:
                raise LimitExceeded("The requested resource exceeds the maximum number allowed.")
            self._buses[name] = Bus(name, self.bus_arn(name))
            await self._catalogue.put(BUS, name, {})
        return self._buses[name]

    async def delete_bus(self, name: str) -> None:
        """Forget a bus without rules; nothing when there is none. Invalid."""
        if name == DEFAULT_BUS:
            raise Invalid("Cannot delete event bus default.")
        if any(rule.bus == name for rule in self._rules.values()):
            raise Invalid(f"Cannot delete event bus {name} because it has rules.")
        if self._buses.pop(name, None) is not None:
            await self._catalogue.delete(BUS, name)

    # -- rules -------------------------------------------------------------------------------------------------------

    def rule_arn(self, name: str, bus: str) -> str:
        """The ARN of a rule: the default bus has no place in it."""
        return self.place.arn("events", f"rule/{name}" if bus == DEFAULT_BUS else f"rule/{bus}/{name}")

    def rules(self, bus: str) -> list[Rule]:
        """The rules of a bus, by name."""
        return [rule for key, rule in sorted(self._rules.items()) if key[0] == bus]

    def rule(self, name: str, bus: str | None) -> Rule:
        """The rule. NotFound."""
        found = self._rules.get((self.bus(bus).name, name))
        if found is None:
            raise NotFound(f"Rule {name} does not exist on EventBus {self.bus(bus).name}.")
        return found

    async def put_rule(self, name: str, bus: str | None, given: Mapping[str, Any]) -> Rule:
        """Make or change a rule; its targets stay. Invalid, InvalidEventPattern, NotFound."""
        bus_name = self.bus(bus).name
        before = self._rules.get((bus_name, name))
        if before is None and len(self._rules) >= limits.RULES_MAX:
            raise LimitExceeded("The requested resource exceeds the maximum number allowed.")
        same = before is not None and before.given.get("ScheduleExpression") == given.get("ScheduleExpression")
        created_at = before.created_at if before is not None and same else self._clock.now()
        rule = self._made(name, bus_name, given, created_at)
        if before is not None:
            before.appointment.cancel()
            rule.targets = before.targets
        self._arm(rule)
        await self._keep(rule)
        return rule

    def _made(self, name: str, bus: str, given: Mapping[str, Any], created_at: float) -> Rule:
        rule = Rule(name, bus, self.rule_arn(name, bus), dict(given), created_at)
        rule.pattern, rule.schedule = checked_rule(given, bus)
        rule.appointment = Appointment(self._clock, partial(self._run, rule))
        self._rules[bus, name] = rule
        return rule

    async def put_targets(self, rule: Rule, targets: Iterator[Target] | list[Target]) -> None:
        """Add or change targets. LimitExceeded."""
        merged = {**rule.targets, **{target.target_id: target for target in targets}}
        if len(merged) > limits.TARGETS_MAX:
            raise LimitExceeded("The requested resource exceeds the maximum number allowed.")
        rule.targets = merged
        await self._keep(rule)

    async def set_targets(self, rule: Rule, targets: list[Target]) -> None:
        """These and no others: what a template says."""
        rule.targets = {}
        await self.put_targets(rule, targets)

    async def remove_targets(self, rule: Rule, target_ids: list[str]) -> None:
        """Forget targets."""
        rule.targets = {key: target for key, target in rule.targets.items() if key not in target_ids}
        await self._keep(rule)

    async def delete_rule(self, name: str, bus: str | None) -> None:
        """Forget a rule without targets; nothing when there is none. Invalid."""
        rule = self._rules.get((self.bus(bus).name, name))
        if rule is None:
            return
        if rule.targets:
            raise Invalid("Rule can't be deleted since it has targets.")
        rule.appointment.cancel()
        del self._rules[rule.bus, name]
        await self._catalogue.delete(RULE, f"{rule.bus}/{name}")

    async def enable(self, rule: Rule, on: bool) -> None:
        """EnableRule or DisableRule."""
        await self.put_rule(rule.name, rule.bus, {**rule.given, "State": "ENABLED" if on else "DISABLED"})

    async def _keep(self, rule: Rule) -> None:
        document = {
            "name": rule.name,
            "bus": rule.bus,
            "given": rule.given,
            "created_at": rule.created_at,
            "targets": {key: dict(target.given) for key, target in rule.targets.items()},
        }
        await self._catalogue.put(RULE, f"{rule.bus}/{rule.name}", document)

    # -- events ------------------------------------------------------------------------------------------------------

    def publish(self, bus: Bus, event: Mapping[str, Any]) -> None:
        """Give an event to the targets of every rule of the bus that means it."""
        for rule in self.rules(bus.name):
            if rule.enabled and rule.pattern is not None and rule.pattern.matches(event):
                self._send(rule, event)

    def _send(self, rule: Rule, event: Mapping[str, Any]) -> None:
        now = self._clock.now()
        for target in rule.targets.values():
            # Functions, queues and topics let the service in by their own policies; buses by the rule's role.
            role = target.role_arn if target.service == "events" else None
            actor = Actor(SERVICE, rule.arn, role, "events")
            try:
                payload = target.payload(event, rule.arn, now)
            except NotRendered as error:
                _LOGGER.warning("%s gets nothing of an event of rule %s: %s", target.arn, rule.name, error)
                continue
            self._deliver(Errand(target, payload, actor, {"RULE_ARN": rule.arn, "TARGET_ARN": target.arn}))

    # -- schedules ---------------------------------------------------------------------------------------------------

    def _arm(self, rule: Rule) -> None:
        if not self._running or rule.schedule is None or not rule.enabled:
            return
        now = self._clock.now()
        due = rule.schedule.next_after(now, rule.created_at)
        if due is not None:
            rule.appointment.set(due)

    def _run(self, rule: Rule, due: float) -> None:
        self._send(rule, scheduled_event(self._ids.uuid(), due, self.place, rule.arn))
        self._arm(rule)


def checked_rule(given: Mapping[str, Any], bus: str) -> tuple[Pattern | None, ScheduleExpression | None]:
    """The pattern and the schedule of a rule. Invalid, InvalidEventPattern."""
    text, expression = given.get("EventPattern"), given.get("ScheduleExpression")
    if text is None and expression is None:
        raise Invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if expression is not None and bus != DEFAULT_BUS:
        raise Invalid("ScheduleExpression is supported only on the default event bus.")
    try:
        pattern = None if text is None else compile_pattern(text)
    except InvalidPattern as error:
        raise InvalidEventPattern(f"Event pattern is not valid. Reason: {error}") from None
    try:
        return pattern, None if expression is None else parse_schedule(str(expression))
    except ValueError as error:
        raise Invalid(f"Parameter ScheduleExpression is not valid. {error}") from None
