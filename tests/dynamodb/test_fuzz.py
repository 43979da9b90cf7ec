"""Every operation under documents that are almost right: no 500, no hang, and indexes that agree with their items.

Documents are drawn from botocore's own shapes, with values that meet each other often (few names, few keys), and
spoiled now and then; bodies lose a byte now and then. Each seed is one repeatable run; all rooms behind the socket
take part, over the memory store.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.waiting import PATIENCE_SECONDS
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.dispatch import BUILT
from trine.dynamodb.endpoint import DynamoDB
from trine.dynamodb.members import ServiceModel, dynamodb_model, streams_model
from trine.dynamodb.model.item import decode_stored, stored_size
from trine.dynamodb.storage.collections import size_of
from trine.dynamodb.storage.indexes import index_entry
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import TraceBook

REQUESTS = 2500
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/Users"
TEXTS = ["", "a", "p", "s", "g", "v", ":v", "#n", "Users", "by-g", "by-l", "x" * 300, "\0", "é", "-1e125", "true", ARN]
NUMBERS = ["0", "1", "2", "-5", "1.50", "1e10", "9" * 38, "9" * 39, "x", "", "1e126", "NaN"]
EXPRESSIONS = [
    "p = :v", "p = :v AND s > :w", "attribute_exists(v)", "SET v = :v", "SET v = v + :v, g = if_not_exists(g, :v)",
    "REMOVE v.a[1]", "ADD v :v", "DELETE v :v", "#n = :v", "begins_with(v, :v)", "v IN (:v)", "NOT (v = :v)",
    "size(v) > :v", "((((((", "v[0].a, p", "SET #n.#n[3] = list_append(v, :v)", "p", "", "SELECT * FROM Users",
    "SELECT * FROM Users WHERE p = 'a' AND s = 1", "INSERT INTO Users VALUE {'p': 'q', 's': ?}",
    "UPDATE Users SET v = 1 WHERE p = 'a' AND s = 1", "DELETE FROM Users WHERE p = 'a' AND s = 1",
    "SELECT * FROM \"Users\".\"by-g\" WHERE g = 'x'",
]  # fmt: skip
DEFINITION = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind}
        for name, kind in (("p", "S"), ("s", "N"), ("g", "S"), ("l", "S"))
    ],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-l",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


class Drawer:
    """Draws documents; `tokens` are what earlier answers gave to go on with."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tokens: list[str] = []
        self.spoiled = 0.0

    def junk(self, depth: int = 0) -> Any:
        choose = self.random
        kind = choose.randrange(8)
        if kind < 3:
            return choose.choice([None, True, 0, -1, 2**40, 1.5])
        if kind < 5 or depth > 3:
            return choose.choice(TEXTS)
        if kind < 7:
            return [self.junk(depth + 1) for _ in range(choose.randrange(3))]
        return {choose.choice([*TEXTS, "M", "S", "N"]): self.junk(depth + 1) for _ in range(choose.randrange(3))}

    def value(self, depth: int = 0) -> Any:
        choose = self.random
        if choose.random() < 0.05:
            return self.junk()
        kind = choose.choice(["S", "S", "N", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"])
        few = range(choose.randrange(3) if depth < 4 else 0)
        made: dict[str, Any] = {
            "S": choose.choice(TEXTS),
            "N": choose.choice(NUMBERS),
            "B": choose.choice(["", "AA==", "AAA", "/w=="]),
            "NULL": choose.random() < 0.9,
            "BOOL": choose.random() < 0.5,
        }
        if kind in ("SS", "NS", "BS"):
            return {kind: [choose.choice({"SS": TEXTS, "NS": NUMBERS, "BS": ["AA==", "x"]}[kind]) for _ in few]}
        if kind == "M":
            return {kind: {choose.choice(TEXTS): self.value(depth + 1) for _ in few}}
        return {kind: [self.value(depth + 1) for _ in few] if kind == "L" else made[kind]}

    def item(self, *, only_key: bool) -> Any:
        choose = self.random
        item: dict[str, Any] = {"p": {"S": choose.choice("abc")}, "s": {"N": choose.choice(["1", "2", "3.0"])}}
        if choose.random() < 0.1:
            item.pop(choose.choice("ps"))
        if not only_key:
            item |= {name: {"S": choose.choice("xy")} for name in "gl" if choose.random() < 0.5}
            item |= {choose.choice([*"vgl", *TEXTS]): self.value() for _ in range(choose.randrange(3))}
        return item

    def member(self, model: ServiceModel, name: str, member: str = "", depth: int = 0) -> Any:
        choose = self.random
        shape = model.shapes[name]
        if choose.random() < self.spoiled / 20:
            return self.junk()
        if name == "AttributeValue":
            return {"S": choose.choice("abx")} if choose.random() < 0.5 else self.value()
        if name in ("Key", "PutItemInputAttributeMap"):
            return self.item(only_key=name == "Key")
        if member in ("TableName", "ResourceArn"):
            return choose.choice(["Users", "Users", "Users", f"New{choose.randrange(4)}", ARN])
        if member in ("SourceTableName", "TableArn"):
            return "Users" if member == "SourceTableName" else ARN
        if member == "S3Bucket":
            return choose.choice(["bucket", "bucket", "absent", "../bucket"])
        if member.endswith("Time"):
            return choose.choice([ManualClock().now(), 1e9])
        if member == "IndexName":
            return choose.choice(["by-g", "by-l", "new-index"])
        if member.endswith("Expression") or member == "Statement":
            return choose.choice(EXPRESSIONS)
        if (
            member.endswith(
                ("Iterator", "StreamArn", "BackupArn", "ExportArn", "ImportArn", "ShardId", "Number", "Token")
            )
            and self.tokens
        ):
            return choose.choice(self.tokens)
        return self._of_type(model, shape, name, depth)

    def _of_type(self, model: ServiceModel, shape: Any, name: str, depth: int) -> Any:
        choose, kind = self.random, shape["type"]
        if kind == "structure":
            required = shape.get("required", ())
            return {
                member: self.member(model, part["shape"], member, depth + 1)
                for member, part in shape["members"].items()
                if (member in required or choose.random() < self.spoiled) and depth < 7
            }
        if kind == "list":
            return [
                self.member(model, shape["member"]["shape"], "", depth + 1) for _ in range(choose.choice([1, 1, 2, 0]))
            ]
        if kind == "map":
            keys = {"BatchGetRequestMap": ["Users"], "BatchWriteItemRequestMap": ["Users"],
                    "ExpressionAttributeNameMap": ["#n"], "ExpressionAttributeValueMap": [":v", ":w"]}  # fmt: skip
            chosen = [key for key in keys.get(name, "psgv") if choose.random() < 0.6]
            return {key: self.member(model, shape["value"]["shape"], "", depth + 1) for key in chosen}
        if kind == "string":
            return choose.choice(shape.get("enum") or [*TEXTS, *"psgv"])
        return {"boolean": True, "blob": "AA==", "double": 1.5, "timestamp": 1e9}.get(
            kind, choose.choice([0, 1, 2, 100])
        )

    def body(self, target: bytes) -> bytes:
        choose = self.random
        self.spoiled = choose.choice([0.02, 0.1, 0.3])
        operation = BUILT[target].name
        model = streams_model() if target.startswith(b"DynamoDBStreams") else dynamodb_model()
        document = self.member(model, model.input_shape(operation))
        if operation == "Query" and isinstance(document, dict) and choose.random() < 0.7:
            document |= {"KeyConditionExpression": "p = :v", "ExpressionAttributeValues": {":v": {"S": "a"}}}
        body = bytearray(orjson.dumps(document))
        if choose.random() < 0.05:
            body[choose.randrange(len(body))] = choose.randrange(256)
        return bytes(body)

    def learn(self, answer: Any) -> None:
        if isinstance(answer, dict):
            for name, part in answer.items():
                if name in (
                    "ShardIterator",
                    "NextShardIterator",
                    "NextToken",
                    "StreamArn",
                    "ShardId",
                    "SequenceNumber",
                    "BackupArn",
                    "ExportArn",
                    "ImportArn",
                ):
                    self.tokens.append(part)
                self.learn(part)
        elif isinstance(answer, list):
            for part in answer:
                self.learn(part)
        del self.tokens[:-60]


@pytest.mark.parametrize("seed", [1, 2])
def test_documents_that_are_almost_right(seed: int, tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "a").write_bytes(b'{"Item":{"p":{"S":"a"},"s":{"N":"1"}}}\nno item')
    asyncio.run(_run(Drawer(seed), tmp_path))


async def _run(drawer: Drawer, buckets: Path) -> None:
    clock, ids = ManualClock(), SeededIds(1)
    store = MemoryStore(clock)
    # Soft: a fuzzer's requests are not signed, and permission is not what is tried here.
    access, traces = Access(clock, ids, mode="soft"), TraceBook(clock, 10)
    dynamodb = DynamoDB(store, clock, ids, access, Place(), traces, buckets_directory=buckets)
    targets = sorted(BUILT)
    succeeded = set()
    for at in range(REQUESTS):
        if at % 50 == 0 and dynamodb.rooms.tables.find("Users") is None:
            await dynamodb.create_table_from_template({"TableName": "Users", **DEFINITION})
        target = drawer.random.choice(targets)
        body = drawer.body(target)
        answer = dynamodb.handle(
            Request(
                "POST",
                b"/",
                Headers([(b"x-amz-target", target), (b"content-type", b"application/x-amz-json-1.0")]),
                body,
            )
        )
        response = answer if isinstance(answer, Response) else await asyncio.wait_for(answer, PATIENCE_SECONDS)
        assert response.status in (200, 400), (target, body, response.body)
        assert isinstance(response.body, bytes)
        if response.status == 200:
            succeeded.add(target)
            drawer.learn(orjson.loads(response.body) if response.body else {})
    assert len(succeeded) > len(targets) * 2 // 3
    for _ in range(50):
        await asyncio.sleep(0)
    _check_indexes(dynamodb, store)
    _check_collections(dynamodb, store)
    await dynamodb.close()


def _check_indexes(dynamodb: DynamoDB, store: MemoryStore) -> None:
    with store.snapshot() as snapshot:
        for table in dynamodb.rooms.tables:
            items = [decode_stored(stored) for _, stored in snapshot.scan(table.space.start, table.space.stop)]
            for index in table.indexes:
                wanted = dict(entry for item in items if (entry := index_entry(index, item)) is not None)
                assert dict(snapshot.scan(index.space.start, index.space.stop)) == wanted, index.arn


def _check_collections(dynamodb: DynamoDB, store: MemoryStore) -> None:
    """What is counted of each item collection is what its items and their entries in local indexes weigh."""
    with store.snapshot() as snapshot:
        for table in dynamodb.rooms.tables:
            if table.collections is None:
                continue
            found: dict[bytes, int] = {}
            for key, stored in snapshot.scan(table.space.start, table.space.stop):
                item = decode_stored(stored)
                entries = [index_entry(index, item) for index in table.indexes if not index.definition.is_global]
                counter = table.collections.counter(key)
                weight = stored_size(stored) + sum(stored_size(entry[1]) for entry in entries if entry is not None)
                found[counter] = found.get(counter, 0) + weight
            for counter, size_bytes in found.items():
                assert size_of(store.get(counter)) == size_bytes, table.name
