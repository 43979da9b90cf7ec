"""Every operation under bytes that are no request, over real sockets: no 5xx, no hang, nothing half written.

`test_fuzz` draws documents of the right shapes; here are bodies that are not JSON, JSON that is not the document, text
at the edges of Unicode, numbers and sizes at their limits, and writes of which one part is wrong.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import SystemClock
from trine.dynamodb.dispatch import BUILT
from trine.dynamodb.endpoint import DynamoDB
from trine.http.server import serve
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import TraceBook

ANSWER_SECONDS = 10
TABLE = "Users"
CREATED = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "p", "AttributeType": "S"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
PUT = b"DynamoDB_20120810.PutItem"


class Door:
    """A server of tables in this loop, one connection to it, and what its store holds."""

    def __init__(self, endpoint: DynamoDB, store: MemoryStore, port: int) -> None:
        self.endpoint, self.store, self.port = endpoint, store, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, target: bytes, body: bytes, *more: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; the connection may be closed by the server after it."""
        head = [
            b"POST / HTTP/1.1",
            b"Host: 127.0.0.1",
            b"X-Amz-Target: " + target,
            b"Content-Type: application/x-amz-json-1.0",
            *more,
        ]
        head.append(b"Content-Length: %d" % len(body))
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        writer.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
        answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS)).decode().lower()
        length = int(answer.partition("content-length:")[2].partition("\r\n")[0])
        content = await asyncio.wait_for(reader.readexactly(length), ANSWER_SECONDS)
        if "connection: close" in answer:
            self.close()
        return int(answer.split()[1]), content

    async def call(self, operation: str, document: Any) -> tuple[int, Any]:
        status, body = await self.send(f"DynamoDB_20120810.{operation}".encode(), json.dumps(document).encode())
        return status, orjson.loads(body)

    def held(self) -> list[tuple[bytes, bytes]]:
        """Items and index entries of all tables."""
        with self.store.snapshot() as snapshot:
            spaces = [table.space for table in self.endpoint.rooms.tables]
            spaces += [index.space for table in self.endpoint.rooms.tables for index in table.indexes]
            return [entry for space in spaces for entry in snapshot.scan(space.start, space.stop)]

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def at_the_door(work: Callable[[Door], Awaitable[None]]) -> None:
    """Run `work` on a new server with one table of one item, and see afterwards that it still answers."""

    async def run() -> None:
        clock, ids = SystemClock(), SeededIds(1)
        store = MemoryStore(clock)
        # Soft: a fuzzer's requests are not signed, and permission is not what is tried here.
        endpoint = DynamoDB(store, clock, ids, Access(clock, ids, mode="soft"), Place(), TraceBook(clock, 10))
        server = await serve(endpoint.handle, clock=clock, error_response=endpoint.error_response)
        door = Door(endpoint, store, server.port)
        assert (await door.call("CreateTable", CREATED))[0] == 200
        kept = {"p": {"S": "kept"}, "g": {"S": "x"}, "n": {"N": "1"}}
        assert (await door.call("PutItem", {"TableName": TABLE, "Item": kept}))[0] == 200
        await work(door)
        get = {"TableName": TABLE, "Key": {"p": {"S": "kept"}}}
        assert await door.call("GetItem", get) == (200, {"Item": kept})
        door.close()
        await server.close()
        await endpoint.close()

    asyncio.run(run())


def json_value(choose: random.Random, depth: int = 0) -> Any:
    kind = choose.randrange(8)
    if kind < 5 or depth > 3:
        return choose.choice([None, True, 0, -1, 10**30, 1e308, "", "a", "Nobody", "\0", "\ud800", "x" * 3000, {}, []])
    if kind == 5:
        return [json_value(choose, depth + 1) for _ in range(choose.randrange(4))]
    names = ["TableName", "Item", "Key", "S", "N", "RequestItems", "TransactItems", "Statement", "p", "", "\ud800"]
    return {choose.choice(names): json_value(choose, depth + 1) for _ in range(choose.randrange(5))}


STRANGE = [
    b"", b" ", b"null", b"[]", b'""', b"0", b"{", b"}", b"{}{}", b"{},", b"{'a': 1}", b'{"a":1,}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b'{"TableName":"\xff"}', b'{"TableName":"\\ud800"}', b'{"TableName":"\\udc00\\ud800"}',
    b'{"TableName":"\\u0000"}', b'{"TableName":NaN}', b'{"TableName":Infinity}', b'{"Limit":1e999}',
    b'{"Limit":' + b"9" * 5000 + b"}", b'{"Limit":-0}', b'{"Limit":1.0}', b'{"Limit":01}',
    b'{"TableName":"Nobody","TableName":1}', b'{"TableName":1,"TableName":"Nobody"}', b'{"a":' * 20_000,
    b"[" * 100_000, b'{"Item":' * 5000 + b"1" + b"}" * 5000, b'{"Item":{"a":' + b'{"L":[' * 3000 + b"]}" * 3000 + b"}}",
    b'{"\\ud800":1}', b'{"":""}', b"{" + b'"a":1,' * 50_000 + b'"b":2}', b'"' + b"\\" * 9999, b"\0" * 1000,
]  # fmt: skip


def test_bodies_that_are_no_documents() -> None:
    """Each operation gets all strange bodies, random bytes and random JSON."""

    async def work(door: Door) -> None:
        choose = random.Random(5)
        before = door.held()
        for target in sorted(BUILT):
            bodies = STRANGE if target == PUT else choose.sample(STRANGE, 14)
            bodies = bodies + [choose.randbytes(choose.randrange(200)) for _ in range(6)]
            bodies += [json.dumps(json_value(choose)).encode() for _ in range(20)]
            for body in bodies:
                status, answer = await door.send(target, body)
                # Operations without a required member take any object; nothing here is a right write.
                assert status in (200, 400), (target, body[:300], answer[:300])
                assert isinstance(orjson.loads(answer), dict)
        assert door.held() == before

    at_the_door(work)


def test_requests_that_are_no_http() -> None:
    async def work(door: Door) -> None:
        choose = random.Random(6)
        right = (
            b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n"
            b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
        )
        for turn in range(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            sent = bytearray(choose.randbytes(300) if turn % 2 else right)
            for _ in range(choose.randrange(4)):
                sent[choose.randrange(len(sent))] = choose.randrange(256)
            writer.write(bytes(sent))
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), ANSWER_SECONDS)
            assert not answer or answer.split()[1][:1] in (b"2", b"4") or b" 501 " in answer[:20], (sent, answer)
            writer.close()
        for target in (b"", b"x", b"DynamoDB_20120810.", b"DynamoDB_20111205.ListTables", b"\xff" * 20, b"x" * 9000):
            assert (await door.send(target, b"{}"))[0] == 400

    at_the_door(work)


def test_bodies_that_are_not_what_their_encoding_says() -> None:
    """AWS answers these with a 500 of its own; what matters is that it is told, bounded and not ours."""

    async def work(door: Door) -> None:
        body = b"{}"
        bomb = gzip.compress(b" " * 30_000_000)
        for encoding, sent in (
            ("gzip", body),
            ("gzip", gzip.compress(body)[:-4]),
            ("deflate", b"x"),
            ("zip", body),
            ("gzip", bomb),
        ):
            status, answer = await door.send(
                b"DynamoDB_20120810.ListTables", sent, f"Content-Encoding: {encoding}".encode()
            )
            assert status in (400, 413, 500), (encoding, status)
            assert status != 500 or b"InternalFailure" in answer or b"Content-Encoding" in answer, answer
        assert (await door.send(b"DynamoDB_20120810.ListTables", gzip.compress(body), b"Content-Encoding: gzip"))[
            0
        ] == 200

    at_the_door(work)


def _depth(levels: int) -> Any:
    value: Any = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


RIGHT_VALUES = [
    {"N": "0"}, {"N": "-0"}, {"N": "1E125"}, {"N": "9." + "9" * 37 + "E125"}, {"N": "1E-130"}, {"N": "9" * 38},
    {"N": "1" + "0" * 125}, {"N": "0." + "0" * 129 + "1"}, {"N": "1.0000000000000000000000000000000000000000"},
    {"N": " 1".strip()}, {"N": "-9." + "9" * 37 + "E125"}, {"S": ""}, {"S": "\0"}, {"S": "\U0010ffff"}, {"B": ""},
    {"B": b64encode(bytes(range(256))).decode()}, {"L": []}, {"M": {}},
    {"M": {"x" * 5000: {"S": ""}}},
    {"NULL": True}, {"BOOL": False}, {"SS": [""]}, {"SS": ["a", "A"]}, {"NS": ["1", "2"]}, {"BS": ["", "AA=="]},
    _depth(30),
]  # fmt: skip
WRONG_VALUES = [
    {}, None, "a", 1, [], {"S": None}, {"S": 1}, {"N": 1}, {"N": ""}, {"N": "x"}, {"N": "1E126"}, {"N": "9" * 39},
    {"N": "1E-131"}, {"N": "NaN"}, {"N": "Infinity"}, {"N": "0x10"}, {"N": "1_000"}, {"N": "1 "}, {"N": "٣"},
    {"N": "1" * 70_000},
    {"N": "1e" + "9" * 5000}, {"B": "A"}, {"B": "AAA"}, {"B": "A==="}, {"B": "a b="}, {"B": "é"}, {"B": "-_=="},
    {"SS": []},
    {"SS": ["a", "a"]}, {"NS": ["1", "1.0"]}, {"BS": ["AA==", "AA=="]}, {"SS": "a"}, {"NULL": False}, {"NULL": "x"},
    {"BOOL": "maybe"}, {"S": "a", "N": "1"}, {"Q": "a"}, {"L": {}}, {"M": []}, {"L": [None]}, _depth(33), _depth(200),
]  # fmt: skip


def test_values_at_their_edges() -> None:
    async def work(door: Door) -> None:
        for value in RIGHT_VALUES:
            item = {"p": {"S": "edge"}, "v": value}
            assert (await door.call("PutItem", {"TableName": TABLE, "Item": item}))[0] == 200, value
            status, answer = await door.call("GetItem", {"TableName": TABLE, "Key": {"p": {"S": "edge"}}})
            assert status == 200
            assert answer["Item"]["v"].keys() == value.keys()
        before = door.held()
        for value in WRONG_VALUES:
            for item in ({"p": {"S": "edge"}, "v": value}, {"p": {"S": "e"}, "v": {"M": {"a": {"L": [value]}}}}):
                status, answer = await door.call("PutItem", {"TableName": TABLE, "Item": item})
                assert status == 400, (value, answer)
            update = {
                "TableName": TABLE,
                "Key": {"p": {"S": "edge"}},
                "UpdateExpression": "SET v = :v",
                "ExpressionAttributeValues": {":v": value},
            }
            assert (await door.call("UpdateItem", update))[0] == 400, value
        assert door.held() == before

    at_the_door(work)


@pytest.mark.parametrize("key", ["p", "é"])
def test_items_at_400_kilobytes(key: str) -> None:
    """409,600 bytes of names and values are the most; a byte more is refused by every way to write it."""

    async def work(door: Door) -> None:
        # "p" and its value, "v" and its text.
        room = 409_600 - 1 - len(key.encode()) - 1

        def item(more: int) -> dict[str, Any]:
            return {"p": {"S": key}, "v": {"S": "x" * (room + more)}}

        for more, expected in ((-1, 200), (0, 200), (1, 400)):
            before = door.held()
            for operation, document in (
                ("PutItem", {"TableName": TABLE, "Item": item(more)}),
                ("BatchWriteItem", {"RequestItems": {TABLE: [{"PutRequest": {"Item": item(more)}}]}}),
                ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": TABLE, "Item": item(more)}}]}),
                (
                    "UpdateItem",
                    {
                        "TableName": TABLE,
                        "Key": {"p": {"S": key}},
                        "UpdateExpression": "SET v = :v",
                        "ExpressionAttributeValues": {":v": item(more)["v"]},
                    },
                ),
            ):
                status, answer = await door.call(operation, document)
                assert status == expected, (operation, more, answer)
            assert expected == 200 or door.held() == before

    at_the_door(work)


def test_writes_of_which_one_part_is_wrong() -> None:
    """A batch or transaction with one wrong element writes nothing, wherever the element stands."""
    wrong_items = [{"p": {"S": ""}}, {"q": {"S": "a"}}, {"p": {"N": "1"}}, {"p": {"S": "a"}, "g": {"N": "1"}},
                   {"p": {"S": "a"}, "v": {"N": "x"}}, {"p": {"S": "a"}, "v": {"S": "x" * 410_000}}]  # fmt: skip

    async def work(door: Door) -> None:
        before = door.held()
        for wrong in wrong_items:
            for at in (0, 1, 3):
                items: list[Any] = [{"p": {"S": f"new{number}"}, "g": {"S": "x"}} for number in range(3)]
                items.insert(at, wrong)
                puts = [{"PutRequest": {"Item": item}} for item in items]
                assert (await door.call("BatchWriteItem", {"RequestItems": {TABLE: puts}}))[0] == 400, wrong
                elements = [{"Put": {"TableName": TABLE, "Item": item}} for item in items]
                assert (await door.call("TransactWriteItems", {"TransactItems": elements}))[0] == 400, wrong
                assert door.held() == before, wrong
        condition = {
            "TableName": TABLE,
            "Key": {"p": {"S": "kept"}},
            "ConditionExpression": "n = :n",
            "ExpressionAttributeValues": {":n": {"N": "2"}},
        }
        put = {"Put": {"TableName": TABLE, "Item": {"p": {"S": "new"}}}}
        failing = {
            "TableName": TABLE,
            "Key": {"p": {"S": "kept"}},
            "UpdateExpression": "SET g = g + :n",
            "ExpressionAttributeValues": {":n": {"N": "2"}},
        }
        for last in ({"ConditionCheck": condition}, {"Update": failing}):
            assert (await door.call("TransactWriteItems", {"TransactItems": [put, last]}))[0] == 400
            assert door.held() == before

    at_the_door(work)


NESTED = [
    "(" * 1000 + "a = :v" + ")" * 1000, "NOT " * 900 + "a = :v", "a" + "[0]" * 900 + " = :v",
    "a" + ".b" * 900 + " = :v",
    " AND ".join(["a = :v"] * 600), "size(" * 300 + "a" + ")" * 300 + " = :v", "a IN (" + ", ".join([":v"] * 900) + ")",
    "a = :v" + " " * 4090, "a" * 5000, "#" * 3000, "\0", "é = :v", "a = :v -- b", "\ud83d",
    "a[99999999999999999999] = :v",
]  # fmt: skip


def test_expressions_nested_without_end() -> None:
    async def work(door: Door) -> None:
        before = door.held()
        for text in NESTED:
            request = {"TableName": TABLE, "Key": {"p": {"S": "kept"}}, "ExpressionAttributeValues": {":v": {"S": "a"}}}
            for operation, document in (
                ("UpdateItem", {**request, "UpdateExpression": text}),
                ("UpdateItem", {**request, "UpdateExpression": "SET b = " + text}),
                ("UpdateItem", {**request, "UpdateExpression": "SET b = :v", "ConditionExpression": text}),
                ("DeleteItem", {**request, "ConditionExpression": text}),
                ("GetItem", {"TableName": TABLE, "Key": {"p": {"S": "kept"}}, "ProjectionExpression": text}),
                (
                    "Query",
                    {
                        "TableName": TABLE,
                        "KeyConditionExpression": text,
                        "ExpressionAttributeValues": {":v": {"S": "a"}},
                    },
                ),
                ("ExecuteStatement", {"Statement": f'SELECT * FROM "{TABLE}" WHERE {text}'.replace(":v", "1")}),
                (
                    "ExecuteStatement",
                    {"Statement": f'INSERT INTO "{TABLE}" VALUE {"[" * 900}{text}'.replace(":v", "1")},
                ),
            ):
                body = json.dumps(document).encode()
                status, answer = await door.send(f"DynamoDB_20120810.{operation}".encode(), body)
                assert status in (200, 400), (operation, text[:100], answer[:300])
        assert door.held() == before

    at_the_door(work)
