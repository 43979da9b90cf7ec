"""The arithmetic of receipts and bills against the examples that AWS publishes on its pricing pages.

Each test names its page. Free tiers, which bills do not take off, are taken off here as the examples do.
"""

from __future__ import annotations

import pytest

from trine.metering.cost import GB_BYTES, amounts_of, cost_of
from trine.metering.holding import Holding, held_between
from trine.metering.ledger import Level
from trine.metering.prices import load_prices, prices_of
from trine.metering.survey import Timeline
from trine.metering.usage import Dimensions

PRICES = load_prices()
KB = 1024
MILLION = 1e6


def _usd(service: str, **counts: float) -> float:
    return sum(cost_of(amounts_of(Dimensions(service), counts), PRICES).values())


def test_lambda_512_mb_three_million_seconds() -> None:
    """aws.amazon.com/lambda/pricing: 3M requests of 1 s at 512 MB; $18.33 and $0.40 after the free tier."""
    amounts = amounts_of(Dimensions("lambda"), {"requests": 3e6, "mbMs": 3e6 * 1000 * 512})
    assert amounts["lambda.gb-second"] == 1_500_000
    after_free_tier = {"lambda.request": 2e6, "lambda.gb-second": 1_500_000 - 400_000}
    assert sum(cost_of(after_free_tier, PRICES).values()) == pytest.approx(18.33 + 0.40, abs=0.01)


def test_lambda_128_mb_thirty_million_times_200_ms() -> None:
    """The same page: 750,000 GB-s, of which 350,000 are paid: $5.83; 29M requests: $5.80."""
    amounts = amounts_of(Dimensions("lambda"), {"requests": 30e6, "mbMs": 30e6 * 200 * 128})
    assert amounts["lambda.gb-second"] == 750_000
    assert cost_of({"lambda.gb-second": 350_000}, PRICES)["lambda.gb-second"] == pytest.approx(5.83, abs=0.005)
    assert cost_of({"lambda.request": 29e6}, PRICES)["lambda.request"] == pytest.approx(5.80)


def test_lambda_a_mobile_backend() -> None:
    """The same page: 3M requests of 120 ms at 1,536 MB: 540,000 GB-s, 140,000 of them paid: $2.33, and $0.40."""
    amounts = amounts_of(Dimensions("lambda"), {"requests": 3e6, "mbMs": 3e6 * 120 * 1536})
    assert amounts["lambda.gb-second"] == 540_000
    after_free_tier = {"lambda.request": 2e6, "lambda.gb-second": 140_000}
    assert sum(cost_of(after_free_tier, PRICES).values()) == pytest.approx(2.73, abs=0.005)


def test_lambda_provisioned_concurrency_for_two_hours() -> None:
    """The same page, "Provisioned Concurrency", example 1: 1,000 × 1,024 MB for two hours, 1.2M requests of 1 s.

    $30.00 for the concurrency, $0.24 for the requests, $11.67 for the time: $41.91.
    """
    meter = "lambda.provisioned-gb-second"
    held = held_between([Holding(0, meter, "f", 1000), Holding(120, meter, "f", 0)], 0, 44_640)
    assert held == {(meter, "f"): 7_200_000}
    assert cost_of({meter: 7_200_000}, PRICES)[meter] == pytest.approx(30.00, abs=0.005)
    used = _usd("lambda", requests=1.2 * MILLION, readyMbMs=1.2 * MILLION * 1000 * 1024)
    assert used == pytest.approx(0.24 + 11.67, abs=0.005)


def test_rest_api_five_million_calls_of_3_kb() -> None:
    """aws.amazon.com/api-gateway/pricing: 5M calls returning 3 KB: $17.50 and 14.3 GB for $1.29 make $18.79."""
    assert _usd("rest", units=5e6, bytesOut=5e6 * 3 * KB) == pytest.approx(18.79, abs=0.005)


def test_http_api_216_million_calls() -> None:
    """The same page: HTTP API calls below the first tier's end cost $1.00 a million."""
    assert _usd("http", units=216e6) == pytest.approx(216)


def test_rest_api_tiers_apply_in_turn() -> None:
    """The same page's table: the first 333M at $3.50, then $2.80."""
    assert _usd("rest", units=400e6) == pytest.approx(333 * 3.5 + 67 * 2.8)


def test_tables_by_the_hour_of_capacity() -> None:
    """DynamoDB's FAQ, "What are some pricing examples?", at the prices of its time: $0.01 an hour for every 10 units of
    write and every 50 of read capacity; 10 and 200 units make $0.01 + (4 × $0.01) = $0.05 an hour, 10,000 and 50,000
    make (1,000 × $0.01) + (1,000 × $0.01) = $20 an hour.
    """
    then = prices_of(
        {
            "region": "us-east-1",
            "date": "2012-01-18",
            "source": "aws.amazon.com/dynamodb/faqs",
            "prices": {"table.write-capacity-hour": 0.01 / 10, "table.read-capacity-hour": 0.01 / 50},
        }
    )
    for read_units, write_units, usd_per_hour in ((200, 10, 0.05), (50_000, 10_000, 20.0)):
        table = Timeline([Level(0, "t", "", 0, read_units, write_units)]).standing(0, 60)["t", ""]
        assert sum(cost_of(table.amounts, then).values()) == pytest.approx(usd_per_hour)


def test_tables_on_demand_since_november_2024() -> None:
    """The announcement that halved the price: a million writes $0.625, a million reads $0.125; storage $0.25 a GB."""
    assert _usd("table", writeUnits=MILLION) == pytest.approx(0.625)
    assert _usd("table", readUnits=MILLION) == pytest.approx(0.125)
    month = Timeline([Level(0, "t", "", 10 * GB_BYTES, 0, 0)]).standing(0, 43_800)["t", ""]
    assert cost_of(month.amounts, PRICES) == {"table.gb-month": pytest.approx(2.50)}


def test_cloudwatch_custom_metrics_and_alarms_by_the_month() -> None:
    """aws.amazon.com/cloudwatch/pricing: $0.30 a metric for the first 10,000, then $0.10; an alarm $0.10 a metric."""
    assert _usd("cloudwatch", metricHours=730 * 10) == pytest.approx(3.00)
    assert _usd("cloudwatch", metricHours=730 * 10_100) == pytest.approx(10_000 * 0.30 + 100 * 0.10)
    assert _usd("cloudwatch", units=100_000) == pytest.approx(1.00)
    alarms = held_between([Holding(0, "cloudwatch.alarm-month", "a", 3)], 0, 43_800)
    assert alarms == {("cloudwatch.alarm-month", "a"): pytest.approx(3)}


def test_functions_logs_have_tiers() -> None:
    """The same page, "Vended logs": 10 TB at $0.50, 20 TB at $0.25, 20 TB at $0.10, then $0.05."""
    gigabytes = 60 * 1024
    usd = _usd("lambda", logBytes=gigabytes * GB_BYTES)
    assert usd == pytest.approx(1024 * (10 * 0.50 + 20 * 0.25 + 20 * 0.10 + 10 * 0.05))


def test_streamed_answers_by_the_gb() -> None:
    """aws.amazon.com/lambda/pricing: $0.008 for each GB streamed beyond the first 6 MB of an answer."""
    assert _usd("lambda", streamedBytes=100 * GB_BYTES) == pytest.approx(0.80)
