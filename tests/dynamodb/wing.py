"""A table wing over memory on a clock that stands still: operations called as the endpoint does, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.dispatch import TABLE_TARGET, operation_of
from trine.dynamodb.endpoint import DynamoDB
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.kv.store import Store
from trine.trace import TraceBook

INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
TABLE = {
    "TableName": "Notes",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "p", "AttributeType": "S"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "GlobalSecondaryIndexes": [INDEX],
}


class Wing:
    """A table wing on a clock that stands still."""

    def __init__(
        self,
        buckets: Path | None = None,
        *,
        throttling: bool = False,
        clock: ManualClock | None = None,
        store: Store | None = None,
        **settings: Any,
    ) -> None:
        self.clock, ids = clock or ManualClock(), SeededIds(1)
        self.store: Store = store or MemoryStore(self.clock)
        access = Access(self.clock, ids)
        self.table = DynamoDB(
            self.store,
            self.clock,
            ids,
            access,
            Place(),
            TraceBook(self.clock),
            throttling=throttling,
            buckets_directory=buckets,
            **settings,
        )
        self.table.start()

    async def call(self, name: str, **document: Any) -> dict[str, Any]:
        operation = operation_of(f"{TABLE_TARGET}{name}".encode())
        request = operation.decode(orjson.dumps(document))
        list(operation.permissions(self.table.rooms, request))
        answer = operation.execute(self.table.rooms, request, operation.prepare(request))
        body = answer if isinstance(answer, bytes) else await answer
        found: dict[str, Any] = orjson.loads(body) if body else {}
        return found

    async def active(self, name: str) -> None:
        """Let the loop turn until the table is there."""
        for _ in range(10_000):
            if (await self.call("DescribeTable", TableName=name))["Table"]["TableStatus"] == "ACTIVE":
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{name} was never active")

    async def restored(self, name: str, moment: float | None, **members: Any) -> dict[str, dict[str, Any]]:
        """The items of a table restored to `moment` (None: the latest), by their key."""
        when = {"UseLatestRestorableTime": True} if moment is None else {"RestoreDateTime": moment}
        await self.call("RestoreTableToPointInTime", SourceTableName="Notes", TargetTableName=name, **when, **members)
        await self.active(name)
        found = await self.call("Scan", TableName=name)
        return {item["p"]["S"]: item for item in found["Items"]}

    async def recover(self, enabled: bool = True, **members: Any) -> dict[str, Any]:
        specification = {"PointInTimeRecoveryEnabled": enabled, **members}
        answer = await self.call(
            "UpdateContinuousBackups", TableName="Notes", PointInTimeRecoverySpecification=specification
        )
        found: dict[str, Any] = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return found

    async def put(self, key: str, **attributes: str) -> None:
        item = {"p": {"S": key}, **{name: {"S": text} for name, text in attributes.items()}}
        await self.call("PutItem", TableName="Notes", Item=item)


def on_a_wing(scenario: Callable[[Wing], Any], buckets: Path | None = None) -> None:
    """Run `scenario` on a wing that has the table `Notes`."""

    async def run() -> None:
        wing = Wing(buckets)
        await wing.call("CreateTable", **TABLE)
        try:
            await scenario(wing)
        finally:
            await wing.table.close()

    asyncio.run(run())


async def refused(work: Any) -> str:
    """The code of the error that `work` raises."""
    with pytest.raises(AwsError) as caught:
        await work
    return caught.value.code
