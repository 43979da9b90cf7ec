"""What is paid for as long as it is there: over any range, over restarts, in bills of a part and in projections."""

from __future__ import annotations

from pathlib import Path

import pytest

from trine.metering.bill import bill
from trine.metering.holding import Holding, held_between, minutes_of
from trine.metering.ledger import Ledger
from trine.metering.prices import METERS, load_prices
from trine.metering.projection import month_from_survey, project
from trine.metering.survey import survey
from trine.metering.usage import Dimensions

PRICES = load_prices()
ALARM, READY = "cloudwatch.alarm-month", "lambda.provisioned-gb-second"
MONTH = 43_800


@pytest.mark.parametrize(
    ("start", "stop", "months"), [(0, MONTH, 1.5), (0, 100, 0.0), (MONTH // 2, MONTH, 1.5), (MONTH, 2 * MONTH, 1.0)]
)
def test_only_the_range_counts(start: int, stop: int, months: float) -> None:
    holdings = [Holding(MONTH // 2, ALARM, "a", 3), Holding(MONTH, ALARM, "a", 1)]
    found = held_between(holdings, start, stop)
    assert found == ({(ALARM, "a"): pytest.approx(months)} if months else {})


def test_every_meter_that_is_held_says_how_long_its_unit_lasts() -> None:
    held = [
        meter
        for meter in METERS
        if meter.startswith("cloudwatch.") or "provisioned" in meter or "gb-month" in meter or "cache" in meter
    ]
    for meter in held:
        if meter != "cloudwatch.request":
            assert minutes_of(meter) > 0


def _ledger(directory: Path | None) -> Ledger:
    ledger = Ledger(directory)
    ledger.hold(100, [(READY, "hello:live", 0.25), (ALARM, "errors", 1)])
    ledger.hold(130, [(READY, "hello:live", 0.25), (ALARM, "errors", 1)])  # nothing new
    ledger.count(140, Dimensions("lambda", function="hello"), {"requests": 10, "readyMbMs": 1000})
    ledger.hold(160, [(ALARM, "errors", 1)])
    return ledger


@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "from files"])
def test_the_bill_has_a_line_for_each(tmp_path: Path, kept: bool) -> None:
    ledger = _ledger(tmp_path if kept else None)
    if kept:
        ledger.flush()
        ledger = Ledger(tmp_path)
    found = survey(ledger.view(), 100, 220, "function")
    document = bill(found, PRICES, "function", "us-east-1", 0.0)
    lines = {line["what"]: line for line in document["standing"]}
    assert lines["hello:live"]["amount"] == pytest.approx(0.25 * 3600)
    assert lines["hello:live"]["usd"] == pytest.approx(0.25 * 3600 * 0.0000041667)
    assert lines["errors"]["amount"] == pytest.approx(120 / MONTH)
    assert document["total"]["standingUsd"] == pytest.approx(sum(line["usd"] for line in lines.values()))
    assert document["total"]["usd"] > document["total"]["usageUsd"]


def test_bills_of_a_part_have_what_belongs_to_it() -> None:
    view = _ledger(None).view()
    of_function = survey(view, 100, 220, "route", [("function", "hello")])
    assert {what for _, what in of_function.held} == {"hello:live"}
    of_service = survey(view, 100, 220, "route", [("service", "cloudwatch")])
    assert {what for _, what in of_service.held} == {"errors"}
    assert not survey(view, 100, 220, "route", [("caller", "somebody")]).held


def test_a_month_ahead_holds_it_all_month() -> None:
    view = _ledger(None).view()
    month = month_from_survey(survey(view, 160, 220, "service"))
    document = project(month, PRICES, "us-east-1", 0.0)
    for way in ("onDemand", "provisioned"):
        assert document[way]["usdByMeter"][ALARM] == pytest.approx(0.10)
