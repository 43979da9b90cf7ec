"""Logs Insights with boto3: over what functions wrote and clients put, its errors, rights and price."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest

from tests.logs.test_endpoint import refused, say, write
from tests.waiting import wait_until
from trine.testing import RunningStack, running

GROUP = "/aws/lambda/talks"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(write(tmp_path_factory.mktemp("insights"))) as made:
        for said in ({"level": "INFO", "ms": 5}, {"level": "ERROR", "ms": 40}, {"level": "ERROR", "ms": 60}):
            say(made, json.dumps(said))
        yield made


@pytest.fixture(scope="module")
def logs(stack: RunningStack) -> Any:
    return stack.client("logs")


def asked(stack: RunningStack, **members: Any) -> dict[str, Any]:
    """The results of a query over the last hour."""
    now = int(stack.stack.wings.clock.now())
    logs = stack.client("logs")
    given = {"startTime": now - 3600, "endTime": now + 60, **members}
    query_id = logs.start_query(**given)["queryId"]
    found: dict[str, Any] = wait_until(
        lambda: (answer := logs.get_query_results(queryId=query_id))["status"] != "Running" and answer
    )
    return found


def shown(found: dict[str, Any]) -> list[dict[str, str]]:
    return [{part["field"]: part["value"] for part in row if part["field"] != "@ptr"} for row in found["results"]]


def test_what_functions_wrote_is_found_by_its_fields(stack: RunningStack) -> None:
    query = "filter level = 'ERROR' | stats count(*) as errors, max(ms) as slowest by level"
    found = asked(stack, logGroupName=GROUP, queryString=query)
    assert (found["status"], shown(found)) == ("Complete", [{"level": "ERROR", "errors": "2", "slowest": "60"}])
    statistics = found["statistics"]
    assert (statistics["recordsMatched"], statistics["logGroupsScanned"]) == (2, 1)
    assert statistics["recordsScanned"] >= 3 * 4
    assert statistics["bytesScanned"] > 0
    reports = asked(stack, logGroupName=GROUP, queryString='filter @type = "REPORT" | fields @duration, @memorySize')
    assert len(reports["results"]) == 3
    assert all(row["@memorySize"] == "1.28E8" for row in shown(reports))


def test_a_row_leads_back_to_its_event(stack: RunningStack, logs: Any) -> None:
    query = "fields @message | filter ms > 50"
    found = asked(
        stack, logGroupIdentifiers=[f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}"], queryString=query
    )
    ((message, pointer),) = found["results"]
    assert (message["field"], pointer["field"]) == ("@message", "@ptr")
    record = logs.get_log_record(logRecordPointer=pointer["value"])["logRecord"]
    assert record["@message"] == message["value"]
    assert (record["level"], record["ms"], record["@log"]) == ("ERROR", "60", f"123456789012:{GROUP}")
    assert refused(logs.get_log_record, logRecordPointer="bm9uZQ==") == "InvalidParameterException"


def test_several_groups_and_the_span_of_time(stack: RunningStack, logs: Any) -> None:
    own = next(one["logGroupName"] for one in logs.describe_log_groups()["logGroups"] if one["logGroupName"] != GROUP)
    now_ms = int(stack.stack.wings.clock.now() * 1000)
    logs.put_log_events(logGroupName=own, logStreamName="first", logEvents=[{"timestamp": now_ms, "message": "put"}])
    query = "filter @message like /put|ERROR/ | stats count(*) as c by @log | sort c"
    assert shown(asked(stack, logGroupNames=[GROUP, own], queryString=query)) == [
        {"@log": f"123456789012:{own}", "c": "1"},
        {"@log": f"123456789012:{GROUP}", "c": "2"},
    ]
    past = {"startTime": now_ms // 1000 - 7200, "endTime": now_ms // 1000 - 3600}
    assert asked(stack, logGroupName=own, queryString="fields @message", **past)["results"] == []
    exact = {"startTime": now_ms // 1000, "endTime": now_ms // 1000}
    assert len(asked(stack, logGroupName=own, queryString="fields @message", **exact)["results"]) == 1
    assert len(asked(stack, logGroupName=GROUP, queryString="fields @message", limit=2)["results"]) == 2


def test_queries_are_listed_and_stopped(stack: RunningStack, logs: Any) -> None:
    for said in ("before", "listed"):
        asked(stack, logGroupName=GROUP, queryString=f"fields @message # {said}")
    newest = logs.describe_queries(logGroupName=GROUP, status="Complete", maxResults=1)
    (query,) = newest["queries"]
    assert (query["queryString"], query["logGroupName"]) == ("fields @message # listed", GROUP)
    assert logs.describe_queries(maxResults=1, nextToken=newest["nextToken"])["queries"][0] != query
    assert logs.stop_query(queryId=query["queryId"])["success"] is False, "it had ended"
    assert refused(logs.stop_query, queryId="none") == "ResourceNotFoundException"
    assert refused(logs.get_query_results, queryId="none") == "ResourceNotFoundException"


def test_what_is_wrong_is_told(stack: RunningStack, logs: Any) -> None:
    span = {"startTime": 0, "endTime": 1}
    with pytest.raises(botocore.exceptions.ClientError) as error:
        logs.start_query(logGroupName=GROUP, queryString="fields @message | bogus", **span)
    assert error.value.response["Error"]["Code"] == "MalformedQueryException"
    assert error.value.response["queryCompileError"]["location"] == {"startCharOffset": 18, "endCharOffset": 23}
    for members, code in (
        ({"logGroupName": "none", "queryString": "fields a"}, "ResourceNotFoundException"),
        ({"queryString": "fields a"}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "logGroupNames": [GROUP], "queryString": "fields a"}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "queryString": "fields a", "queryLanguage": "SQL"}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "queryString": "fields a", "startTime": 2}, "InvalidParameterException"),
    ):
        assert refused(logs.start_query, **{**span, **members}) == code


def test_what_queries_read_is_paid_for(stack: RunningStack) -> None:
    def read_bytes() -> float:
        return float(stack.bill("service")["total"]["amounts"].get("logs.scanned-gb", 0.0)) * 2**30

    before = read_bytes()
    found = asked(stack, logGroupName=GROUP, queryString="stats count(*)")
    assert read_bytes() - before == pytest.approx(found["statistics"]["bytesScanned"])
