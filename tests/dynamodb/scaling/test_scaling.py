"""Auto scaling as a pure controller: two minutes out, fifteen in, cooldowns, bounds, decreases a day."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.scaling.controller import Controller, Decreases
from trine.dynamodb.scaling.policy import target_tracking
from trine.dynamodb.scaling.target import scalable_target, target_id

TARGET: dict[str, Any] = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Orders",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    "MinCapacity": 5,
    "MaxCapacity": "100",
}
TRACKING: dict[str, Any] = {
    "TargetValue": 70,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
}
POLICY: dict[str, Any] = {
    "PolicyName": "Writes",
    "PolicyType": "TargetTrackingScaling",
    "ScalingTargetId": target_id(TARGET),
    "TargetTrackingScalingPolicyConfiguration": TRACKING,
}


class Simulation:
    """Minutes of a rate of units, and the capacity that follows."""

    def __init__(self, capacity: int, target: dict[str, Any] | None = None, **tracking: Any) -> None:
        policy = {**POLICY, "TargetTrackingScalingPolicyConfiguration": {**TRACKING, **tracking}}
        self.controller = Controller(scalable_target({**TARGET, **(target or {})}), target_tracking(policy))
        self.capacity, self.now = capacity, 1_800_000_000.0
        self.consumed: list[float] = []
        self.decreases = Decreases()

    def run(self, units_per_second: float, minutes: int) -> list[int]:
        capacities = []
        for _ in range(minutes):
            self.now += 60
            self.consumed = [*self.consumed, units_per_second * 60][-16:]
            wanted = self.controller.minute(self.consumed, self.capacity, self.decreases, self.now)
            if wanted is not None:
                if wanted < self.capacity:
                    self.decreases.happened(self.now)
                self.capacity = wanted
            capacities.append(self.capacity)
        return capacities


def test_out_after_two_minutes_above_the_target() -> None:
    assert Simulation(10).run(14, 3) == [10, 20, 20]


def test_one_busy_minute_changes_nothing() -> None:
    simulation = Simulation(10)
    simulation.run(14, 1)
    assert simulation.run(6, 3) == [10, 10, 10]


def test_at_the_target_it_stays() -> None:
    assert set(Simulation(10).run(7, 40)) == {10}


def test_in_after_fifteen_minutes_twenty_points_below() -> None:
    capacities = Simulation(100).run(30, 16)
    assert capacities[:14] == [100] * 14
    assert capacities[14:] == [43, 43]
    assert set(Simulation(100).run(51, 40)) == {100}


def test_an_idle_table_is_no_data_and_is_not_scaled_in() -> None:
    assert set(Simulation(100).run(0, 60)) == {100}


def test_bounds_hold() -> None:
    assert Simulation(10).run(10_000, 2)[-1] == 100
    assert Simulation(10).run(0.1, 40)[-1] == 5


def test_cooldowns() -> None:
    simulation = Simulation(10, ScaleOutCooldown=300)
    assert simulation.run(14, 2)[-1] == 20
    assert simulation.run(40, 4) == [20, 20, 20, 20]
    assert simulation.run(40, 1) == [58]


def test_scaling_in_can_be_switched_off_and_either_way_be_suspended() -> None:
    assert set(Simulation(100, DisableScaleIn="true").run(1, 40)) == {100}
    assert set(Simulation(100, {"SuspendedState": {"DynamicScalingInSuspended": True}}).run(1, 40)) == {100}
    assert set(Simulation(10, {"SuspendedState": {"DynamicScalingOutSuspended": True}}).run(50, 9)) == {10}


def test_four_decreases_a_day_then_one_an_hour() -> None:
    decreases = Decreases()
    start = 1_800_000_000.0 // 86_400 * 86_400
    made = []
    for minute in range(24 * 60):
        now = start + minute * 60
        if decreases.allowed(now):
            decreases.happened(now)
            made.append(minute)
    assert made[:5] == [0, 1, 2, 3, 63]
    assert len(made) == 27
    assert decreases.allowed(start + 86_400)


@pytest.mark.parametrize(
    "change",
    [
        {"ServiceNamespace": "lambda"},
        {"ResourceId": "table/Orders/index/ByDay"},
        {"ResourceId": "Orders"},
        {"ScalableDimension": "dynamodb:table:Units"},
        {"MinCapacity": 0},
        {"MinCapacity": 101},
        {"MaxCapacity": "many"},
        {"MaxCapacity": None},
    ],
)
def test_targets_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationException):
        scalable_target({**TARGET, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"PolicyType": "StepScaling"},
        {"ScalingTargetId": "somewhere"},
        {"TargetTrackingScalingPolicyConfiguration": None},
        {"TargetTrackingScalingPolicyConfiguration": {**TRACKING, "TargetValue": 95}},
        {"TargetTrackingScalingPolicyConfiguration": {**TRACKING, "TargetValue": "nan"}},
        {"TargetTrackingScalingPolicyConfiguration": {**TRACKING, "ScaleInCooldown": -1}},
        {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70}},
    ],
)
def test_policies_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationException):
        target_tracking({**POLICY, **change})
