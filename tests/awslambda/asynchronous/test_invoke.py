"""Asynchronous events: durable before 202, tried again with AWS's delays, told to their destinations, found again."""

from __future__ import annotations

import asyncio
import json
from asyncio import Future
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.awslambda.mailbox import Mailbox
from tests.catalogue import MemoryCatalogue
from tests.waiting import until
from trine.aws.actor import Actor
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.awslambda import limits
from trine.awslambda.asynchronous.destination import Destinations
from trine.awslambda.asynchronous.event import AsyncEvent, EventConfig, Outcome
from trine.awslambda.asynchronous.events import config_from_properties
from trine.awslambda.asynchronous.invoke import AsyncInvoker
from trine.awslambda.asynchronous.store import PIECE_BYTES, EventStore, all_done
from trine.awslambda.errors import AccessDenied, InvalidParameterValue, TooManyRequests
from trine.awslambda.function import Function
from trine.awslambda.neighbours import Neighbours
from trine.clock import ManualClock

OK = InvokeResponse(200, b'"fine"', "id")
FAILED = InvokeResponse(200, b'{"errorMessage":"no"}', "id", "Unhandled")


class Scene:
    """A queue whose invocations end as the test says."""

    def __init__(self, config: EventConfig | None = None, catalogue: MemoryCatalogue | None = None) -> None:
        self.clock = ManualClock()
        self.catalogue = catalogue or MemoryCatalogue(at_once=True)
        self.config = config or EventConfig()
        self.runs: list[tuple[float, Future[InvokeResponse]]] = []
        self.told: list[Outcome] = []
        self.queue = AsyncInvoker(
            self.clock,
            EventStore(self.catalogue),
            self._run,
            lambda event: self.config,
            self._tell,
        )

    def _tell(self, event: AsyncEvent, config: EventConfig, outcome: Outcome) -> list[Future[Any]]:
        self.told.append(outcome)
        return []

    def _run(self, event: AsyncEvent) -> Future[InvokeResponse]:
        future: Future[InvokeResponse] = asyncio.get_running_loop().create_future()
        self.runs.append((self.clock.now() - 1_800_000_000.0, future))
        return future

    async def put(self, payload: bytes = b"{}") -> None:
        await self.queue.put(self.queue.event_for(InvokeRequest("f", payload, "Event"), "f", None, "id"))
        await asyncio.sleep(0)

    async def end(self, result: InvokeResponse | Exception) -> None:
        future = self.runs[-1][1]
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def played(scene: Callable[[], Any]) -> Callable[[], None]:
    """Run an async test."""

    def test() -> None:
        asyncio.run(scene())

    return test


@played
async def test_success_is_told_and_forgotten() -> None:
    scene = Scene()
    await scene.put()
    assert scene.catalogue.documents
    await scene.end(OK)
    assert [outcome.condition for outcome in scene.told] == ["Success"]
    assert (scene.catalogue.documents, scene.queue.pending) == ({}, 0)


@played
async def test_two_retries_after_one_and_two_minutes() -> None:
    scene = Scene()
    await scene.put()
    await scene.end(FAILED)
    scene.clock.advance(59)
    assert len(scene.runs) == 1
    scene.clock.advance(1)
    assert len(scene.runs) == 2
    await scene.end(FAILED)
    scene.clock.advance(120)
    assert [at for at, _ in scene.runs] == [0, 60, 180]
    await scene.end(FAILED)
    assert [(outcome.condition, outcome.attempts) for outcome in scene.told] == [("RetriesExhausted", 3)]
    assert scene.catalogue.documents == {}


@played
async def test_no_retries_when_none_are_wanted() -> None:
    scene = Scene(EventConfig(retries=0))
    await scene.put()
    await scene.end(FAILED)
    assert [outcome.attempts for outcome in scene.told] == [1]


@played
async def test_throttles_are_tried_again_until_the_event_is_too_old() -> None:
    scene = Scene(EventConfig(age_seconds=60))
    await scene.put()
    for _ in range(10):
        if scene.told:
            break
        await scene.end(TooManyRequests("ConcurrentInvocationLimitExceeded"))
        scene.clock.advance(limits.ASYNC_BACKOFF_MAX_SECONDS if len(scene.runs) > 5 else 2.0 ** (len(scene.runs) - 1))
    assert [(outcome.condition, outcome.attempts) for outcome in scene.told] == [("EventAgeExceeded", 0)]


@played
async def test_what_was_unfinished_goes_on_after_a_restart() -> None:
    first = Scene()
    payload = b'"' + bytes(PIECE_BYTES * 3) + b'"'
    await first.put(payload)
    await first.end(FAILED)
    first.queue.close()
    second = Scene(catalogue=first.catalogue)
    seen: list[AsyncEvent] = []
    second.queue._run = lambda event: (seen.append(event), second._run(event))[1]  # type: ignore[func-returns-value]
    second.queue.start()
    assert (second.queue.pending, seen) == (1, [])
    second.clock.advance(60)
    assert (seen[0].payload, seen[0].attempts) == (payload, 1)
    await second.end(OK)
    assert second.catalogue.documents == {}


@played
async def test_only_so_many_run_at_once() -> None:
    scene = Scene()
    for _ in range(limits.ASYNC_IN_FLIGHT_MAX + 5):
        await scene.put()
    assert len(scene.runs) == limits.ASYNC_IN_FLIGHT_MAX
    scene.runs[0][1].set_result(OK)
    await asyncio.sleep(0)
    assert len(scene.runs) == limits.ASYNC_IN_FLIGHT_MAX + 1


@given(st.integers(0, 3).map(lambda n: n * PIECE_BYTES), st.integers(-1, 1))
def test_payloads_come_back_whole(size: int, more: int) -> None:
    async def scene() -> None:
        store = EventStore(MemoryCatalogue(at_once=True))
        payload = bytes(max(0, size + more))
        event = AsyncEvent("id", "f", None, payload, None, None, 1.0)
        await store.put(event)
        assert list(store.load()) == [event]
        await store.remove(event)
        assert store._catalogue.documents == {}  # type: ignore[union-attr]

    asyncio.run(scene())


F = Function("f", "arn:aws:lambda:us-east-1:123456789012:function:f", "role", "python3.11", "a.b", Path("/"))
EVENT = AsyncEvent("id", "f", None, b'{"a":1}', None, None, 1.0)
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@played
async def test_records_and_dead_letters_are_awss() -> None:
    invoked: list[tuple[str, bytes]] = []

    def invoke(arn: str, body: bytes) -> Future[None]:
        invoked.append((arn, body))
        return all_done(())

    mailbox = Mailbox()
    destinations = Destinations(ManualClock(), Neighbours(messenger=lambda: mailbox), lambda *_: None, invoke)
    config = EventConfig(on_failure=QUEUE, dead_letter=QUEUE + "-dead", on_success=F.arn + "-next")
    destinations.tell(F, EVENT, config, Outcome("RetriesExhausted", 3, FAILED))
    (message,) = mailbox.messages(QUEUE)
    record = json.loads(message["body"])
    assert record["requestContext"] == {
        "requestId": "id",
        "functionArn": F.arn + ":$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert (record["requestPayload"], record["responsePayload"]) == ({"a": 1}, {"errorMessage": "no"})
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    (letter,) = mailbox.messages(QUEUE + "-dead")
    assert letter["body"] == '{"a":1}'
    assert letter["attributes"] == {"RequestID": "id", "ErrorCode": 200, "ErrorMessage": "no"}
    assert mailbox.sent[0][1] == Actor("lambda.amazonaws.com", F.arn, "role", "f")
    destinations.tell(F, EVENT, config, Outcome("Success", 1, OK))
    assert invoked[0][0] == F.arn + "-next"
    assert json.loads(invoked[0][1])["responsePayload"] == "fine"


def test_what_may_not_be_sent_is_logged_and_its_event_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        mailbox = Mailbox(AccessDenied("no identity-based policy allows it"))
        destinations = Destinations(
            ManualClock(), Neighbours(messenger=lambda: mailbox), lambda *_: None, lambda *_: all_done(())
        )
        sent = destinations.tell(F, EVENT, EventConfig(on_failure=QUEUE), Outcome("RetriesExhausted", 3, FAILED))
        await asyncio.sleep(0)
        assert [future.exception() is not None for future in sent] == [True]

    asyncio.run(scene())
    assert "no identity-based policy allows it" in caplog.text


@played
async def test_an_event_is_kept_until_its_destination_has_it() -> None:
    told: Future[None] = asyncio.get_running_loop().create_future()
    scene = Scene()
    scene.queue._tell = lambda *_: [told]
    await scene.put()
    await scene.end(OK)
    assert len(scene.catalogue.documents) == 1
    told.set_result(None)
    await asyncio.sleep(0)
    assert scene.catalogue.documents == {}


def test_configurations() -> None:
    config = config_from_properties(
        {
            "MaximumRetryAttempts": "1",
            "MaximumEventAgeInSeconds": 60,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        }
    )
    assert (config.retries, config.age_seconds, config.on_failure, config.on_success) == (1, 60, QUEUE, None)
    for wrong in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 59}, {"MaximumRetryAttempts": "x"}):
        with pytest.raises(InvalidParameterValue):
            config_from_properties(wrong)


def test_events_run_and_reach_their_destination(lab: Any) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE}],
    }
    role = lab.access.put_role(
        {"AssumeRolePolicyDocument": lab.trust, "Policies": [{"PolicyName": "p", "PolicyDocument": policy}]}, "sender"
    )
    lab.put("app.fail", "event-fails", Role=role)
    lab.service.events.put_config(
        {
            "FunctionName": "event-fails",
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 0,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        }
    )
    response = lab.invoke("event-fails", {"what": "x"}, invocation_type="Event", source=QUEUE)
    assert (response.status, response.payload) == (202, b"")

    (message, *_) = lab.run(until(lambda: lab.mailbox.messages(QUEUE), "the destination's message"))
    record = json.loads(message["body"])
    assert record["requestContext"]["requestId"] == response.request_id
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert f"START RequestId: {response.request_id}" in lab.log("event-fails")
    runs = [trace for trace in lab.traces.latest("lambda", 10) if trace.request_id == response.request_id]
    assert {trace.payer for trace in runs} == {QUEUE}, "what sent the event pays for its run too, after it was stored"
