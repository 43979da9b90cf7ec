"""The arithmetic of receipts and bills against the examples that AWS publishes on its pricing pages.

Each test names its page, and the public copy it was compared with where AWS's own page draws its figures from a
service. Free tiers, which bills do not take off, are taken off here as the examples do.
"""

from __future__ import annotations

import pytest

from trine.clock import ManualClock
from trine.metering.cost import amounts_of, cost_of
from trine.metering.holding import Holding, held_between
from trine.metering.kinds.meter import GB_BYTES
from trine.metering.ledger import Level, TableLevel
from trine.metering.prices import load_prices, prices_of
from trine.metering.survey import Timeline
from trine.metering.tally import metered_messages, metered_units, streamed
from trine.metering.usage import Dimensions, FunctionUse
from trine.trace import Trace

PRICES = load_prices()
KB = 1024
MILLION = 1e6


def _usd(service: str, **counts: float) -> float:
    return sum(cost_of(amounts_of(Dimensions(service), counts), PRICES).values())


def test_lambda_512_mb_three_million_seconds() -> None:
    """aws.amazon.com/lambda/pricing, "Example 1": 3M requests of 1 s at 512 MB; 1,100,000 GB-s are paid, and $0.40.

    The page of 2018 rounds the price of a GB-s up, so it says $18.34 where this is $18.33.
    """
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
    """The same page: HTTP API calls below the first tier's end cost $1.00 a million (a copy of both examples:
    awsforengineers.com/blog/aws-api-gateway-pricing-explained)."""
    assert _usd("http", units=216e6) == pytest.approx(216)


def test_http_api_calls_of_more_than_512_kb() -> None:
    """The same page: 216M calls of two steps of 512 KB make 432M, "132 million * $0.90/million (over 300 million)"
    (read on 2026-09-20: github.com/api-evangelist/amazon-web-services, plans)."""
    calls = 216e6 * metered_units(0, 768 * KB)
    assert calls == 432e6
    assert _usd("http", units=calls) == pytest.approx(300 * 1.00 + 132 * 0.90)


def test_rest_api_beyond_a_billion_calls_with_a_cache() -> None:
    """The same page and copy: "$3.50/million", "$2.80/million next 667 million; $2.38/million next 19 billion", and a
    cache of 1.6 GB at "$0.038/hr"."""
    assert _usd("rest", units=1_500e6) == pytest.approx(333 * 3.50 + 667 * 2.80 + 500 * 2.38)
    meter = "rest.cache-1.6-gb-hour"
    held = held_between([Holding(0, meter, "api/Prod", 1)], 0, 30 * 24 * 60)
    assert cost_of({meter: held[meter, "api/Prod"]}, PRICES)[meter] == pytest.approx(30 * 24 * 0.038)


def test_websocket_messages_and_minutes() -> None:
    """The same page and copy: $1.00 a million messages, "metered in 32KB increments, so a 33KB message is metered as
    two messages", and $0.25 a million connection minutes."""
    assert metered_messages(33 * KB) == 2
    usd = _usd("websocket", messages=3e6 * metered_messages(33 * KB), connectionMinutes=8e6)
    assert usd == pytest.approx(6 * 1.00 + 8 * 0.25)


def test_streamed_rest_answers_by_10_mb() -> None:
    """The same page and copy: "Streaming enabled REST APIs are metered in 10MB response payload increments"."""
    use = FunctionUse(128, 1.0, 1, 0.0, streamed_bytes=25 * KB * KB)
    root = Trace.begun("apigateway", "id", ManualClock())
    assert amounts_of(Dimensions("lambda"), streamed(use, root))["rest.request"] == 2, "and the call itself: three"
    small = streamed(use._replace(streamed_bytes=10 * KB * KB), root)
    assert "rest.request" not in amounts_of(Dimensions("lambda"), small)


def test_queues_topics_and_events() -> None:
    """aws.amazon.com/sqs, sns and eventbridge/pricing: a million requests $0.40, FIFO $0.50; publications $0.50, FIFO
    $0.30; events and runs of schedules $1.00 (copies: cloudburn.io/blog/amazon-sqs-pricing and -eventbridge-pricing,
    factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols)."""
    assert _usd("sqs", units=MILLION, fifoUnits=MILLION) == pytest.approx(0.40 + 0.50)
    assert _usd("sqs", units=250_000 * MILLION) == pytest.approx(100_000 * 0.40 + 100_000 * 0.30 + 50_000 * 0.24)
    assert _usd("sns", units=MILLION, fifoUnits=MILLION) == pytest.approx(0.50 + 0.30)
    assert _usd("events", units=MILLION) == pytest.approx(1.00)
    assert _usd("scheduler", units=MILLION) == pytest.approx(1.00)


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
        table = Timeline([Level(0, TableLevel("t", "", 0, read_units, write_units))]).standing(0, 60)["t", ""]
        assert sum(cost_of(table.amounts, then).values()) == pytest.approx(usd_per_hour)


def test_tables_on_demand_since_november_2024() -> None:
    """The announcement that halved the price: a million writes $0.625, a million reads $0.125; storage $0.25 a GB."""
    assert _usd("table", writeUnits=MILLION) == pytest.approx(0.625)
    assert _usd("table", readUnits=MILLION) == pytest.approx(0.125)
    month = Timeline([Level(0, TableLevel("t", "", 10 * GB_BYTES, 0, 0))]).standing(0, 43_800)["t", ""]
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
