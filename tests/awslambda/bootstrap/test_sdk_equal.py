"""The SDK's short ways on a real table: each piece of work run stock, quick and straight gives the very same."""

from __future__ import annotations

import asyncio
import collections
import datetime
import enum
import re
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary, TypeDeserializer
from botocore.config import Config
from botocore.stub import Stubber

from tests.waiting import PATIENCE_SECONDS
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.awslambda.bootstrap import sdk_straight
from trine.clock import SystemClock
from trine.dynamodb.endpoint import DynamoDB
from trine.http.server import serve
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import TraceBook

from .test_sdk import ALL_FIT, quick

KEY = {"pk": {"S": "u1"}, "sk": {"S": 'é☃𝒳"\\\n'}}
ITEM = {
    **KEY,
    "n": {"N": "123456789012345678901234567890.5"},
    "b": {"B": b"\x00\xff"},
    "ba": {"B": bytearray(b"x")},
    "t": {"BOOL": True},
    "nul": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": [b"1", b"2"]},
    "l": {"L": [{"S": ""}, {"N": "1"}, {"L": []}]},
    "m": {"M": {"x": {"M": {}}}},
}
PLAIN = {
    "pk": "r1", "sk": "s", "n": Decimal("1.50"), "i": 7, "big": 10**37, "neg": -3, "t": True, "nul": None, "b": b"\x01",
    "bb": Binary(b"\x02"), "ss": {"a", "b"}, "ns": {1, Decimal("2.5")}, "bs": {b"1"}, "l": [1, [None], {"k": b"z"}],
    "m": {"x": {"y": []}}, "tup": (1, 2), "es": "",
}  # fmt: skip


class Text(enum.StrEnum):
    """A subclass of `str`, as people store them."""

    A = "a"


class Desk:
    """One client and one resource of a table that holds the same at the start of every piece of work."""

    def __init__(self, url: str, **credentials: str) -> None:
        self.session = boto3.session.Session(region_name="us-east-1", **credentials)
        self.url = url
        self.client = self.session.client("dynamodb", endpoint_url=url)
        self.resource = self.session.resource("dynamodb", endpoint_url=url)
        self.table = self.resource.Table("equal")

    def other(self, **settings: Any) -> Any:
        """Another client."""
        return self.session.client("dynamodb", endpoint_url=self.url, config=Config(**settings))


def _get(given: dict[str, Any]) -> Callable[[Desk], Any]:
    return lambda desk: desk.client.get_item(**given)


def _put(value: Any) -> Callable[[Desk], Any]:
    return lambda desk: desk.table.put_item(Item={"pk": "r3", "sk": "s", "f": value})


def _hooked(desk: Desk) -> Any:
    seen: list[Any] = []
    names = (
        "provide-client-params before-parameter-build before-endpoint-resolution before-call request-created "
        "before-sign before-send response-received needs-retry after-call"
    )
    events = names.split()

    def hook(**given: Any) -> None:
        seen.append((given["event_name"], sorted(given)))

    for event in events:
        desk.client.meta.events.register(f"{event}.dynamodb", hook)
    answer = desk.client.get_item(TableName="equal", Key=KEY)
    for event in events:
        desk.client.meta.events.unregister(f"{event}.dynamodb", hook)
    return seen, answer, desk.client.get_item(TableName="equal", Key=KEY), len(seen)


def _stubbed(desk: Desk) -> Any:
    client = desk.other()
    client.list_tables()
    with Stubber(client) as stub:
        stub.add_response("get_item", {"Item": {"a": {"S": "b"}}}, {"TableName": "x", "Key": {"a": {"S": "b"}}})
        return client.get_item(TableName="x", Key={"a": {"S": "b"}}), len(client.list_tables()["TableNames"]) == 1


def _patched(desk: Desk) -> Any:
    original = TypeDeserializer._deserialize_n
    TypeDeserializer._deserialize_n = lambda self, value: float(value)  # type: ignore[method-assign]
    try:
        return desk.table.get_item(Key={"pk": "q", "sk": "001"})
    finally:
        TypeDeserializer._deserialize_n = original  # type: ignore[method-assign]


def _arguments_stay(desk: Desk) -> Any:
    given = {"pk": "keep", "sk": "s", "l": [1, {"a": 2}]}
    desk.table.put_item(Item=given)
    return given


def _typed(desk: Desk) -> Any:
    try:
        desk.client.put_item(TableName="equal", Item=ITEM, ConditionExpression="attribute_not_exists(pk)")
    except desk.client.exceptions.ConditionalCheckFailedException as error:
        return sorted(error.response), error.response["Error"]


def _batch(desk: Desk) -> Any:
    with desk.table.batch_writer() as batch:
        for number in range(30):
            batch.put_item(Item={"pk": "bw", "sk": str(number)})
    return desk.table.query(Select="COUNT", KeyConditionExpression=Key("pk").eq("bw"))["Count"]


WORK: dict[str, Callable[[Desk], Any]] = {
    "get": _get({"TableName": "equal", "Key": KEY}),
    "get nothing": _get({"TableName": "equal", "Key": {"pk": {"S": "no"}, "sk": {"S": "x"}}}),
    "get by ARN": _get({"TableName": "arn:aws:dynamodb:us-east-1:123456789012:table/equal", "Key": KEY}),
    "get more": _get({"TableName": "equal", "Key": KEY, "ConsistentRead": True, "ReturnConsumedCapacity": "INDEXES",
                      "ProjectionExpression": "#a,m", "ExpressionAttributeNames": {"#a": "b"}}),
    "missing": _get({}),
    "wrong type": _get({"TableName": 1, "Key": {"pk": {"S": "x"}}}),
    "unknown": _get({"TableName": "equal", "Key": {}, "Nope": 1}),
    "too short": _get({"TableName": "", "Key": {}}),
    "wrong value": _get({"TableName": "equal", "Key": {"pk": {"S": 1, "N": 2, "Q": 3}}}),
    "no value": _get({"TableName": "equal", "Key": None}),
    "key is a number": _get({"TableName": "equal", "Key": {1: {"S": "x"}}}),
    "two types": _get({"TableName": "equal", "Key": {"pk": {"S": "a", "N": "1"}, "sk": {"S": "x"}}}),
    "empty value": _get({"TableName": "equal", "Key": {"pk": {}, "sk": {"S": "x"}}}),
    "text subclass": _get({"TableName": "equal", "Key": {"pk": {"S": Text.A}, "sk": {"S": "x"}}}),
    "no such table": _get({"TableName": "nosuch", "Key": {"pk": {"S": "x"}}}),
    "wrong key": _get({"TableName": "equal", "Key": {"pk": {"S": "x"}}}),
    "positional": lambda desk: desk.client.get_item("equal"),
    "put": lambda desk: desk.client.put_item(TableName="equal", Item=ITEM, ReturnValues="ALL_OLD"),
    "wrong number": lambda desk: desk.client.put_item(TableName="equal", Item={**KEY, "n": {"N": "abc"}}),
    "condition": lambda desk: desk.client.put_item(TableName="equal", Item=ITEM,
                                                   ConditionExpression="attribute_not_exists(pk)"),
    "typed exception": _typed,
    "update": lambda desk: desk.client.update_item(
        TableName="equal", Key=KEY, UpdateExpression="SET q = :q ADD z :o", ReturnValues="ALL_NEW",
        ExpressionAttributeValues={":q": {"N": "3"}, ":o": {"N": "1"}}),
    "query": lambda desk: desk.client.query(TableName="equal", KeyConditionExpression="pk = :p",
                                            ExpressionAttributeValues={":p": {"S": "q"}}),
    "pages": lambda desk: [page["Count"] for page in desk.client.get_paginator("query").paginate(
        TableName="equal", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "q"}},
        PaginationConfig={"PageSize": 2})],
    "scan": lambda desk: desk.client.scan(TableName="equal", FilterExpression="v > :v",
                                          ExpressionAttributeValues={":v": {"N": "2"}}),
    "batch get": lambda desk: desk.client.batch_get_item(RequestItems={"equal": {"Keys": [KEY]}}),
    "describe": lambda desk: desk.client.describe_table(TableName="equal"),
    "transact": lambda desk: desk.client.transact_write_items(TransactItems=[{"Put": {"TableName": "equal",
                                                                                      "Item": ITEM}}]),
    "cancelled": lambda desk: desk.client.transact_write_items(TransactItems=[{"Put": {
        "TableName": "equal", "Item": ITEM, "ConditionExpression": "attribute_not_exists(pk)"}}]),
    "resource put": lambda desk: desk.table.put_item(Item=PLAIN),
    "resource get": lambda desk: (desk.table.put_item(Item=PLAIN), desk.table.get_item(Key={"pk": "r1", "sk": "s"})),
    "resource subclasses": lambda desk: desk.table.put_item(Item=collections.OrderedDict(
        pk="r2", sk=Text.A, od=collections.OrderedDict(a=1), dd=collections.defaultdict(int, a=2))),
    "resource query": lambda desk: desk.table.query(
        KeyConditionExpression=Key("pk").eq("q") & Key("sk").between("001", "003"),
        FilterExpression=Attr("v").gt(1) | Attr("zz").exists()),
    "resource scan": lambda desk: desk.table.scan(Limit=2, FilterExpression=Attr("v").is_in([1, 2])),
    "resource update": lambda desk: desk.table.update_item(
        Key={"pk": "q", "sk": "001"}, UpdateExpression="SET #a = :a", ConditionExpression=Attr("v").gte(1),
        ExpressionAttributeNames={"#a": "q"}, ExpressionAttributeValues={":a": {"deep": [1, Decimal("2")]}},
        ReturnValues="UPDATED_NEW"),
    "resource condition": lambda desk: desk.table.put_item(Item={"pk": "q", "sk": "001"},
                                                           ConditionExpression=Attr("pk").not_exists()),
    "resource delete": lambda desk: desk.table.delete_item(Key={"pk": "q", "sk": "002"}, ReturnValues="ALL_OLD"),
    "resource batch": _batch,
    "resource transaction": lambda desk: desk.resource.meta.client.transact_write_items(TransactItems=[
        {"Put": {"TableName": "equal", "Item": {"pk": "rt", "sk": "1"},
                 "ConditionExpression": Attr("pk").not_exists()}}]),
    "float": _put(1.5), "inexact": _put(Decimal("1." + "1" * 45)), "huge": _put(int("1" * 45)),
    "not a number": _put(Decimal("NaN")), "infinite": _put(Decimal("-Infinity")),
    "date": _put(datetime.date(2020, 1, 1)),
    "empty set": _put(set()), "mixed set": _put({1, "a"}), "number as name": _put({1: 2}),
    "arguments stay": _arguments_stay,
    "hooks": _hooked,
    "stubs": _stubbed,
    "patched": _patched,
    "no validation": lambda desk: desk.other(parameter_validation=False).get_item(TableName="equal", Key=KEY),
    "legacy retries": lambda desk: desk.other(retries={"mode": "legacy"}).get_item(TableName="equal", Key=KEY),
    "adaptive retries": lambda desk: desk.other(retries={"mode": "adaptive"}).get_item(TableName="equal", Key=KEY),
    "nobody there": lambda desk: desk.session.client(
        "dynamodb", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1})).list_tables(),
}  # fmt: skip
STRAIGHT = {"get", "get nothing", "query", "put", "update", "condition", "resource query", "resource update"}
"""Work of which at least one call must have gone straight, so that the comparison compares something."""


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, dict[str, str]]]:
    """A table endpoint over memory in a thread of its own: its URL and the owner's key."""
    found: dict[str, Any] = {}
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        clock, ids = SystemClock(), SeededIds(3)
        access = Access(clock, ids)
        table = DynamoDB(MemoryStore(clock), clock, ids, access, Place(), TraceBook(clock), throttling=False)
        table.start()
        server = await serve(table.handle, clock=clock, error_response=table.error_response)
        key = access.owner_credentials()
        found.update(url=f"http://127.0.0.1:{server.port}", stop=asyncio.Event(), credentials={
            "aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key})  # fmt: skip
        ready.set()
        await found["stop"].wait()
        await server.close()
        await table.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(PATIENCE_SECONDS)
    yield found["url"], found["credentials"]
    loop.call_soon_threadsafe(found["stop"].set)
    thread.join(PATIENCE_SECONDS)
    loop.close()


def _fresh(desk: Desk) -> None:
    if "equal" in desk.client.list_tables()["TableNames"]:
        for item in desk.client.scan(TableName="equal", ProjectionExpression="pk, sk")["Items"]:
            desk.client.delete_item(TableName="equal", Key=item)
    else:
        desk.client.create_table(
            TableName="equal",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
    desk.client.put_item(TableName="equal", Item=ITEM)
    for number in range(1, 5):
        desk.table.put_item(Item={"pk": "q", "sk": f"{number:03}", "v": number})


_EACH_ITS_OWN = ("RequestId", "x-amzn-requestid", "date", "x-amz-crc32", "CreationDateTime", "TableId")


def _ordered(value: Any) -> Any:
    # With types, and with the order of names; sets sorted; what differs from call to call taken out.
    if isinstance(value, dict):
        pairs = [[name, _ordered(item)] for name, item in value.items() if name not in _EACH_ITS_OWN]
        return [type(value).__name__, pairs]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_ordered, value)]
    if isinstance(value, set):
        return ["set", *sorted(map(repr, value))]
    return f"{type(value).__name__}:{value!r}"


def _outcome(work: Callable[[Desk], Any], desk: Desk) -> Any:
    try:
        return ["done", _ordered(work(desk))]
    except Exception as error:
        kind = type(error)
        text = re.sub(r"0x[0-9a-f]+", "", str(error))
        return ["raised", [base.__name__ for base in kind.__mro__], text, _ordered(getattr(error, "response", None))]


@pytest.fixture(scope="module")
def desks() -> dict[str, Desk]:
    """The desk of each road, made when it is first gone; making clients is the slow part."""
    return {}


@pytest.mark.parametrize("name", WORK)
def test_the_same_work_comes_to_the_same(
    address: tuple[str, dict[str, str]], desks: dict[str, Desk], name: str
) -> None:
    def run(road: str) -> Any:
        desk = desks.setdefault(road, desks.get(road) or Desk(address[0], **address[1]))
        _fresh(desk)
        before = sdk_straight.straight_calls
        came = _outcome(WORK[name], desk)
        if name in STRAIGHT:
            assert (sdk_straight.straight_calls > before) == (road == "straight" and ALL_FIT)
        return came

    stock = run("stock")
    for road in ("quick", "straight"):
        with quick(road == "straight"):
            assert run(road) == stock
