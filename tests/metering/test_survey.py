"""What a range of the ledger says of calls: by who pays, by what was asked, and altogether."""

from __future__ import annotations

import pytest

from trine.metering.ledger import Ledger, minute_of
from trine.metering.survey import GROUPINGS, survey
from trine.metering.usage import Dimensions

DAY = minute_of("2026-11-28")
ROUTE = "api/Prod GET /"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/1"


@pytest.fixture
def ledger() -> Ledger:
    """Ten requests at a route, each a run and a table call; three runs that a stream started, two calls each; 400 calls
    of the owner's own."""
    found = Ledger(None)
    for row, requests in (
        (Dimensions("rest", ROUTE), 10), (Dimensions("lambda", ROUTE, function="F"), 10),
        (Dimensions("table", ROUTE, function="F", table="T"), 10),
        (Dimensions("lambda", "", "", STREAM, "S"), 3), (Dimensions("table", "", "", STREAM, "S", "T"), 6),
        (Dimensions("table", "", "", "owner", "", "T"), 400),
    ):  # fmt: skip
        found.count(DAY, row, {"requests": requests})
    return found


@pytest.mark.parametrize(
    ("by", "calls"),
    [
        ("route", {ROUTE: 10, "": 403}),
        ("caller", {"": 10, STREAM: 3, "owner": 400}),
        ("function", {"F": 10, "S": 3, "": 10}),
        ("table", {"": 10, "T": 416}),
        ("service", {"rest": 10, "lambda": 13, "table": 416}),
    ],
)
def test_calls_of_a_group(ledger: Ledger, by: str, calls: dict[str, int]) -> None:
    found = survey(ledger.view(), DAY, DAY + 1, by)
    assert {name: group.calls for name, group in found.groups.items()} == calls


def test_together_everything_that_came_from_outside_counts_once(ledger: Ledger) -> None:
    assert {survey(ledger.view(), DAY, DAY + 1, by).total.calls for by in GROUPINGS} == {413}


def test_what_a_function_was_asked_counts_whoever_asked(ledger: Ledger) -> None:
    found = survey(ledger.view(), DAY, DAY + 1, "route", [("function", "S")])
    assert (found.total.calls, found.groups[""].calls) == (3, 3)


def test_a_load_profiles_request_is_one_at_the_front_door(ledger: Ledger) -> None:
    assert survey(ledger.view(), DAY, DAY + 1, "route").asked == 10
