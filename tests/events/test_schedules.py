"""Schedules on a clock that stands still: when they run, what they send, what a restart remembers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.events.delivery import Errand
from trine.events.errors import Invalid, NotFound
from trine.events.rules import Rules
from trine.events.schedules import Schedules
from trine.events.target import target_from
from trine.kv.memory import MemoryStore

F = "arn:aws:lambda:us-east-1:123456789012:function:f"
TARGET = {"Arn": F, "RoleArn": "arn:aws:iam::123456789012:role/r"}
OFF = {"Mode": "OFF"}
START = 1_800_000_000.0
"""2027-01-15T08:00:00Z."""


class Scene:
    """Rules and schedules whose errands are kept."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.store = MemoryStore(self.clock)
        self.errands: list[tuple[float, Errand]] = []
        self.charged: list[tuple[str, float]] = []
        self.open()

    def open(self) -> None:
        catalogue = DocumentCatalogue(self.store)
        self.schedules = Schedules(catalogue, self.clock, SeededIds(1), Place(), self._deliver, self._charge)
        self.rules = Rules(catalogue, self.clock, SeededIds(2), Place(), self._deliver)
        self.schedules.start()
        self.rules.start()

    def close(self) -> None:
        self.schedules.close()
        self.rules.close()

    def _charge(self, service: str, counts: dict[str, float]) -> None:
        self.charged.append((service, counts["units"]))

    def _deliver(self, errand: Errand) -> None:
        self.errands.append((self.clock.now() - START, errand))

    def times(self) -> list[float]:
        return [round(moment) for moment, _ in self.errands]

    def payloads(self) -> list[Any]:
        return [json.loads(errand.payload) for _, errand in self.errands]

    async def put(self, expression: str, name: str = "s", **given: Any) -> None:
        members = {"ScheduleExpression": expression, "FlexibleTimeWindow": OFF, "Target": TARGET, **given}
        await self.schedules.put(name, given.get("GroupName"), members)


def played(scene: Callable[[], Any]) -> Callable[[], None]:
    def test() -> None:
        asyncio.run(scene())

    test.__name__, test.__doc__ = scene.__name__, scene.__doc__
    return test


@played
async def test_rates_begin_at_once_and_crons_follow_their_zone() -> None:
    scene = Scene()
    await scene.put("rate(20 minutes)")
    scene.clock.advance(0)
    await scene.put(
        "cron(0 10 * * ? *)", "paris", ScheduleExpressionTimezone="Europe/Paris", Target={**TARGET, "Input": "1"}
    )
    scene.clock.advance(3_700)
    assert scene.times() == [0, 1_200, 2_400, 3_600, 3_600]
    first = scene.payloads()[0]
    assert (first["source"], first["detail-type"], first["detail"], first["time"]) == (
        "aws.scheduler", "Scheduled Event", "{}", "2027-01-15T08:00:00Z")  # fmt: skip
    assert first["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"]
    assert scene.errands[0][1].actor.role_arn == TARGET["RoleArn"]


@played
async def test_start_and_end_dates_and_states_hold() -> None:
    scene = Scene()
    await scene.put("rate(10 minutes)", StartDate=START + 300, EndDate="2027-01-15T08:20:00Z")
    await scene.put("rate(1 minute)", "off", State="DISABLED")
    scene.clock.advance(7_200)
    assert scene.times() == [300, 900]


@played
async def test_one_time_schedules_run_once_also_when_the_server_was_down() -> None:
    scene = Scene()
    await scene.put("at(2027-01-15T09:00:00)")
    await scene.put("at(2026-01-01T00:00:00)", "past")
    scene.close()
    scene.clock.advance(7_200)
    assert scene.errands == []
    scene.open()
    scene.clock.advance(1)
    assert scene.times() == [7_200]
    await asyncio.sleep(0)
    scene.close()
    scene.open()
    scene.clock.advance(86_400)
    assert scene.times() == [7_200]


@played
async def test_a_rate_that_was_made_before_the_clock_moved_begins_late_but_only_once() -> None:
    scene = Scene()
    scene.close()
    await scene.put("rate(1 hour)")
    scene.clock.advance(5)
    scene.open()
    scene.clock.advance(0)
    assert scene.times() == [5]
    await asyncio.sleep(0)
    scene.close()
    scene.open()
    scene.clock.advance(3_600)
    assert scene.times() == [5, 3_600]
    assert scene.charged == [("scheduler", 1)] * 2, "what a rule's schedule starts is free, a schedule's run is not"


@played
async def test_the_phase_of_a_rule_survives_a_restart() -> None:
    scene = Scene()
    rule = await scene.rules.put_rule("r", None, {"ScheduleExpression": "rate(1 hour)"})
    await scene.rules.put_targets(rule, [target_from({"Id": "t", "Arn": F})])
    scene.clock.advance(5_000)
    scene.close()
    scene.open()
    scene.clock.advance(3_000)
    assert scene.times() == [3_600, 7_200]
    again = await scene.rules.put_rule("r", None, {"ScheduleExpression": "rate(1 hour)"})
    assert again.created_at == START
    assert list(again.targets) == ["t"]


@played
async def test_context_attributes_and_groups() -> None:
    scene = Scene()
    with pytest.raises(NotFound):
        await scene.put("rate(1 hour)", GroupName="team")
    await scene.schedules.put_group("team")
    names = {"arn": "schedule-arn", "at": "scheduled-time"}
    parts = [f'"{name}":"<aws.scheduler.{attribute}>"' for name, attribute in names.items()]
    text = "{" + ",".join([*parts, '"n":<aws.scheduler.attempt-number>']) + "}"
    await scene.put("rate(1 hour)", GroupName="team", Target={**TARGET, "Input": text})
    scene.clock.advance(0)
    assert scene.payloads() == [
        {
            "arn": "arn:aws:scheduler:us-east-1:123456789012:schedule/team/s",
            "at": "2027-01-15T08:00:00Z",
            "n": 1,
        }
    ]
    await scene.schedules.delete_group("team")
    assert list(scene.schedules) == []


@pytest.mark.parametrize(
    "given",
    [
        {"ScheduleExpression": "soon"},
        {"ScheduleExpressionTimezone": "Moon/Base"},
        {"FlexibleTimeWindow": {"Mode": "SOMETIMES"}},
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1_441}},
        {"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}},
        {"State": "ASLEEP"},
        {"StartDate": "yesterday"},
        {"Target": {"Arn": F}},
        {"Target": {**TARGET, "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}},
        {"Target": {**TARGET, "Arn": "f"}},
        {"Target": {**TARGET, "RetryPolicy": {"MaximumRetryAttempts": 186}}},
        {"Target": {**TARGET, "Input": "x" * 9_000}},
    ],
)
def test_bad_schedules_are_refused(given: dict[str, Any]) -> None:
    async def play() -> None:
        scene = Scene()
        with pytest.raises(Invalid):
            await scene.put(**{"expression": "rate(1 hour)", **given})
        assert list(scene.schedules) == []

    asyncio.run(play())
