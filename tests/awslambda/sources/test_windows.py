"""Tumbling windows: state from invocation to invocation, and an end of their own."""

from __future__ import annotations

from typing import Any

from tests.awslambda.sources.scene import STREAM, Scene, played

MINUTE = {"TumblingWindowInSeconds": 60}


def counts(event: Any) -> Any:
    """A function that counts the records of a window."""
    return {"state": {"count": event["state"].get("count", 0) + len(event["Records"])}}


@played
async def test_state_goes_from_batch_to_batch_and_the_window_ends_by_time() -> None:
    scene = Scene(counts)
    await scene.create(BatchSize=2, **MINUTE)
    await scene.write(*"abc")
    assert [event["state"] for event in scene.events] == [{}, {"count": 2}]
    assert scene.events[0]["window"] == {"start": "2027-01-15T08:00:00Z", "end": "2027-01-15T08:01:00Z"}
    assert (scene.events[0]["shardId"], scene.events[0]["eventSourceARN"]) == ("shardId-1", STREAM)
    await scene.advance(60)
    last = scene.events[-1]
    assert (last["Records"], last["state"], last["isFinalInvokeForWindow"]) == ([], {"count": 3}, True)
    assert last["isWindowTerminatedEarly"] is False
    await scene.write("d")
    assert scene.events[-1]["state"] == {}
    await scene.mappings.close()


@played
async def test_a_record_of_the_next_window_ends_the_one_before() -> None:
    scene = Scene(counts)
    await scene.create(MaximumBatchingWindowInSeconds=120, **MINUTE)
    await scene.write("a")
    await scene.advance(61)
    await scene.write("b")
    seen = [(len(event["Records"]), event["isFinalInvokeForWindow"]) for event in scene.events]
    assert seen == [(1, False), (0, True)]
    await scene.advance(120)
    assert scene.events[-2]["window"]["start"] == "2027-01-15T08:01:00Z"
    assert (scene.events[-2]["state"], scene.events[-1]["state"]) == ({}, {"count": 1})
    await scene.mappings.close()


@played
async def test_an_answer_without_state_is_a_failure() -> None:
    scene = Scene(lambda event: {})
    await scene.create(**MINUTE)
    await scene.write("a")
    await scene.advance(1)
    assert scene.batches() == [["a"], ["a"]]
    await scene.mappings.close()


@played
async def test_the_state_survives_a_restart_however_large() -> None:
    big = {"text": "ä" * 400_000}
    scene = Scene(lambda event: {"state": big})
    source = await scene.create(**MINUTE)
    await scene.write("a")
    await scene.mappings.close()
    scene.open()
    await scene.write("b")
    assert scene.events[-1]["state"] == big
    assert scene.mappings.get(source.uuid).target.last_result == "OK"
    await scene.mappings.close()


@played
async def test_a_state_that_is_too_large_ends_the_window_early() -> None:
    scene = Scene(lambda event: {"state": {"text": "x" * 1_100_000}})
    await scene.create(**MINUTE)
    await scene.write("a")
    last = scene.events[-1]
    assert (last["isWindowTerminatedEarly"], last["isFinalInvokeForWindow"]) == (True, True)
    await scene.write("b")
    assert scene.events[-2]["state"] == {}
    await scene.mappings.close()
