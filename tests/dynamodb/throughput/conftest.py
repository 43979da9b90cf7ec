"""The whole wing behind its signature check, on a clock that the test moves: `desk().call("GetItem", ...)`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.dispatch import TABLE_TARGET, operation_of
from trine.dynamodb.endpoint import DynamoDB
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import Trace, TraceBook


class Desk:
    """Runs operations one after the other on a loop of its own."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.loop = asyncio.new_event_loop()
        self.book = TraceBook(self.clock)
        ids = SeededIds(3)
        self.wing = DynamoDB(
            MemoryStore(self.clock), self.clock, ids, Access(self.clock, ids), Place(), self.book, **settings
        )
        self.trace: Trace | None = None
        self._run(self._start)

    def call(self, operation: str, parent: Trace | None = None, **document: Any) -> Any:
        """The answer's document; AwsError when it is refused. `trace` is that of the call."""
        return self._run(lambda: self._call(operation, parent, document))

    def advance(self, seconds: float) -> None:
        """Move the clock, and let what follows from it happen."""

        async def run() -> None:
            self.clock.advance(seconds)
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(run())

    def notes(self, room: str) -> list[Any]:
        """What a room noted on the trace of the last call."""
        assert self.trace is not None
        return [step.detail for step in self.trace.steps if step.room == room]

    def create(self, name: str, *keys: str, indexes: dict[str, tuple[str, ...]] | None = None, **more: Any) -> None:
        """A table whose keys are strings; `indexes` are global, by name."""
        roles = ("HASH", "RANGE")
        units = more.get("ProvisionedThroughput")

        def schema(names: tuple[str, ...]) -> list[dict[str, str]]:
            return [{"AttributeName": key, "KeyType": role} for key, role in zip(names, roles, strict=False)]

        wishes: dict[str, Any] = {"BillingMode": "PROVISIONED" if units else "PAY_PER_REQUEST", **more}
        if indexes:
            wishes["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": schema(names),
                    "Projection": {"ProjectionType": "ALL"},
                    **({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}} if units else {}),
                }
                for index, names in indexes.items()
            ]
        used = sorted({*keys, *(key for names in (indexes or {}).values() for key in names)})
        defined = [{"AttributeName": key, "AttributeType": "S"} for key in used]
        self.call("CreateTable", TableName=name, KeySchema=schema(keys), AttributeDefinitions=defined, **wishes)

    def close(self) -> None:
        self._run(self.wing.close)
        self.loop.close()

    async def _start(self) -> None:
        self.wing.start()

    async def _call(self, name: str, parent: Trace | None, document: dict[str, Any]) -> Any:
        operation = operation_of(f"{TABLE_TARGET}{name}".encode())
        request = operation.decode(orjson.dumps(document))
        rooms = self.wing.rooms
        rooms.trace = self.trace = self.book.open("dynamodb", name, parent)
        try:
            outcome = operation.execute(rooms, request, operation.prepare(request))
        finally:
            rooms.trace = None
        return orjson.loads(outcome if isinstance(outcome, bytes) else await outcome)

    def _run(self, work: Callable[[], Any]) -> Any:
        return self.loop.run_until_complete(work())


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    """Makes wings: `desk(throttling=False)`."""
    made: list[Desk] = []

    def make(**settings: Any) -> Desk:
        made.append(Desk(**settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
