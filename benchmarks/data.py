"""The table of the benchmark and its items: the same for every server, from one seed."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.signing import Call, Signer
from benchmarks.wire import Wire

TABLE = "Orders"
PARTITIONS = 100
ITEMS_PER_PARTITION = 100
ACTIVE_POLLS = 200

Item = dict[str, Any]


def key(partition: int, sort: int) -> Item:
    return {"pk": {"S": f"customer#{partition:05}"}, "sk": {"S": f"order#{sort:08}"}}


def item(partition: int, sort: int, source: random.Random) -> Item:
    """An order of about 400 bytes with every kind of attribute that applications use."""
    return {
        **key(partition, sort),
        "status": {"S": source.choice(["PENDING", "DONE", "CANCELLED"])},
        "total": {"N": str(source.randrange(10000) / 100)},
        "qty": {"N": "3"},
        "active": {"BOOL": True},
        "tags": {"SS": ["red", "blue", "green"]},
        "addr": {"M": {"street": {"S": f"{source.randrange(999)} Main Street"}, "zip": {"S": "98101"}}},
        "lines": {"L": [{"S": "sku-1"}, {"S": "sku-2"}, {"N": "7"}]},
        "note": {"S": f"{source.getrandbits(128):032x}"},
    }


def place(number: int) -> tuple[int, int]:
    """Partition and sort of one of the items, scattered over the table: different ones for 10,000 numbers in a row."""
    return divmod(number * 7919 % (PARTITIONS * ITEMS_PER_PARTITION), ITEMS_PER_PARTITION)


def any_key(source: random.Random) -> Item:
    return key(source.randrange(PARTITIONS), source.randrange(ITEMS_PER_PARTITION))


def same_item(left: Item, right: Item) -> bool:
    """Whether two items are equal as DynamoDB sees them: sets have no order, numbers no spelling."""
    return left.keys() == right.keys() and all(_plain(left[name]) == _plain(right[name]) for name in left)


def _plain(value: Any) -> Any:
    ((kind, content),) = value.items()
    if kind == "SS":
        return kind, sorted(content)
    if kind == "N":
        return kind, float(content)
    if kind == "M":
        return kind, {name: _plain(inner) for name, inner in content.items()}
    if kind == "L":
        return kind, [_plain(inner) for inner in content]
    return kind, content


def create_table(wire: Wire, signer: Signer, port: int) -> None:
    """Make the table and wait until it is active. Raises RuntimeError."""
    definition: dict[str, object] = {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    }
    status, answer = wire.ask_json(signer.request(Call("CreateTable", definition), port))
    if status != 200:
        raise RuntimeError(f"CreateTable: {answer}")
    for _ in range(ACTIVE_POLLS):
        _, answer = wire.ask_json(signer.request(Call("DescribeTable", {"TableName": TABLE}), port))
        if answer["Table"]["TableStatus"] == "ACTIVE":
            return
    raise RuntimeError("the table did not become active")


def load_items(wire: Wire, signer: Signer, port: int) -> None:
    """Write every item once. Raises RuntimeError."""
    source = random.Random(5)
    everything = [item(p, s, source) for p in range(PARTITIONS) for s in range(ITEMS_PER_PARTITION)]
    for start in range(0, len(everything), 25):
        puts = [{"PutRequest": {"Item": entry}} for entry in everything[start : start + 25]]
        call = Call("BatchWriteItem", {"RequestItems": {TABLE: puts}})
        status, answer = wire.ask_json(signer.request(call, port))
        if status != 200 or answer.get("UnprocessedItems"):
            raise RuntimeError(f"BatchWriteItem: {answer}")
