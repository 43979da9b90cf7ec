"""Reads that only luck made current, replicas that trail, and Scans in a request path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trine.dynamodb.consistency.lag import Lag

STALE = "dynamodb.consistency"
ACCESS = "dynamodb.access"
KEY = {"p": {"S": "1"}}


def test_a_read_of_ones_own_recent_write_is_noted(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p")
    table.call("PutItem", TableName="Tab", Item=KEY)
    table.advance(0.25)
    table.call("GetItem", TableName="Tab", Key=KEY)
    (note,) = table.notes(STALE)
    assert note == {"could_be_stale": True, "ageMillis": 250.0, "table": "Tab", "key": KEY}
    table.call("GetItem", TableName="Tab", Key=KEY, ConsistentRead=True)
    assert table.notes(STALE) == []
    table.call("TransactGetItems", TransactItems=[{"Get": {"TableName": "Tab", "Key": KEY}}])
    assert table.notes(STALE) == []
    table.call("BatchGetItem", RequestItems={"Tab": {"Keys": [KEY]}})
    assert len(table.notes(STALE)) == 1
    table.advance(1)
    table.call("GetItem", TableName="Tab", Key=KEY)
    assert table.notes(STALE) == []
    assert table.wing.metering.statistics()["Tab"]["staleReads"] == 2


def test_queries_and_scans_of_what_was_just_written(desk: Callable[..., Any]) -> None:
    table = desk()
    table.create("Tab", "p", "s", indexes={"ByG": ("g",)})
    item = {"p": {"S": "1"}, "s": {"S": "a"}, "g": {"S": "red"}}
    table.call("PutItem", TableName="Tab", Item=item)
    query = {"TableName": "Tab", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "1"}}}
    table.call("Query", **query)
    assert table.notes(STALE)[0]["key"] == {"p": {"S": "1"}, "s": {"S": "a"}}
    table.call("Query", **query, ConsistentRead=True)
    assert table.notes(STALE) == []
    table.call("Query", **{**query, "ExpressionAttributeValues": {":p": {"S": "2"}}})
    assert table.notes(STALE) == []
    table.call("Scan", TableName="Tab")
    assert len(table.notes(STALE)) == 1
    by_index = {"TableName": "Tab", "IndexName": "ByG", "KeyConditionExpression": "g = :g"}
    table.call("Query", **by_index, ExpressionAttributeValues={":g": {"S": "red"}})
    assert table.notes(STALE)[0] == {
        "could_be_stale": True, "ageMillis": 0.0, "table": "Tab", "index": "ByG",
        "key": {"p": {"S": "1"}, "s": {"S": "a"}},
    }  # fmt: skip
    table.call("Query", **by_index, ExpressionAttributeValues={":g": {"S": "blue"}})
    assert table.notes(STALE) == []
    table.call("ExecuteStatement", Statement="SELECT * FROM Tab WHERE p = '1'")
    assert len(table.notes(STALE)) == 1


def test_a_fixed_lag_shows_the_old_value_and_strong_reads_the_new_one(desk: Callable[..., Any]) -> None:
    table = desk(replica_lag_seconds=0.5)
    table.create("Tab", "p")
    table.advance(1)
    table.call("PutItem", TableName="Tab", Item=KEY)
    assert "Item" not in table.call("GetItem", TableName="Tab", Key=KEY)
    assert table.call("GetItem", TableName="Tab", Key=KEY, ConsistentRead=True)["Item"] == KEY
    table.advance(0.6)
    assert table.call("GetItem", TableName="Tab", Key=KEY)["Item"] == KEY


def test_a_drawn_lag_is_the_same_for_the_same_seed(desk: Callable[..., Any]) -> None:
    def seen(seed: int) -> list[bool]:
        table = desk(replica_lag_seconds=Lag(1.0, 0.0, seed))
        table.create("Tab", "p")
        table.advance(2)
        table.call("PutItem", TableName="Tab", Item=KEY)
        table.advance(0.5)
        return ["Item" in table.call("GetItem", TableName="Tab", Key=KEY) for _ in range(40)]

    assert seen(1) == seen(1)
    assert set(seen(1)) == {True, False}
    assert seen(1) != seen(2)


def _filled(desk: Callable[..., Any]) -> Any:
    table = desk()
    table.create("Tab", "p", "s", indexes={"ByMail": ("mail",)})
    for number in range(20):
        item = {"p": {"S": "1"}, "s": {"S": f"{number:02}"}, "mail": {"S": f"{number}@example.org"}}
        table.call("PutItem", TableName="Tab", Item={**item, "v": {"S": "x" * 800}})
    table.advance(5)
    return table


@pytest.mark.parametrize("kind", ["lambda", "apigateway"])
def test_a_scan_in_a_request_path_names_its_cost_and_what_would_replace_it(desk: Callable[..., Any], kind: str) -> None:
    table = _filled(desk)
    wish = {
        "TableName": "Tab",
        "FilterExpression": "mail = :m",
        "ExpressionAttributeValues": {":m": {"S": "7@example.org"}},
    }
    answer = table.call("Scan", table.book.open(kind, "1"), **wish, ReturnConsumedCapacity="TOTAL")
    assert table.notes(ACCESS) == [
        {
            "operation": "Scan",
            "table": "Tab",
            "units": answer["ConsumedCapacity"]["CapacityUnits"],
            "scannedCount": 20,
            "returnedCount": 1,
            "instead": "Query the index ByMail with mail = …",
        }
    ]
    table.call("Scan", **wish)
    assert table.notes(ACCESS) == [], "from outside, nobody waits for it"


def test_a_query_whose_filter_drops_most(desk: Callable[..., Any]) -> None:
    table = _filled(desk)
    parent = table.book.open("lambda", "1")
    values = {":p": {"S": "1"}, ":v": {"S": "3@example.org"}}
    query = {"TableName": "Tab", "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": values}
    table.call("Query", parent, **query, FilterExpression="mail = :v")
    (note,) = table.notes(ACCESS)
    assert (note["scannedCount"], note["returnedCount"]) == (20, 1)
    assert note["instead"] == "Query the index ByMail with mail = …"
    table.call("Query", parent, **query, FilterExpression="mail <> :v")
    assert table.notes(ACCESS) == []
    table.call("Query", parent, **{**query, "ExpressionAttributeValues": {":p": {"S": "1"}}})
    assert table.notes(ACCESS) == []
