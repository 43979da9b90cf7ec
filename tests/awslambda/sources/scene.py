"""A mapping at work on a clock that stands still: a stream in a list, a function in a callable."""

from __future__ import annotations

import asyncio
import json
from asyncio import Future
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.awslambda.mailbox import Mailbox
from tests.catalogue import MemoryCatalogue
from trine.aws.actor import Actor
from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.aws.streams import StreamPage, StreamRecord
from trine.awslambda.errors import ResourceNotFound
from trine.awslambda.function import Function
from trine.awslambda.neighbours import Neighbours
from trine.awslambda.sources.mappings import Mappings, Source
from trine.clock import ManualClock

STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
TOPIC = "arn:aws:sns:us-east-1:123456789012:failed"
F = Function("f", "arn:aws:lambda:us-east-1:123456789012:function:f", "role", "python3.11", "a.b", Path("/"))


class ListStream:
    """A stream whose sequence numbers count from 1."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.records: list[StreamRecord] = []
        self.closed = False
        self.refusal: AwsError | None = None
        self._wakes: list[Callable[[], None]] = []

    def write(self, *keys: str, padding: int = 0) -> None:
        for key in keys:
            number = f"{len(self.records) + 1:04}"
            document = {
                "eventID": number,
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"id": {"S": key}},
                    "SequenceNumber": number,
                    "NewImage": {"id": {"S": key}, "x": {"S": "x" * padding}},
                },
            }
            self.records.append(StreamRecord(json.dumps(document).encode(), number, self.clock.now()))
        for wake in self._wakes:
            wake()

    def shard_of(self, stream_arn: str) -> str | None:
        return "shardId-1" if stream_arn == STREAM else None

    def permit(self, actor: Actor, stream_arn: str) -> None:
        assert actor == Actor("lambda.amazonaws.com", F.arn, "role", "f")
        if self.refusal is not None:
            raise self.refusal

    def newest(self, stream_arn: str) -> str | None:
        return self.records[-1].sequence_number if self.records else None

    def read(self, stream_arn: str, after: str | None, limit: int) -> StreamPage:
        found = [record for record in self.records if after is None or record.sequence_number > after][:limit]
        return StreamPage(found, self.closed and not found)

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._wakes.append(wake)
        return lambda: self._wakes.remove(wake)


class OneFunction:
    """A registry of one function."""

    def find(self, text: str, qualifier: str | None = None) -> tuple[Any, str | None]:
        if text not in ("f", F.arn):
            raise ResourceNotFound(f"Function not found: {text}")
        return SimpleNamespace(function=F), None

    def function(self, text: str, qualifier: str | None = None) -> Function:
        self.find(text)
        return F


class Scene:
    """One service's mappings. `answer` makes a function's answer of an event: a value, or an exception it raises."""

    def __init__(self, answer: Callable[[Any], Any] = lambda event: None, *, catalogue: Any = None) -> None:
        self.clock = ManualClock()
        self.stream = ListStream(self.clock)
        self.catalogue = catalogue or MemoryCatalogue(at_once=True)
        self.mailbox = Mailbox()
        self.answer = answer
        self.events: list[Any] = []
        self.waiting: list[Future[InvokeResponse]] | None = None
        """When a list: invocations stay open until `finish`."""
        self.queues: Any = None
        self.open()

    def open(self) -> None:
        self.mappings = Mappings(
            self.clock,
            SeededIds(1),
            self.catalogue,
            OneFunction(),  # type: ignore[arg-type]
            self._invoke,
            Neighbours(lambda: self.stream, lambda: self.queues, lambda: self.mailbox),
        )
        self.mappings.open()

    def _invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        event = json.loads(request.payload)
        self.events.append(event)
        done: Future[InvokeResponse] = asyncio.get_running_loop().create_future()
        if self.waiting is not None:
            self.waiting.append(done)
            return done
        self._end(done, event)
        return done

    def _end(self, done: Future[InvokeResponse], event: Any) -> None:
        answer = self.answer(event)
        if isinstance(answer, AwsError):
            done.set_exception(answer)
        elif isinstance(answer, Exception):
            done.set_result(InvokeResponse(200, b'{"errorMessage":"no"}', "request", "Unhandled"))
        else:
            done.set_result(InvokeResponse(200, json.dumps(answer).encode(), "request"))

    async def finish(self, index: int) -> None:
        assert self.waiting is not None
        self.waiting[index].set_result(InvokeResponse(200, b"null", "request"))
        await self.settle()

    async def create(self, **given: Any) -> Source:
        members = {"FunctionName": "f", "EventSourceArn": STREAM, "StartingPosition": "TRIM_HORIZON", **given}
        source = await self.mappings.create(members)
        await self.settle()
        return source

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    async def write(self, *keys: str, padding: int = 0) -> None:
        self.stream.write(*keys, padding=padding)
        await self.settle()

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()

    def batches(self) -> list[list[str]]:
        """The keys of each event's records."""
        return [[record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]] for event in self.events]

    def told(self) -> list[dict[str, Any]]:
        """What destinations heard."""
        return [json.loads(message.body) for message, _ in self.mailbox.sent]

    def after(self, source: Source) -> str | None:
        """The position that is durable."""
        document = self.catalogue.get("lambda:checkpoint", f"{source.uuid}/shardId-1")
        assert document is not None
        after: str | None = document["after"]
        return after


def played(scene: Callable[[], Any]) -> Callable[[], None]:
    """Run an async test; whatever it leaves behind ends with its loop."""

    def test() -> None:
        asyncio.run(scene())

    test.__name__, test.__doc__ = scene.__name__, scene.__doc__
    return test
