"""The schedules of EventBridge Scheduler: made, kept, and run by the clock with the rights of their roles.

Enters CreateSchedule's members, leaves errands. A one-time schedule that fell due while the server was down runs when
it starts again; runs of recurring schedules that were missed are not made up for.
"""

from __future__ import annotations

import logging
import re
from asyncio import Future
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from trine.aws.actor import Actor
from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.charges import Charge, chunks, uncharged
from trine.aws.ids import Ids
from trine.aws.shapes import number_in, object_in, text_in
from trine.clock import Clock
from trine.events import limits
from trine.events.appointment import Appointment
from trine.events.delivery import Errand
from trine.events.errors import Invalid, LimitExceeded, NotFound
from trine.events.event import instant, scheduler_event
from trine.events.schedule_expression import Once, Rate, ScheduleExpression, parse_schedule
from trine.events.target import Target, target_from

_LOGGER = logging.getLogger("trine.events")
SCHEDULE, GROUP = "scheduler:schedule", "scheduler:group"
DEFAULT_GROUP = "default"
SERVICE = "scheduler.amazonaws.com"
NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")


@dataclass(slots=True)
class Schedule:
    """One schedule. Times in seconds since the epoch."""

    name: str
    group: str
    arn: str
    given: dict[str, Any]
    expression: ScheduleExpression
    target: Target
    created_at: float
    modified_at: float
    last_run_at: float | None = None
    appointment: Appointment = field(init=False)
    """When it runs next."""

    @property
    def enabled(self) -> bool:
        """Whether it runs."""
        return bool(self.given.get("State", "ENABLED") == "ENABLED")


@dataclass(slots=True)
class ScheduleGroup:
    """A group of schedules; `created_at` in seconds since the epoch."""

    created_at: float
    tags: dict[str, str] = field(default_factory=dict)


class Schedules:
    """All schedules."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        place: Place,
        deliver: Callable[[Errand], None],
        charge: Charge = uncharged,
    ) -> None:
        self._catalogue, self._clock, self._ids, self.place = catalogue, clock, ids, place
        self._deliver, self._charge = deliver, charge
        self._running = False
        self.groups: dict[str, ScheduleGroup] = {DEFAULT_GROUP: ScheduleGroup(clock.now())}
        for name, document in catalogue.list(GROUP):
            self.groups[name] = ScheduleGroup(document["created_at"], document.get("tags") or {})
        self._schedules: dict[tuple[str, str], Schedule] = {}
        for _, document in catalogue.list(SCHEDULE):
            made = self._made(document["name"], document["group"], document["given"], document["created_at"])
            made.modified_at, made.last_run_at = document["modified_at"], document["last_run_at"]

    def __iter__(self) -> Iterator[Schedule]:
        return iter([schedule for _, schedule in sorted(self._schedules.items())])

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let schedules run; needs the running event loop."""
        self._running = True
        for schedule in list(self._schedules.values()):
            self._arm(schedule)

    def close(self) -> None:
        """Stop them."""
        self._running = False
        for schedule in self._schedules.values():
            schedule.appointment.cancel()

    # -- the operations ----------------------------------------------------------------------------------------------

    def arn(self, name: str, group: str | None) -> str:
        """The ARN of a schedule of that name."""
        return self.place.arn("scheduler", f"schedule/{group or DEFAULT_GROUP}/{name}")

    def find(self, name: str, group: str | None) -> Schedule:
        """The schedule. NotFound."""
        found = self._schedules.get((group or DEFAULT_GROUP, name))
        if found is None:
            raise NotFound(f"Schedule {name} does not exist.", status=404)
        return found

    def has(self, name: str, group: str | None) -> bool:
        """Whether there is one of that name."""
        return (group or DEFAULT_GROUP, name) in self._schedules

    async def put(self, name: str, group: str | None, given: Mapping[str, Any]) -> Schedule:
        """Make or replace a schedule. Invalid, NotFound, LimitExceeded."""
        key = (group or DEFAULT_GROUP, name)
        self.group(key[0])
        before = self._schedules.get(key)
        if before is None and len(self._schedules) >= limits.SCHEDULES_MAX:
            raise LimitExceeded("The limit of schedules is reached.", code="ServiceQuotaExceededException", status=402)
        now = self._clock.now()
        schedule = self._made(name, key[0], given, now if before is None else before.created_at)
        schedule.modified_at = now
        if before is not None:
            before.appointment.cancel()
            same = before.expression.text == schedule.expression.text
            schedule.last_run_at = before.last_run_at if same else None
            schedule.created_at = before.created_at if same else now
        self._arm(schedule)
        await self._keep(schedule)
        return schedule

    def _made(self, name: str, group: str, given: Mapping[str, Any], created_at: float) -> Schedule:
        expression, target = checked_schedule(name, given)
        schedule = Schedule(name, group, self.arn(name, group), dict(given), expression, target, created_at, created_at)
        schedule.appointment = Appointment(self._clock, partial(self._run, schedule))
        self._schedules[group, name] = schedule
        return schedule

    async def delete(self, name: str, group: str | None) -> None:
        """Forget a schedule. NotFound."""
        schedule = self.find(name, group)
        schedule.appointment.cancel()
        del self._schedules[schedule.group, name]
        await self._catalogue.delete(SCHEDULE, f"{schedule.group}/{name}")

    def group(self, name: str) -> ScheduleGroup:
        """The group of a name. NotFound."""
        found = self.groups.get(name)
        if found is None:
            raise NotFound(f"Schedule group {name} does not exist.", status=404)
        return found

    async def put_group(self, name: str) -> None:
        """Make a group; the one that is there stays."""
        if name not in self.groups:
            self.groups[name] = ScheduleGroup(self._clock.now())
            await self._keep_group(name)

    async def tag_group(self, name: str, tags: Mapping[str, str], gone: Collection[str] = ()) -> None:
        """Set tags of a group and drop those whose keys are `gone`. NotFound."""
        group = self.group(name)
        group.tags = {key: value for key, value in {**group.tags, **tags}.items() if key not in gone}
        await self._keep_group(name)

    def _keep_group(self, name: str) -> Future[None]:
        group = self.groups[name]
        return self._catalogue.put(GROUP, name, {"created_at": group.created_at, "tags": group.tags})

    async def delete_group(self, name: str) -> None:
        """Forget a group and its schedules. NotFound, Invalid."""
        if name == DEFAULT_GROUP:
            raise Invalid("The default schedule group cannot be deleted.")
        if self.groups.pop(name, None) is None:
            raise NotFound(f"Schedule group {name} does not exist.", status=404)
        for schedule in [one for one in self if one.group == name]:
            await self.delete(schedule.name, name)
        await self._catalogue.delete(GROUP, name)

    def _keep(self, schedule: Schedule) -> Future[None]:
        document = {
            "name": schedule.name,
            "group": schedule.group,
            "given": schedule.given,
            "created_at": schedule.created_at,
            "modified_at": schedule.modified_at,
            "last_run_at": schedule.last_run_at,
        }
        return self._catalogue.put(SCHEDULE, f"{schedule.group}/{schedule.name}", document)

    # -- running -----------------------------------------------------------------------------------------------------

    def _arm(self, schedule: Schedule) -> None:
        due = self._due(schedule) if self._running and schedule.enabled else None
        if due is not None:
            schedule.appointment.set(due)

    def _due(self, schedule: Schedule) -> float | None:
        """When it runs next; None when it does not any more."""
        now, given, expression = self._clock.now(), schedule.given, schedule.expression
        if isinstance(expression.kind, Once):
            missed = schedule.last_run_at is None and expression.kind.moment > schedule.created_at
            return expression.kind.moment if missed else None
        begin = given.get("StartDate")
        base = schedule.created_at if begin is None else moment_of(begin)
        after = max(now, base - 1) if begin is not None else now
        if isinstance(expression.kind, Rate) and schedule.last_run_at is None:
            due: float | None = base  # a rate begins with its first run (Scheduler user guide, "Rate-based schedules")
        else:
            due = expression.next_after(after, base)
        end = given.get("EndDate")
        return None if due is None or (end is not None and due > moment_of(end)) else due

    def _run(self, schedule: Schedule, due: float) -> None:
        is_first, schedule.last_run_at = schedule.last_run_at is None, due
        self._send(schedule, due)
        if self._due(schedule) is None and schedule.given.get("ActionAfterCompletion") == "DELETE":
            del self._schedules[schedule.group, schedule.name]
            self._catalogue.delete(SCHEDULE, f"{schedule.group}/{schedule.name}").add_done_callback(_looked_at)
            return
        if is_first:  # what a restart must know: that a one-time schedule, or a rate's beginning, is over
            self._keep(schedule).add_done_callback(_looked_at)
        self._arm(schedule)

    def _send(self, schedule: Schedule, due: float) -> None:
        execution_id = self._ids.uuid()
        target = schedule.target
        if target.input is None:
            payload = orjson.dumps(scheduler_event(execution_id, due, self.place, schedule.arn))
        else:
            payload = _with_context(target.input, schedule.arn, due, execution_id).encode()
        actor = Actor(SERVICE, schedule.arn, target.role_arn, "scheduler")
        facts: dict[str, str | int] = {
            "EXECUTION_ID": execution_id,
            "SCHEDULE_ARN": schedule.arn,
            "SCHEDULED_TIME": instant(due),
            "TARGET_ARN": target.arn,
        }
        self._deliver(Errand(target, payload, actor, facts))
        self._charge("scheduler", {"requests": 1, "units": chunks(len(payload))})


_CONTEXT = re.compile(r"<aws\.scheduler\.(schedule-arn|scheduled-time|execution-id|attempt-number)>")


def _with_context(text: str, arn: str, due: float, execution_id: str) -> str:
    """`Input` with Scheduler's context attributes. The first attempt is number 1."""
    known = {
        "schedule-arn": arn,
        "scheduled-time": instant(due),
        "execution-id": execution_id,
        "attempt-number": "1",
    }
    return _CONTEXT.sub(lambda match: known[match[1]], text)


def checked_schedule(name: str, given: Mapping[str, Any]) -> tuple[ScheduleExpression, Target]:
    """The expression and the target of a schedule. Invalid."""
    if not NAME.fullmatch(name):
        raise Invalid(f"Invalid schedule name: {name[:100]}")
    window = object_in(given, "FlexibleTimeWindow")
    if window.get("Mode") not in ("OFF", "FLEXIBLE"):
        raise Invalid("FlexibleTimeWindow.Mode must be OFF or FLEXIBLE")
    minutes = number_in(window, "MaximumWindowInMinutes")
    in_bounds = 1 <= (1 if minutes is None else minutes) <= limits.WINDOW_MAX_MINUTES
    if (window["Mode"] == "FLEXIBLE") != (minutes is not None) or not in_bounds:
        raise Invalid("MaximumWindowInMinutes belongs to a FLEXIBLE window and is between 1 and 1440")
    for member, choices in (("State", ("ENABLED", "DISABLED")), ("ActionAfterCompletion", ("NONE", "DELETE"))):
        if given.get(member) not in (None, *choices):
            raise Invalid(f"{member} must be one of {', '.join(choices)}")
    try:
        expression = parse_schedule(
            str(given.get("ScheduleExpression")), text_in(given, "ScheduleExpressionTimezone"), scheduler=True
        )
    except ValueError as error:
        raise Invalid(f"Invalid Schedule Expression {given.get('ScheduleExpression')}. {error}") from None
    for member in ("StartDate", "EndDate"):
        if given.get(member) is not None:
            moment_of(given[member])
    target = target_from(object_in(given, "Target"), name)
    if target.role_arn is None:
        raise Invalid("A schedule's target needs a RoleArn")
    return expression, target


def moment_of(value: Any) -> float:
    """Seconds since the epoch of a number or an ISO time. Invalid."""
    if isinstance(value, int | float):
        return float(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Invalid(f"{value} is no time") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _looked_at(done: Future[None]) -> None:
    if not done.cancelled() and done.exception() is not None:
        _LOGGER.error("the state of a schedule could not be stored: %s", done.exception())
