"""Claim 10: you pay per use, idle is free: each request has a receipt, each range of time a bill."""

from __future__ import annotations

import math

import pytest

from tests.pattern.conftest import EXAMPLE, http
from trine.clock import ManualClock, SystemClock
from trine.metering.prices import load_prices
from trine.testing import RunningStack, running

USD = {name: price.first_usd for name, price in load_prices().meters.items()}


def _profile(stack: RunningStack, name: str = "ada") -> str:
    answer = http("POST", f"{stack.url}/users", {"id": name, "name": name, "email": f"{name}@example.org"})
    assert answer.status == 201
    return answer.headers["x-amzn-requestid"]


def test_each_request_has_a_receipt(profiles: RunningStack) -> None:
    explained = profiles.explain(_profile(profiles))
    assert explained is not None
    receipt = explained["receipt"]
    lines = {line["meter"]: line for line in receipt["lines"]}
    assert lines["rest.request"]["usd"] == USD["rest.request"]
    assert lines["lambda.request"]["amount"] == 1
    (function,) = [child for child in explained["children"] if child["kind"] == "lambda"]
    request_id = function["requestId"]
    name = lines["lambda.arm-gb-second"]["what"]
    log = profiles.stack.wings.functions.machinery.log_store.group(f"/aws/lambda/{name}")
    reports = [event.message for event in log.events(request_id=request_id)]
    (billed_ms,) = [int(line.split("Billed Duration: ")[1].split(" ")[0]) for line in reports if "REPORT" in line]
    assert lines["lambda.arm-gb-second"]["amount"] == pytest.approx(billed_ms / 1000 * 256 / 1024)
    writes = [line for line in receipt["lines"] if line["meter"] == "table.write-unit"]
    assert sorted(line["what"].partition("/")[2] for line in writes) == ["", "by-email"]
    assert receipt["usd"] == pytest.approx(sum(line["usd"] for line in receipt["lines"]))


def test_a_refused_request_costs_no_function_time(profiles: RunningStack) -> None:
    answer = http("GET", f"{profiles.url}/nowhere")
    assert answer.status == 403
    explained = profiles.explain(answer.headers["x-amzn-requestid"])
    assert explained is not None
    assert not [line for line in explained["receipt"]["lines"] if line["meter"].startswith(("lambda", "table"))]


def test_the_bill_tells_who_caused_what() -> None:
    with running(EXAMPLE) as stack:
        for number in range(3):
            _profile(stack, f"user{number}")
        http("GET", f"{stack.url}/users/user1")
        bill = stack.bill("route")
        groups = {group["name"].partition(" ")[2]: group for group in bill["groups"]}
        assert {name: group["calls"] for name, group in groups.items()} == {"POST /users": 3, "GET /users/{id}": 1}
        assert groups["POST /users"]["amounts"]["table.write-unit"] == 6
        assert math.isclose(bill["total"]["usageUsd"], sum(group["usd"] for group in bill["groups"]))
        tables = stack.bill("index")
        assert len([group for group in tables["groups"] if group["name"].endswith("/by-email")]) == 1


def test_idle_costs_only_storage() -> None:
    clock = ManualClock(SystemClock().now())
    with running(EXAMPLE, clock=clock) as stack:
        (table,) = stack.description["tables"]
        item = {"id": {"S": "ada"}, "sk": {"S": "PROFILE"}, "text": {"S": "x" * 100_000}}
        key_names = [key.partition(" ")[0] for key in table["keys"]]
        item.update({name: {"S": "ada"} for name in key_names})
        stack.client("dynamodb").put_item(TableName=table["name"], Item=item)
        stack.advance(3600)
        stack.advance(30 * 86_400)
        bill = stack.bill("route", "29d")
        assert bill["groups"] == []
        assert {line["meter"] for line in bill["standing"]} == {"table.gb-month"}
        assert bill["total"]["usd"] == pytest.approx(100_100 / 1024**3 * 0.25 * 29 * 24 / 730, rel=0.01)


def test_the_answer_can_carry_its_receipt() -> None:
    with running(EXAMPLE, receipt_header=True) as stack:
        answer = http("GET", f"{stack.url}/users/nobody")
        parts = dict(part.split("=") for part in answer.headers["x-trine-receipt"].split(";"))
        assert float(parts["usd"]) > USD["rest.request"]
        assert parts["lambda.request"] == "1"
    with running(EXAMPLE) as stack:
        assert "x-trine-receipt" not in http("GET", f"{stack.url}/users/nobody").headers
