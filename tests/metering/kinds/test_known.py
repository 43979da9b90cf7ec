"""Whatever is counted has a name that is known, and whatever is charged for has a price."""

from __future__ import annotations

import pytest

from trine.metering.kinds.known import meters_of
from trine.metering.kinds.table_calls import ON_DEMAND, Paid
from trine.metering.prices import METERS
from trine.metering.usage import COUNTED, Dimensions

SERVICES = ("rest", "http", "websocket", "lambda", "table", "stream", "cloudwatch", "logs", "sqs", "sns", "events",
            "scheduler")  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("paid", [ON_DEMAND, Paid(provisioned=True), Paid(infrequent=True), Paid(True, True)])
def test_a_row_turns_meters_that_have_a_price(service: str, paid: Paid) -> None:
    meters = meters_of(Dimensions(service), paid)
    assert meters
    assert {meter.name for meter in meters} <= set(METERS)
    assert {meter.counted for meter in meters} <= set(COUNTED)


def test_a_service_that_costs_nothing_turns_nothing() -> None:
    assert meters_of(Dimensions("iam"), ON_DEMAND) == ()
