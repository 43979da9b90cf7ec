"""Prices: what each meter costs, and lists that are wrong, partial or old."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trine.metering.cost import amounts_of, cost_of
from trine.metering.kinds.table_calls import Paid
from trine.metering.prices import PriceFault, load_prices
from trine.metering.tally import metered_units
from trine.metering.usage import Dimensions

PRICES = load_prices()
KB = 1024


def _usd(service: str, **counts: float) -> float:
    return sum(cost_of(amounts_of(Dimensions(service), counts), PRICES).values())


def test_arm_and_storage_have_prices_of_their_own() -> None:
    """aws.amazon.com/lambda/pricing: arm64 a fifth less than x86; storage beyond 512 MB at $0.0000000309 a GB-s."""
    amounts = amounts_of(Dimensions("lambda"), {"armMbMs": 1e6 * 1000 * 1024, "storageMbMs": 1e6 * 1000 * 1536})
    assert amounts == {"lambda.arm-gb-second": 1e6, "lambda.storage-gb-second": 1.5e6}
    usd = cost_of(amounts, PRICES)
    assert usd["lambda.arm-gb-second"] == pytest.approx(13.33, abs=0.005)
    assert usd["lambda.storage-gb-second"] == pytest.approx(0.04635)
    tiers = cost_of({"lambda.arm-gb-second": 20e9}, PRICES)["lambda.arm-gb-second"]
    assert tiers == pytest.approx(7.5e9 * 0.0000133334 + 11.25e9 * 0.0000120001 + 1.25e9 * 0.0000106667)


@pytest.mark.parametrize(
    ("request_kb", "response_kb", "units"), [(0, 0, 1), (512, 1, 1), (513, 0, 2), (1, 1025, 3), (1024, 1024, 2)]
)
def test_http_apis_are_metered_by_512_kb(request_kb: int, response_kb: int, units: int) -> None:
    assert metered_units(request_kb * KB, response_kb * KB) == units


def test_table_units_on_demand_since_november_2024() -> None:
    assert _usd("table", writeUnits=1e6) == pytest.approx(0.625)
    assert _usd("table", readUnits=1e6) == pytest.approx(0.125)
    assert _usd("stream", readUnits=100_000) == pytest.approx(0.02)


def test_provisioned_units_are_seconds_of_capacity() -> None:
    counts = {"readUnits": 3600.0, "writeUnits": 7200.0}
    amounts = amounts_of(Dimensions("table"), counts, Paid(provisioned=True))
    assert amounts == {"table.read-capacity-hour": 1.0, "table.write-capacity-hour": 2.0}
    assert sum(cost_of(amounts, PRICES).values()) == pytest.approx(0.00013 + 2 * 0.00065)


def test_tables_of_infrequent_access_have_prices_of_their_own() -> None:
    """A quarter more to use and 60 % less to store (help.nops.io, "Switch DynamoDB Table to Standard-IA": "60% of the
    storage cost minus 25% of the read and write cost"); its units were halved on 2024-11-01 with all others.
    """
    counts = {"readUnits": 1e6, "writeUnits": 1e6}
    rare = amounts_of(Dimensions("table"), counts, Paid(infrequent=True))
    assert sum(cost_of(rare, PRICES).values()) == pytest.approx(0.155 + 0.78)
    hours = amounts_of(Dimensions("table"), counts, Paid(provisioned=True, infrequent=True))
    assert set(hours) == {"table.ia-read-capacity-hour", "table.ia-write-capacity-hour"}
    for meter, rarer in (("read-unit", 1.25), ("write-capacity-hour", 1.25), ("gb-month", 0.4)):
        usual, other = PRICES.meters[f"table.{meter}"].first_usd, PRICES.meters[f"table.ia-{meter}"].first_usd
        assert other / usual == pytest.approx(rarer, rel=0.01)


def test_an_old_or_foreign_list_says_so() -> None:
    year = 365 * 86_400
    assert PRICES.warnings("us-east-1", 1_760_000_000) == []
    (old,) = PRICES.warnings("us-east-1", 1_760_000_000 + 2 * year)
    assert "2025-08-01" in old
    (foreign,) = PRICES.warnings("eu-west-1", 1_760_000_000)
    assert "eu-west-1" in foreign
    (future,) = PRICES.warnings("us-east-1", 1_700_000_000)
    assert "future" in future


def _file(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "prices.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


GOOD = {"region": "eu-west-1", "date": "2026-01-01", "source": "our contract"}


def test_a_list_of_ones_own_may_be_partial(tmp_path: Path) -> None:
    path = _file(
        tmp_path, {**GOOD, "prices": {"lambda.request": 1e-6, "rest.request": {"tiers": [[10, 1], [None, 0.5]]}}}
    )
    mine = load_prices(path)
    assert mine.meters["lambda.request"].first_usd == 1e-6
    assert mine.meters["rest.request"].cost_usd(12) == 11
    assert mine.meters["table.read-unit"] == PRICES.meters["table.read-unit"]
    assert mine.always_on == PRICES.always_on
    assert mine.source == ("our contract",)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "no JSON"),
        ([], "JSON object"),
        ({"date": "2026-01-01"}, "region"),
        ({**GOOD, "date": "January"}, "2025-08-01"),
        ({**GOOD, "currency": "EUR"}, "USD"),
        ({**GOOD, "prices": {"lambda.requests": 1}}, "lambda.requests; did you mean lambda.request or"),
        ({**GOOD, "prices": {"coffee": 1}}, "docs/metering.md lists"),
        ({**GOOD, "prices": {"lambda.request": -1}}, "lambda.request"),
        ({**GOOD, "prices": {"lambda.request": True}}, "lambda.request"),
        ({**GOOD, "prices": {"lambda.request": {"tiers": [[10, 1]]}}}, "null"),
        ({**GOOD, "prices": {"lambda.request": {"tiers": [[10, 1], [5, 1], [None, 1]]}}}, "tiers"),
        ({**GOOD, "prices": {"lambda.request": {"tiers": 7}}}, "tiers"),
        ({**GOOD, "prices": 3}, "object"),
        ({**GOOD, "always-on": [{"name": "a"}]}, "always-on"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_list_says_what_is_wrong(tmp_path: Path, document: Any, said: str) -> None:
    with pytest.raises(PriceFault, match=r"prices\.json") as fault:
        load_prices(_file(tmp_path, document))
    assert said in str(fault.value)


def test_a_price_for_a_million_is_pointed_out(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    given = {"lambda.request": 0.2, "rest.request": {"tiers": [[10, 3e-6], [None, 2e-6]]}, "topic.request": 0}
    file.write_text(json.dumps({"region": "us-east-1", "date": "2026-01-01", "source": "x", "prices": given}))
    prices = load_prices(file)
    (said,) = prices.warnings("us-east-1", 1_767_225_600)
    assert said == (
        "the price of lambda.request is 1e+06 times that of the list that ships: is it USD for one invocation?"
    ), "a little cheaper and free are believed"
    assert prices.meters["rest.request"].unit == "API call", "a list of one's own need not say units"


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PriceFault, match="cannot be read"):
        load_prices(tmp_path / "none.json")
