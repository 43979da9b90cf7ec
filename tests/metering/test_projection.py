"""Bills and projections: groups add up, idle costs storage, spikes need capacity, nights need none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.metering.bill import bill
from trine.metering.kinds.meter import GB_BYTES
from trine.metering.ledger import MINUTES_PER_DAY, Ledger, TableLevel, minute_of
from trine.metering.period import MINUTES_PER_MONTH, PeriodFault, minute_at
from trine.metering.prices import load_prices
from trine.metering.profile import ProfileFault, profile_of
from trine.metering.projection import NothingRecorded, month_from_profile, month_from_survey, project
from trine.metering.provisioned import best_fit, simulate
from trine.metering.survey import GROUPINGS, survey
from trine.metering.usage import Dimensions

DAY = minute_of("2026-11-28")
NOW = DAY * 60.0
PRICES = load_prices()


def _traffic(minutes: int = 60) -> Ledger:
    """Two routes, one of them through a provisioned table."""
    ledger = Ledger(None)
    ledger.level(DAY, TableLevel("Users", "", GB_BYTES, 0, 0))
    ledger.level(DAY, TableLevel("Orders", "", 0, 10, 5))
    for minute in range(DAY, DAY + minutes):
        for route, table, caller in (("GET /a", "Users", "ada"), ("GET /b", "Orders", "bob")):
            ledger.count(minute, Dimensions("http", route, "", caller), {"requests": 60, "units": 60, "bytesOut": 6000})
            ledger.count(minute, Dimensions("lambda", route, "", caller, "F"), {"requests": 60, "mbMs": 60 * 128 * 10})
            ledger.count(minute, Dimensions("table", route, "", caller, "F", table), {"requests": 60, "readUnits": 60})
    return ledger


def _bill(ledger: Ledger, by: str = "route", minutes: int = 60, only: Any = ()) -> dict[str, Any]:
    return bill(survey(ledger.view(), DAY, DAY + minutes, by, only), PRICES, by, "us-east-1", NOW)


@pytest.mark.parametrize("by", GROUPINGS)
def test_groups_add_up_to_the_sum(by: str) -> None:
    found = _bill(_traffic(), by)
    parts = sum(group["usd"] for group in found["groups"]) + sum(line["usd"] for line in found["standing"])
    assert found["total"]["usd"] == pytest.approx(parts)
    assert found["total"]["calls"] == 2 * 60 * 60


def test_a_table_of_infrequent_access_is_billed_and_projected_at_its_prices() -> None:
    ledger = Ledger(None)
    ledger.level(DAY, TableLevel("Rare", "", GB_BYTES, 0, 0, infrequent=True))
    ledger.count(DAY, Dimensions("table", table="Rare"), {"requests": 1, "readUnits": 10, "writeUnits": 4})
    ledger.level(DAY + 1, TableLevel("Rare", "", GB_BYTES, 3600, 3600, infrequent=True))
    ledger.count(DAY + 1, Dimensions("table", table="Rare"), {"requests": 1, "readUnits": 36_000})
    found = _bill(ledger, minutes=2)
    (group,) = found["groups"]
    assert group["amounts"] == {"table.ia-read-unit": 10, "table.ia-write-unit": 4, "table.ia-read-capacity-hour": 10}
    standing = {line["meter"]: line["amount"] for line in found["standing"]}
    assert standing == {
        "table.ia-gb-month": pytest.approx(2 / MINUTES_PER_MONTH),
        "table.ia-read-capacity-hour": pytest.approx(60 - 10),
        "table.ia-write-capacity-hour": pytest.approx(60),
    }
    month = project(month_from_survey(survey(ledger.view(), DAY, DAY + 2, "service")), PRICES, "us-east-1", NOW)
    assert month["storedGb"] == 1
    assert month["onDemand"]["usdByMeter"]["table.ia-gb-month"] == pytest.approx(0.1)
    assert {"table.ia-read-unit", "table.ia-write-unit"} <= set(month["onDemand"]["usdByMeter"])
    assert {"table.ia-read-capacity-hour", "table.ia-write-capacity-hour"} <= set(month["provisioned"]["usdByMeter"])


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_metrics_of_ones_own_cost_a_month_however_short_the_record(minutes: int) -> None:
    """CloudWatch charges a metric by the hours that have data: one that has some all the time costs $0.30 a month."""
    ledger = Ledger(None)
    ledger.count(DAY, Dimensions("cloudwatch", "GET /"), {"metricHours": 10})
    ledger.count(DAY, Dimensions("rest", "GET /"), {"requests": 1, "units": 1})
    found = survey(ledger.view(), DAY, DAY + minutes, "route")
    profile = profile_of({"requests_per_second": 1})
    for month in (month_from_survey(found), month_from_profile(profile, found)):
        costs = project(month, PRICES, "us-east-1", NOW)["onDemand"]["usdByMeter"]
        assert costs["cloudwatch.metric-month"] == pytest.approx(10 * 0.30)


def test_a_route_costs_what_it_caused() -> None:
    groups = {group["name"]: group for group in _bill(_traffic())["groups"]}
    calls = 60 * 60
    expected = calls * (1e-6 + 0.2e-6 + 0.01 / 8 * 0.0000166667 + 0.125e-6) + calls * 100 / GB_BYTES * 0.09
    assert groups["GET /a"]["usd"] == pytest.approx(expected)
    assert groups["GET /a"]["usdPerMillion"] == pytest.approx(expected / calls * 1e6)


def test_provisioned_capacity_is_shared_by_use_and_the_rest_stands_there() -> None:
    found = _bill(_traffic())
    groups = {group["name"]: group for group in found["groups"]}
    assert groups["GET /b"]["amounts"]["table.read-capacity-hour"] == pytest.approx(1)
    standing = {(line["what"], line["meter"]): line["amount"] for line in found["standing"]}
    assert standing["Orders", "table.read-capacity-hour"] == pytest.approx(9)
    assert standing["Orders", "table.write-capacity-hour"] == pytest.approx(5)
    assert standing["Users", "table.gb-month"] == pytest.approx(1 / 730)


def test_idle_costs_only_storage() -> None:
    ledger = Ledger(None)
    ledger.level(DAY, TableLevel("Users", "", 4 * GB_BYTES, 0, 0))
    found = _bill(ledger, minutes=MINUTES_PER_MONTH)
    assert found["groups"] == []
    assert found["total"]["usd"] == pytest.approx(4 * 0.25)
    assert [line["meter"] for line in found["standing"]] == ["table.gb-month"]


def test_a_table_that_is_deleted_stops_costing() -> None:
    ledger = Ledger(None)
    ledger.level(DAY, TableLevel("Users", "", GB_BYTES, 0, 0))
    ledger.gone(DAY + 30, set())
    assert _bill(ledger, minutes=60)["total"]["usd"] == pytest.approx(0.25 / 730 / 2)


def test_a_part_of_the_bill() -> None:
    found = _bill(_traffic(), "function", only=(("route", "GET /a"),))
    assert found["total"]["calls"] == 60 * 60
    assert found["standing"] == []
    assert [line["what"] for line in _bill(_traffic(), only=(("table", "Users"),))["standing"]] == ["Users"]


def test_the_month_repeats_what_was_recorded() -> None:
    found = project(month_from_survey(survey(_traffic().view(), DAY, DAY + 60, "service")), PRICES, "us-east-1", NOW)
    assert found["requests"] == pytest.approx(2 * 60 * MINUTES_PER_MONTH)
    assert found["onDemand"]["usdByMeter"]["http.request"] == pytest.approx(2 * 60 * MINUTES_PER_MONTH * 1e-6)
    assert found["onDemand"]["usdByMeter"]["table.gb-month"] == pytest.approx(0.25)
    assert found["alwaysOn"]["usd"] > 90
    assert any("less than a day" in said for said in found["assumptions"])
    # one unit a second of both tables: 2 units at 70 %
    assert {one["highest"] for one in found["provisioned"]["tables"] if one["kind"] == "read"} == {2}


def test_nothing_recorded_says_what_to_do() -> None:
    with pytest.raises(NothingRecorded, match="send some requests"):
        month_from_survey(survey(Ledger(None).view(), DAY, DAY + 60, "service"))
    with pytest.raises(NothingRecorded, match="requests"):
        month_from_profile(
            profile_of({"requests_per_second": 1}), survey(Ledger(None).view(), DAY, DAY + 60, "service")
        )


def test_spikes_cost_provisioned_capacity_more_than_on_demand() -> None:
    spiky = profile_of({
        "requests_per_second": 0,
        "spikes": [{"at": "12:00", "minutes": 3, "requests_per_second": 500}],
        "requests": [{"api": "http", "function_ms": 10, "read_units": 1}],
    })  # fmt: skip
    steady = profile_of({"requests_per_second": 500, "requests": [{"read_units": 1}]})
    nothing = survey(Ledger(None).view(), DAY, DAY + 60, "service")
    for profile, cheaper in ((spiky, "onDemand"), (steady, "provisioned")):
        found = project(month_from_profile(profile, nothing), PRICES, "us-east-1", NOW)
        assert min(("onDemand", "provisioned"), key=lambda way: found[way]["usd"]) == cheaper


def test_nights_and_weekends() -> None:
    profile = profile_of({
        "requests_per_second": 10,
        "nights": {"from": "22:00", "to": "06:00", "requests_per_second": 0},
        "weekends": {"requests_per_second": 2},
    })  # fmt: skip
    day = [profile.requests[minute] for minute in range(MINUTES_PER_DAY)]
    assert (day[0], day[6 * 60 - 1], day[6 * 60], day[22 * 60]) == (0, 0, 600, 0)
    assert profile.requests[5 * MINUTES_PER_DAY + 12 * 60] == 120
    assert len(profile.requests) == MINUTES_PER_MONTH


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "requests_per_second"),
        ({"requests_per_second": -1}, "requests_per_second"),
        ({"requests_per_second": True}, "requests_per_second"),
        ({"requests_per_second": float("nan")}, "requests_per_second"),
        ({"requests_per_second": 1, "night": {}}, "night"),
        ({"requests_per_second": 1, "nights": []}, "nights"),
        ({"requests_per_second": 1, "nights": {"from": "25:00", "to": "1:00"}}, "from"),
        ({"requests_per_second": 1, "spikes": [3]}, "spikes"),
        ({"requests_per_second": 1, "spikes": [{"at": "1:00", "requests_per_second": 2}]}, "minutes"),
        ({"requests_per_second": 1, "requests": [{"api": "soap"}]}, "api"),
        ({"requests_per_second": 1, "requests": [{"share": 0}]}, "shares"),
        ({"requests_per_second": 1, "requests": [{"functions_ms": 9}]}, "a request has functions_ms; there are: api,"),
        ({"requests_per_second": 1, "nights": {"from": "22:00", "to": "6:00", "rate": 1}}, "nights has rate"),
        ({"requests_per_second": 1, "weekends": {"rate": 1}}, "weekends has rate"),
        ({"requests_per_second": 1, "spikes": [{"at": "1:00", "length": 2}]}, "a spike has length"),
        ({"requests_per_second": 1, "storage_gb": "much"}, "storage_gb"),
    ],
)
def test_a_wrong_profile_says_what_is_wrong(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileFault) as fault:
        profile_of(document)
    assert said in str(fault.value)


@given(st.lists(st.floats(min_value=0, max_value=60_000), min_size=1, max_size=300))
def test_the_best_fit_is_no_worse_than_the_lowest_minimum(units: list[float]) -> None:
    best, lowest = best_fit(units), simulate(units, 1)
    assert best.capacity_hours > 0
    assert math.isclose(best.units, sum(units))
    assert best.throttled_units <= lowest.throttled_units or best.fits
    assert not lowest.fits or best.capacity_hours <= lowest.capacity_hours


def test_capacity_follows_late_and_falls_slowly() -> None:
    quiet, busy = [0.0] * 30, [6000.0] * 30
    fit = simulate(quiet + busy + quiet * 4, 1)
    assert fit.throttled_units > 0, "two busy minutes pass before it rises"
    assert fit.highest == math.ceil(100 / 0.7)
    assert fit.capacity_hours < fit.highest * 3


@pytest.mark.parametrize(
    ("text", "minute"),
    [("2026-11-28", DAY), ("today", DAY), ("yesterday", DAY - 1440),
     ("2026-11-28T01:00Z", DAY + 60), ("2026-11-28T01:00+01:00", DAY),
     ("month", minute_of("2026-11-01")), ("1h", DAY + 600 + 1 - 60), ("2 d", DAY + 600 + 1 - 2880), ("now", DAY + 601)],
)  # fmt: skip
def test_times_as_people_write_them(text: str, minute: int) -> None:
    assert minute_at(text, NOW + 36_000) == minute


@pytest.mark.parametrize("text", ["", "tomorrow", "1y", "2026-13-01", "-1h", "99999999h"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(PeriodFault, match="write 2026"):
        minute_at(text, NOW)
