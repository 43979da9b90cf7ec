"""The example of events, from the order to the packed parcel, over its stream, bus, rule and queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pattern.conftest import http
from tests.waiting import wait_until
from trine.testing import running
from trine.testing.running import RunningStack

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders"


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE, stack_name="orders") as running_stack:
        yield running_stack


def status_of(stack: RunningStack, order: str) -> Any:
    return json.loads(http("GET", f"{stack.url}/orders/{order}").body)["status"]


def test_large_orders_are_packed_and_small_ones_stay(stack: RunningStack) -> None:
    for name, total in (("small", 99), ("large", 100.5)):
        assert http("POST", f"{stack.url}/orders", {"id": name, "total": total}).status == 201
    wait_until(lambda: status_of(stack, "large") == "packed", "the functions of stream, rule and queue")
    assert status_of(stack, "small") == "new"
    (report,) = [one["FunctionName"] for one in stack.client("lambda").list_functions()["Functions"]
                 if "Report" in one["FunctionName"]]  # fmt: skip
    counts = json.loads(stack.client("lambda").invoke(FunctionName=report)["Payload"].read())
    assert counts == {"packed": 1, "new": 1}


def test_what_is_no_order_is_refused(stack: RunningStack) -> None:
    assert http("POST", f"{stack.url}/orders", {"id": 7}).status == 400
    assert http("GET", f"{stack.url}/orders/none").status == 404


def test_what_starts_work_by_itself_is_told(stack: RunningStack) -> None:
    sources = {source["source"]: source["targets"] for source in stack.description["sources"]}
    assert any(name.startswith("dynamodb orders-Orders-") for name in sources)
    assert [target[:16] for target in sources["cron(0 3 * * ? *) Europe/Berlin"]] == ["lambda orders-Re"]
    (lost,) = [queue["url"] for queue in stack.description["queues"] if "Lost" in queue["name"]]
    (output,) = [one for one in stack.description["outputs"] if one["name"] == "LostQueueUrl"]
    assert output["localUrl"] == lost
    assert stack.client("sqs").get_queue_attributes(QueueUrl=lost, AttributeNames=["QueueArn"])["Attributes"]
