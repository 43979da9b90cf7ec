"""Queues: visibility, delay, retention, dead letters, FIFO order and deduplication, and what a restart keeps."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messaging.scene import Scene, played
from tests.waiting import PATIENCE_SECONDS
from trine.messaging.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameter,
    MessageNotInflight,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
    ReceiptHandleIsInvalid,
)
from trine.messaging.queue import Entry, Queue
from trine.messaging.queue_attributes import settings_of


@played
async def test_a_message_is_hidden_until_its_timeout_and_gone_once_deleted() -> None:
    scene = Scene()
    live = await scene.make()
    await scene.send(live, "a", "b")
    first = scene.receive(live, 1)[0]
    assert (first.message.body, scene.bodies(live), scene.bodies(live)) == ("a", ["b"], [])
    scene.clock.advance(29)
    assert scene.bodies(live) == []
    scene.clock.advance(1)
    again = scene.receive(live)
    assert [(one.message.body, one.receive_count) for one in again] == [("a", 2), ("b", 2)]
    await scene.queues.delete_message(live, first.receipt_handle)  # an old handle still deletes, as on AWS
    scene.clock.advance(30)
    assert scene.bodies(live) == ["b"]


@played
async def test_delays_and_changed_visibility() -> None:
    scene = Scene()
    live = await scene.make(DelaySeconds="5")
    await scene.send(live, "default")
    await scene.send(live, "own", delay_seconds=1)
    assert (scene.bodies(live), scene.queues.counts(live)) == ([], (0, 0, 2))
    scene.clock.advance(1)
    (own,) = scene.receive(live)
    scene.queues.change_visibility(live, own.receipt_handle, 0)
    assert scene.bodies(live, timeout=100) == ["own"]
    scene.clock.advance(40)
    assert scene.bodies(live) == ["default"]
    with pytest.raises(ReceiptHandleIsInvalid):
        scene.queues.change_visibility(live, "nonsense", 1)
    scene.clock.advance(100)
    scene.queues.change_visibility(live, own.receipt_handle, 1)  # it is visible again: hidden anew
    assert (scene.bodies(live), scene.queues.counts(live)) == (["default"], (0, 2, 0))
    await scene.queues.delete_message(live, own.receipt_handle)
    with pytest.raises(InvalidParameter, match="does not exist or is not available"):
        scene.queues.change_visibility(live, own.receipt_handle, 1)
    ordered = await scene.make("q.fifo")
    await scene.send(ordered, "a", group="g")
    (first,) = scene.receive(ordered, timeout=1)
    scene.clock.advance(1)
    with pytest.raises(MessageNotInflight):
        scene.queues.change_visibility(ordered, first.receipt_handle, 1)


@played
async def test_a_timeout_of_zero_shows_many_and_hides_none() -> None:
    scene = Scene()
    live = await scene.make()
    await scene.send(live, "a", "b", "c")
    assert (scene.bodies(live, timeout=0), scene.bodies(live, 2, timeout=0)) == (["a", "b", "c"], ["a", "b"])
    assert scene.queues.counts(live) == (3, 0, 0)


@played
async def test_a_group_that_was_given_from_waits_behind_the_others() -> None:
    scene = Scene()
    live = await scene.make("q.fifo")
    for body in ("a1", "b1", "b2", "c1", "a2"):
        await scene.send(live, body, group=body[0])
    assert scene.bodies(live, 3, timeout=0) == ["a1", "a2", "b1"]
    assert scene.bodies(live) == ["c1", "a1", "a2", "b1", "b2"]


@played
async def test_a_name_is_free_again_after_a_minute_and_a_purge_may_be_repeated_then() -> None:
    scene = Scene()
    live = await scene.make("q.fifo")
    await scene.send(live, "x", group="g", key="k")
    await scene.queues.purge("q.fifo")
    await scene.send(live, "y", group="g", key="k")
    assert scene.bodies(live) == ["y"]
    with pytest.raises(PurgeQueueInProgress, match=r"on q\.fifo is allowed every 60 seconds"):
        await scene.queues.purge("q.fifo")
    await scene.queues.delete("q.fifo")
    with pytest.raises(QueueDeletedRecently):
        await scene.make("q.fifo")
    scene.clock.advance(60)
    again = await scene.make("q.fifo")
    await scene.queues.purge("q.fifo")
    scene.clock.advance(60)
    await scene.queues.purge("q.fifo")
    assert scene.queues.counts(again) == (0, 0, 0)


@played
async def test_long_polling_wakes_for_what_comes_and_for_what_comes_back() -> None:
    scene = Scene()
    live = await scene.make()
    waiting = asyncio.ensure_future(live.bell.wait(20))
    await asyncio.sleep(0)
    await scene.send(live, "a")
    await asyncio.wait_for(waiting, PATIENCE_SECONDS)
    scene.receive(live, timeout=3)
    waiting = asyncio.ensure_future(live.bell.wait(20))
    await asyncio.sleep(0)
    scene.clock.advance(2)
    await asyncio.sleep(0)
    assert not waiting.done()
    scene.clock.advance(1)
    await asyncio.wait_for(waiting, PATIENCE_SECONDS)
    assert scene.bodies(live) == ["a"]


@played
async def test_what_was_received_too_often_is_a_dead_letter() -> None:
    scene = Scene()
    dead = await scene.make("dead")
    redrive = f'{{"deadLetterTargetArn":"{dead.queue.arn}","maxReceiveCount":2}}'
    live = await scene.make(RedrivePolicy=redrive, VisibilityTimeout="1")
    await scene.send(live, "poison")
    for _ in range(2):
        assert scene.bodies(live) == ["poison"]
        scene.clock.advance(1)
    await scene.send(live, "good")
    good = scene.receive(live)
    assert [one.message.body for one in good] == ["good"]
    await scene.queues.delete_message(live, good[0].receipt_handle)
    await asyncio.sleep(0)
    (letter,) = scene.receive(dead)
    assert (letter.message.body, letter.message.dead_letter_source) == ("poison", live.queue.arn)
    assert letter.receive_count == 3  # it counts on
    scene.open()
    assert scene.queues.counts(scene.queues.find("q")) == (0, 0, 0)


@played
async def test_messages_are_kept_as_long_as_the_queue_says() -> None:
    scene = Scene()
    live = await scene.make(MessageRetentionPeriod="60")
    await scene.send(live, "old")
    scene.clock.advance(61)
    await scene.send(live, "new")
    assert scene.bodies(live) == ["new"]


@played
async def test_a_group_keeps_its_order_and_waits_for_what_is_in_flight() -> None:
    scene = Scene()
    live = await scene.make("q.fifo")
    await scene.send(live, "a1", "a2", group="a")
    await scene.send(live, "b1", group="b")
    (first,) = scene.receive(live, 1)
    assert first.message.body == "a1"
    assert scene.bodies(live) == ["b1"]
    await scene.queues.delete_message(live, first.receipt_handle)
    (second,) = scene.receive(live)
    assert second.message.body == "a2"
    scene.clock.advance(30)
    with pytest.raises(InvalidParameter, match="expired"):
        await scene.queues.delete_message(live, second.receipt_handle)
    assert scene.bodies(live) == ["b1", "a2"]


@played
async def test_a_duplicate_within_five_minutes_is_its_original() -> None:
    scene = Scene()
    live = await scene.make("q.fifo")
    (one,) = await scene.send(live, "x", group="g", key="k")
    (two,) = await scene.send(live, "y", group="h", key="k")
    assert one == two
    scene.clock.advance(300)
    (three,) = await scene.send(live, "z", group="g", key="k")
    assert three.message_id != one.message_id
    assert scene.queues.counts(live)[0] == 2
    by_group = await scene.make("g.fifo", DeduplicationScope="messageGroup")
    await scene.send(by_group, "x", group="g", key="k")
    await scene.send(by_group, "x", group="h", key="k")
    assert scene.queues.counts(by_group)[0] == 2


@played
async def test_a_restart_keeps_messages_counts_and_tags() -> None:
    scene = Scene()
    live = await scene.queues.create("q", {}, {"team": "x"})
    await scene.send(live, "a", "b")
    received = scene.receive(live, 1)[0]
    await asyncio.sleep(0)
    scene.open()
    again = scene.queues.find("q")
    assert again.tags == {"team": "x"}
    first, second = scene.receive(again)
    assert [(first.message.body, first.receive_count), (second.message.body, second.receive_count)] == [
        ("a", 2), ("b", 1)]  # fmt: skip
    await scene.queues.delete_message(again, received.receipt_handle)
    await scene.queues.delete("q")
    scene.open()
    with pytest.raises(QueueDoesNotExist):
        scene.queues.find("q")
    scene.clock.advance(60)
    new = await scene.make()
    assert scene.queues.counts(new) == (0, 0, 0)
    await scene.send(new, "c")
    await scene.queues.purge("q")
    assert scene.bodies(new) == []


@pytest.mark.parametrize(
    ("name", "attributes", "error"),
    [
        ("a b", {}, InvalidParameter),
        ("x" * 81, {}, InvalidParameter),
        ("q.fifo", {"FifoQueue": "false"}, InvalidParameter),
        ("q", {"Colour": "red"}, InvalidAttributeName),
        ("q", {"ContentBasedDeduplication": "true"}, InvalidAttributeName),
        ("q", {"FifoQueue": "false"}, InvalidAttributeName),
        ("q", {"DeduplicationScope": "queue"}, InvalidAttributeName),
        ("q", {"DelaySeconds": "901"}, InvalidAttributeValue),
        ("q", {"VisibilityTimeout": "long"}, InvalidAttributeValue),
        ("q", {"Policy": "{"}, InvalidAttributeValue),
        ("q", {"Policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}'}, InvalidAttributeValue),
        ("q", {"RedrivePolicy": '{"maxReceiveCount":0,"deadLetterTargetArn":"x"}'}, InvalidAttributeValue),
    ],
)
def test_bad_queues_are_refused(name: str, attributes: dict[str, str], error: type[Exception]) -> None:
    async def play() -> None:
        scene = Scene()
        with pytest.raises(error):
            await scene.queues.create(name, attributes, {})
        assert list(scene.queues) == []

    asyncio.run(play())


@played
async def test_the_same_queue_again_is_no_error_but_another_one_is() -> None:
    scene = Scene()
    live = await scene.make(DelaySeconds="5")
    assert await scene.make(DelaySeconds="5") is live
    assert await scene.make() is live
    with pytest.raises(QueueNameExists, match="different value for attribute DelaySeconds"):
        await scene.make(DelaySeconds="6")


STEPS = st.lists(st.sampled_from(["send", "receive", "delete", "wait", "return"]), max_size=40)


@settings(max_examples=60)
@given(steps=STEPS, fifo=st.booleans())
def test_no_message_is_lost_or_seen_twice_at_once(steps: list[str], fifo: bool) -> None:
    """A model of one queue: what was sent and not deleted is visible or in flight, and never both."""
    attributes = {"FifoQueue": "true"} if fifo else {}
    queue = Queue("q", "arn", 1, settings_of(attributes, "arn"))
    now, alive, flying = 1_000.0, set[int](), dict[int, float]()
    for step in steps:
        flying = {sequence: until for sequence, until in flying.items() if until > now}
        if step == "send":
            sequence = queue.next_sequence(now)
            queue.add(Entry(sequence, str(sequence), now, now, f"g{sequence % 2}"), now)
            alive.add(sequence)
        elif step == "receive":
            for entry in queue.visible(now):
                assert entry.sequence not in flying
                if fifo:
                    older = [one for one in alive if one % 2 == entry.sequence % 2 and one < entry.sequence]
                    assert not older
                queue.receive(entry, now, now + 30)
                flying[entry.sequence] = now + 30
                break
        elif step == "delete" and flying:
            sequence = next(iter(flying))
            found = queue.get(sequence)
            assert found is not None
            queue.remove(found)
            alive.discard(sequence)
            del flying[sequence]
        elif step == "return" and flying:
            sequence = next(iter(flying))
            found = queue.get(sequence)
            assert found is not None
            queue.hide(found, now)
            queue.release(now)
            del flying[sequence]
        else:
            now += 10
            flying = {sequence: until for sequence, until in flying.items() if until > now}
        visible, in_flight, delayed = queue.counts(now)
        assert (visible + in_flight, in_flight, delayed) == (len(alive), len(flying), 0)
