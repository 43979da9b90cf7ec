"""Stream mappings by AWS's documented behaviour, on a clock that the tests move."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.awslambda.sources.scene import STREAM, TOPIC, F, Scene, played
from trine.awslambda.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound, TooManyRequests
from trine.iam.errors import AccessDenied

FAIL = ValueError("no")
ON_FAILURE = {"DestinationConfig": {"OnFailure": {"Destination": TOPIC}}}


def fails_with(*bad: str) -> Any:
    """A function that fails when a batch holds one of these keys."""
    return lambda event: FAIL if any(r["dynamodb"]["Keys"]["id"]["S"] in bad for r in event["Records"]) else None


@played
async def test_records_come_in_batches_and_are_done_once() -> None:
    scene = Scene()
    source = await scene.create(BatchSize=2)
    await scene.write("a", "b", "c")
    assert scene.batches() == [["a", "b"], ["c"]]
    assert scene.events[0]["Records"][0]["eventSourceARN"] == STREAM
    assert scene.after(source) == "0003"
    assert source.target.last_result == "OK"
    await scene.mappings.close()


@played
async def test_latest_begins_behind_what_is_there_and_trim_horizon_at_the_oldest() -> None:
    scene = Scene()
    scene.stream.write("old")
    await scene.create(StartingPosition="LATEST")
    await scene.write("new")
    assert scene.batches() == [["new"]]
    await scene.mappings.close()


@played
async def test_a_window_waits_for_more_until_it_is_over_or_the_batch_is_full() -> None:
    scene = Scene()
    await scene.create(BatchSize=3, MaximumBatchingWindowInSeconds=10)
    await scene.write("a")
    await scene.advance(9)
    assert scene.events == []
    await scene.write("b")
    await scene.advance(1)
    assert scene.batches() == [["a", "b"]]
    await scene.write("c", "d", "e")
    assert scene.batches()[1:] == [["c", "d", "e"]]
    await scene.mappings.close()


@played
async def test_a_batch_stays_below_six_megabytes() -> None:
    scene = Scene()
    await scene.create()
    await scene.write(*"abcd", padding=2_000_000)
    assert scene.batches() == [["a", "b"], ["c", "d"]] or scene.batches() == [["a", "b", "c"], ["d"]]
    assert all(len(json.dumps(event, separators=(",", ":"))) <= 6_291_456 for event in scene.events)
    await scene.mappings.close()


@played
async def test_a_failed_batch_holds_the_shard_until_it_succeeds() -> None:
    scene = Scene(fails_with("a"))
    source = await scene.create(BatchSize=2)
    await scene.write("a", "b")
    await scene.write("c")
    await scene.advance(1)
    await scene.advance(2)
    assert scene.batches() == [["a", "b"]] * 3
    assert (scene.after(source), source.target.last_result) == (None, "PROBLEM: Function call failed")
    scene.answer = lambda event: None
    await scene.advance(4)
    assert scene.batches()[3:] == [["a", "b"], ["c"]]
    assert scene.after(source) == "0003"
    await scene.mappings.close()


@played
async def test_retries_exhausted_are_told_as_aws_tells_them() -> None:
    scene = Scene(fails_with("a"))
    await scene.create(MaximumRetryAttempts=1, **ON_FAILURE)
    await scene.write("a", "b")
    await scene.advance(1)
    (document,) = scene.told()
    assert scene.batches() == [["a", "b"]] * 2
    assert document["requestContext"] == {
        "requestId": "request",
        "functionArn": F.arn,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 2,
    }
    assert document["responseContext"] == {
        "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}  # fmt: skip
    assert document["DDBStreamBatchInfo"] == {
        "shardId": "shardId-1",
        "startSequenceNumber": "0001",
        "endSequenceNumber": "0002",
        "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00Z",
        "approximateArrivalOfLastRecord": "2027-01-15T08:00:00Z",
        "batchSize": 2,
        "streamArn": STREAM,
    }
    await scene.write("c")
    assert scene.batches()[2:] == [["c"]]
    await scene.mappings.close()


@played
async def test_bisecting_finds_the_poison_without_spending_retries() -> None:
    scene = Scene(fails_with("c"))
    await scene.create(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0, **ON_FAILURE)
    await scene.write(*"abcd")
    for _ in range(5):
        await scene.advance(60)
    assert scene.batches() == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert [one["DDBStreamBatchInfo"]["startSequenceNumber"] for one in scene.told()] == ["0003"]
    await scene.mappings.close()


@played
async def test_records_that_are_too_old_are_given_up() -> None:
    scene = Scene(fails_with("a"))
    await scene.create(MaximumRecordAgeInSeconds=60, **ON_FAILURE)
    await scene.write("a", "b")
    for _ in range(7):
        await scene.advance(20)
    assert [one["requestContext"]["condition"] for one in scene.told()] == ["RecordAgeExceeded"]
    await scene.mappings.close()


@played
async def test_throttles_spend_no_retries() -> None:
    scene = Scene(lambda event: TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded"))
    await scene.create(MaximumRetryAttempts=0, **ON_FAILURE)
    await scene.write("a")
    for _ in range(4):
        await scene.advance(60)
    assert (len(scene.events), scene.told()) == (5, [])
    scene.answer = lambda event: None
    await scene.advance(60)
    assert (len(scene.events), scene.told()) == (6, [])
    await scene.mappings.close()


REPORT = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


@played
async def test_a_partial_failure_resumes_at_the_lowest_record_that_failed() -> None:
    answers = [{"batchItemFailures": [{"itemIdentifier": "0003"}, {"itemIdentifier": "0002"}]}, None]
    scene = Scene(lambda event: answers.pop(0))
    source = await scene.create(**REPORT)
    await scene.write(*"abc")
    assert scene.after(source) == "0001"
    await scene.advance(1)
    assert scene.batches() == [["a", "b", "c"], ["b", "c"]]
    assert scene.after(source) == "0003"
    await scene.mappings.close()


@pytest.mark.parametrize("answer", [[], None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"x": 1}])
def test_what_counts_as_a_success(answer: Any) -> None:
    async def play() -> None:
        scene = Scene(lambda event: answer)
        await scene.create(**REPORT)
        await scene.write("a")
        await scene.advance(60)
        assert len(scene.events) == 1
        await scene.mappings.close()

    played(play)()


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": 123}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"foo": 123}]},
        {"batchItemFailures": [{"itemIdentifier": "9999"}]},
        {"batchItemFailures": ["0001"]},
        {"batchItemFailures": {}},
        "text",
        7,
    ],
)
def test_what_counts_as_a_complete_failure(answer: Any) -> None:
    async def play() -> None:
        scene = Scene(lambda event: answer)
        await scene.create(MaximumRetryAttempts=1, **REPORT, **ON_FAILURE)
        await scene.write("a", "b")
        await scene.advance(60)
        assert scene.batches() == [["a", "b"]] * 2
        assert scene.told()[0]["requestContext"]["condition"] == "RetryAttemptsExhausted"
        await scene.mappings.close()

    played(play)()


@played
async def test_filters_drop_what_no_pattern_wants_and_go_on() -> None:
    scene = Scene()
    pattern = json.dumps({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "x"}]}}}})
    source = await scene.create(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    await scene.write("a", "x1", "b", "x2", "c")
    assert scene.batches() == [["x1", "x2"]]
    assert scene.after(source) == "0005"
    await scene.mappings.close()


@played
async def test_lanes_run_side_by_side_and_keep_the_order_of_a_key() -> None:
    scene = Scene()
    scene.waiting = []
    source = await scene.create(BatchSize=1, ParallelizationFactor=4)
    await scene.write(*"abcdabcd")
    open_at_once = [keys[0] for keys in scene.batches()]
    assert len(open_at_once) > 1
    assert len(set(open_at_once)) == len(open_at_once)
    await scene.finish(1)  # whatever is done out of order moves no checkpoint past what is not
    assert scene.after(source) is None
    index = 0
    while index < len(scene.waiting):
        if not scene.waiting[index].done():
            await scene.finish(index)
        index += 1
    numbers: dict[str, list[str]] = {}
    for event in scene.events:
        record = event["Records"][0]["dynamodb"]
        numbers.setdefault(record["Keys"]["id"]["S"], []).append(record["SequenceNumber"])
    assert all(order == sorted(order) for order in numbers.values())
    assert scene.after(source) == "0008"
    await scene.mappings.close()


@played
async def test_after_a_restart_it_goes_on_behind_what_was_done() -> None:
    first = Scene()
    source = await first.create()
    await first.write("a")
    first.waiting = []
    await first.write("b")  # under way when the server dies
    second = Scene(catalogue=first.catalogue)
    await second.mappings.close()
    second.stream = first.stream
    second.open()
    await second.write("c")
    assert second.batches() == [["b", "c"]]
    assert second.mappings.get(source.uuid).state == "Enabled"
    await first.mappings.close()
    await second.mappings.close()


@played
async def test_a_role_that_loses_its_rights_stops_the_reading_and_says_so() -> None:
    scene = Scene()
    source = await scene.create()
    scene.stream.refusal = AccessDenied("dynamodb", "no identity-based policy allows the dynamodb:GetRecords action")
    await scene.write("a")
    assert scene.events == []
    assert "GetRecords" in source.target.last_result
    scene.stream.refusal = None
    await scene.advance(60)
    assert scene.batches() == [["a"]]
    with pytest.raises(ResourceConflict, match=r"already exists\. Please update or delete the existing mapping"):
        await scene.create()
    await scene.mappings.close()


@played
async def test_disabled_mappings_wait_and_go_on_where_they_stopped() -> None:
    scene = Scene()
    source = await scene.create(Enabled=False)
    assert source.state == "Disabled"
    await scene.write("a")
    assert scene.events == []
    await scene.mappings.update(source.uuid, {"Enabled": True})
    assert source.state == "Enabling"
    await scene.settle()
    assert (scene.batches(), source.state) == ([["a"]], "Enabled")
    await scene.mappings.update(source.uuid, {"Enabled": False, "BatchSize": 1})
    await scene.write("b")
    assert scene.batches() == [["a"]]
    await scene.mappings.delete(source.uuid)
    assert scene.catalogue.documents == {}
    with pytest.raises(ResourceNotFound):
        await scene.mappings.update(source.uuid, {"Enabled": True})
    await scene.mappings.close()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"BatchSize": 10_001}, "less than or equal to 10000"),
        ({"BatchSize": 0}, "greater than or equal to 1"),
        ({"BatchSize": "many"}, "must be a number"),
        ({"StartingPosition": "AT_TIMESTAMP"}, "Unsupported starting position for arn type"),
        ({"StartingPosition": None}, "Member must not be null"),
        ({"MaximumRecordAgeInSeconds": 59}, "-1 or between 60"),
        ({"ParallelizationFactor": 11}, "less than or equal to 10"),
        ({"TumblingWindowInSeconds": 901}, "less than or equal to 900"),
        ({"TumblingWindowInSeconds": 9, "ParallelizationFactor": 2}, "ParallelizationFactor must be 1"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
        ({"FunctionResponseTypes": ["Report"]}, "enum value set"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}, "Unrecognized event source"),
        ({"EventSourceArn": "stream"}, "Unrecognized event source"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "x"}}}, "is invalid"),
        ({"ScalingConfig": {"MaximumConcurrency": 5}}, "only supported for SQS"),
        ({"Enabled": "perhaps"}, "true or false"),
    ],
)
def test_bad_members_are_refused(given: dict[str, Any], sentence: str) -> None:
    async def play() -> None:
        scene = Scene()
        with pytest.raises(InvalidParameterValue, match=sentence):
            await scene.create(**given)
        assert list(scene.mappings) == []

    played(play)()


@played
async def test_what_is_not_there_or_may_not_be_read_is_refused() -> None:
    scene = Scene()
    with pytest.raises(InvalidParameterValue, match="Stream not found"):
        await scene.create(EventSourceArn=STREAM.replace("table/t", "table/other"))
    with pytest.raises(ResourceNotFound, match="Function not found"):
        await scene.create(FunctionName="g")
    scene.stream.refusal = AccessDenied("dynamodb", "no")
    with pytest.raises(InvalidParameterValue, match=r"ensure the role can perform the GetRecords"):
        await scene.create()
    assert list(scene.mappings) == []
