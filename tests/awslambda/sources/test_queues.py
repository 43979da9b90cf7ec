"""Queue mappings over the messaging wing's own queues, on a clock that the tests move."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.awslambda.sources.scene import TOPIC, Scene, played
from tests.messaging.scene import Scene as QueueScene
from trine.awslambda.errors import InvalidParameterValue
from trine.messaging.live_queue import LiveQueue
from trine.messaging.neighbour import FunctionQueues


class Everyone:
    """An `Acting` that lets everyone do everything."""

    def authorize(self, *asked: Any) -> None:
        assert asked


class QueuesAndFunction(Scene):
    """A mapping's scene whose source is a real queue."""

    def __init__(self, answer: Any = lambda event: None) -> None:
        super().__init__(answer)
        self.world = QueueScene()
        self.world.clock = self.clock
        self.world.open()
        self.queues = FunctionQueues(self.world.queues, Everyone())  # type: ignore[arg-type]

    async def map(self, live: LiveQueue, **given: Any) -> Any:
        return await self.create(EventSourceArn=live.queue.arn, StartingPosition=None, **given)

    def bodies(self) -> list[list[str]]:
        return [[record["body"] for record in event["Records"]] for event in self.events]


@played
async def test_messages_come_in_batches_and_are_deleted() -> None:
    scene = QueuesAndFunction()
    live = await scene.world.make()
    await scene.world.send(live, *"abc")
    await scene.map(live, BatchSize=2)
    await scene.settle()
    assert scene.bodies() == [["a", "b"], ["c"]]
    assert scene.world.queues.counts(live) == (0, 0, 0)
    record = scene.events[0]["Records"][0]
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == (
        "aws:sqs", live.queue.arn, "us-east-1")  # fmt: skip
    await scene.mappings.close()


@played
async def test_a_window_gathers_and_a_failure_comes_back_after_the_visibility_timeout() -> None:
    scene = QueuesAndFunction(lambda event: ValueError("no"))
    live = await scene.world.make(VisibilityTimeout="60")
    await scene.map(live, BatchSize=100, MaximumBatchingWindowInSeconds=5)
    await scene.world.send(live, "a")
    await scene.settle()
    await scene.world.send(live, "b")
    await scene.advance(5)
    assert scene.bodies() == [["a", "b"]]
    assert scene.events[0]["Records"][0]["md5OfMessageAttributes"] is None
    await scene.advance(50)
    assert len(scene.events) == 1
    await scene.advance(5)
    await scene.advance(5)
    assert sorted(body for batch in scene.bodies()[1:] for body in batch) == ["a", "b"]
    await scene.mappings.close()


@played
async def test_only_what_failed_stays() -> None:
    scene = QueuesAndFunction()
    live = await scene.world.make()
    scene.answer = lambda event: {
        "batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in event["Records"] if one["body"] == "b"]
    }
    await scene.map(live, FunctionResponseTypes=["ReportBatchItemFailures"])
    await scene.world.send(live, *"abc")
    await scene.settle()
    assert scene.world.queues.counts(live) == (0, 1, 0)
    scene.answer = lambda event: {"batchItemFailures": [{"itemIdentifier": "unknown"}]}
    await scene.advance(30)
    assert scene.bodies()[-1] == ["b"]
    assert scene.world.queues.counts(live) == (0, 1, 0)
    await scene.mappings.close()


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ({"body": {"kind": ["x"]}}, ['{"kind":"x"}']),
        ({"body": ["plain"]}, ["plain"]),
        ({"messageAttributes": {"a": {"stringValue": ["x"]}}}, []),
    ],
)
def test_what_no_filter_wants_is_deleted(pattern: Any, wanted: list[str]) -> None:
    async def play() -> None:
        scene = QueuesAndFunction()
        live = await scene.world.make()
        await scene.map(live, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
        await scene.world.send(live, '{"kind":"x"}', '{"kind":"y"}', "plain", "{")
        await scene.settle()
        assert [body for batch in scene.bodies() for body in batch] == wanted
        assert scene.world.queues.counts(live) == (0, 0, 0)
        await scene.mappings.close()

    played(play)()


@played
async def test_no_more_run_at_once_than_the_mapping_allows_and_pollers_grow_by_time() -> None:
    scene = QueuesAndFunction()
    scene.waiting = []
    live = await scene.world.make(VisibilityTimeout="600")
    await scene.world.send(live, *(str(number) for number in range(40)))
    source = await scene.map(live, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    await scene.settle()
    assert len(scene.events) == 2
    await scene.finish(0)
    assert len(scene.events) == 3
    await scene.mappings.delete(source.uuid)
    scene.events.clear()
    await scene.map(live, BatchSize=1)
    await scene.settle()
    assert len(scene.events) == 5
    await scene.advance(1)
    await scene.settle()
    assert len(scene.events) == 10
    await scene.mappings.close()


@played
async def test_a_batch_of_large_messages_stays_below_six_megabytes() -> None:
    scene = QueuesAndFunction()
    live = await scene.world.make()
    await scene.world.send(live, *(letter * 1_000_000 for letter in "abcdefgh"))
    await scene.map(live)
    await scene.settle()
    assert sum(len(event["Records"]) for event in scene.events) == 8
    assert len(scene.events) == 2
    assert all(len(json.dumps(event)) < 6_291_456 for event in scene.events)
    await scene.mappings.close()


@played
async def test_a_fifo_queue_gives_its_groups_in_order() -> None:
    scene = QueuesAndFunction()
    live = await scene.world.make("q.fifo")
    scene.waiting = []
    await scene.world.send(live, "a1", "a2", "a3", group="a")
    await scene.world.send(live, "b1", group="b")
    await scene.map(live, BatchSize=1)
    await scene.settle()
    assert scene.bodies() == [["a1"], ["b1"]]
    await scene.finish(0)
    assert scene.bodies() == [["a1"], ["b1"], ["a2"]]
    await scene.mappings.close()


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("q", {"BatchSize": 11}, "greater than 0 if maximum batch size is greater than 10"),
        ("q.fifo", {"BatchSize": 11}, "between 1 and 10 for a FIFO queue"),
        ("q.fifo", {"MaximumBatchingWindowInSeconds": 1}, "not supported for FIFO"),
        ("q", {"StartingPosition": "LATEST"}, "StartingPosition is not supported for SQS"),
        (
            "q",
            {"DestinationConfig": {"OnFailure": {"Destination": TOPIC}}},
            "Unsupported Dest",
        ),
        ("q", {"ScalingConfig": {"MaximumConcurrency": 1}}, "greater than or equal to 2"),
    ],
)
def test_bad_members_are_refused(name: str, given: dict[str, Any], sentence: str) -> None:
    async def play() -> None:
        scene = QueuesAndFunction()
        live = await scene.world.make(name)
        with pytest.raises(InvalidParameterValue, match=sentence):
            await scene.create(**{"EventSourceArn": live.queue.arn, "StartingPosition": None, **given})

    played(play)()
