"""Query, Scan and the batches through boto3."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

GLOBAL = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "h", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["kept"]},
}
LOCAL = {
    "IndexName": "by-l",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


def message_of(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return str(caught.value.response["Error"]["Message"])


def fill(client: Any, name: str, items: list[dict[str, Any]]) -> None:
    for at in range(0, len(items), 25):
        wishes = [{"PutRequest": {"Item": item}} for item in items[at : at + 25]]
        assert client.batch_write_item(RequestItems={name: wishes})["UnprocessedItems"] == {}


def pages(call: Any, **request: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        answer = call(**request)
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return items
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@pytest.fixture
def numbered(client: Any, new_table: Any) -> str:
    name: str = new_table("p", "n")
    fill(client, name, [{"p": {"S": "a"}, "n": {"N": str(number)}} for number in (-10, -1, 0, 2, 10, 100)])
    fill(client, name, [{"p": {"S": "b"}, "n": {"N": "5"}}])
    return name


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("p = :p", [-10, -1, 0, 2, 10, 100]),
        ("p = :p AND n = :a", [0]),
        ("p = :p AND n < :a", [-10, -1]),
        ("p = :p AND n <= :a", [-10, -1, 0]),
        ("p = :p AND n > :a", [2, 10, 100]),
        ("p = :p AND n >= :a", [0, 2, 10, 100]),
        ("p = :p AND n BETWEEN :a AND :b", [0, 2, 10]),
    ],
)
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_query_reads_a_range_in_order_both_ways(
    client: Any, numbered: str, condition: str, found: list[int], limit: int | None
) -> None:
    values = {":p": {"S": "a"}}
    values |= {":a": {"N": "0"}} if ":a" in condition else {}
    values |= {":b": {"N": "10"}} if ":b" in condition else {}
    request: dict[str, Any] = {
        "TableName": numbered,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        **({"Limit": limit} if limit else {}),
    }
    assert [int(item["n"]["N"]) for item in pages(client.query, **request)] == found
    assert [int(item["n"]["N"]) for item in pages(client.query, ScanIndexForward=False, **request)] == found[::-1]


def test_strings_are_ordered_by_bytes_and_begin_with(client: Any, new_table: Any) -> None:
    name = new_table("p", "s")
    texts = ["a", "a\0", "a\0b", "a\x01", "ab", "b", "é", "\U0001f600"]
    fill(client, name, [{"p": {"S": "x"}, "s": {"S": text}} for text in reversed(texts)])
    request = {"TableName": name, "ExpressionAttributeValues": {":p": {"S": "x"}}}
    assert [i["s"]["S"] for i in pages(client.query, KeyConditionExpression="p = :p", **request)] == texts
    request["ExpressionAttributeValues"][":a"] = {"S": "a\0"}
    begun = pages(client.query, KeyConditionExpression="p = :p AND begins_with(s, :a)", **request)
    assert [item["s"]["S"] for item in begun] == ["a\0", "a\0b"]


def test_a_filter_counts_what_was_scanned(client: Any, numbered: str) -> None:
    name = numbered
    answer = client.query(
        TableName=name,
        KeyConditionExpression="p = :p",
        FilterExpression="attribute_exists(absent)",
        ExpressionAttributeValues={":p": {"S": "a"}},
    )
    assert (answer["Items"], answer["Count"], answer["ScannedCount"]) == ([], 0, 6)
    counted = client.query(
        TableName=name,
        Select="COUNT",
        KeyConditionExpression="p = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
    )
    assert (counted.get("Items"), counted["Count"]) == (None, 6)


def test_a_query_of_a_partition_of_one_item_has_no_second_page(client: Any, new_table: Any) -> None:
    name = new_table("p", GlobalSecondaryIndexes=[GLOBAL])
    item = {"p": {"S": "a"}, "g": {"S": "x"}, "h": {"N": "1"}}
    client.put_item(TableName=name, Item=item)
    request = {"TableName": name, "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
    answer = client.query(Limit=1, **request)
    assert (answer["Items"], "LastEvaluatedKey" in answer) == ([item], False)
    for short in (request, {**request, "FilterExpression": "attribute_exists(g)"}):
        assert message_of(lambda short=short: client.query(ExclusiveStartKey={"p": {"S": "a"}}, **short)) == (
            "The provided exclusive start key is invalid: ExclusiveStartKey: {p=AttributeValue: {S:a}}"
        )
    on_index = {**request, "IndexName": "by-g", "KeyConditionExpression": "g = :p"}
    on_index["ExpressionAttributeValues"] = {":p": {"S": "x"}}
    first = client.query(Limit=1, **on_index)  # an index without it may hold more
    assert client.query(ExclusiveStartKey=first["LastEvaluatedKey"], **on_index)["Items"] == []


def test_a_page_ends_at_one_megabyte(client: Any, new_table: Any) -> None:
    name = new_table("p", "n")
    fill(client, name, [{"p": {"S": "a"}, "n": {"N": str(at)}, "v": {"S": "x" * 100_000}} for at in range(20)])
    first = client.query(
        TableName=name,
        KeyConditionExpression="p = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert first["Count"] == 11
    assert first["LastEvaluatedKey"] == {"p": {"S": "a"}, "n": {"N": "10"}}
    assert first["ConsumedCapacity"]["CapacityUnits"] == pytest.approx(134.5)
    assert len(pages(client.scan, TableName=name)) == 20


def test_global_indexes_are_sparse_and_hold_several_items_under_one_key(client: Any, new_table: Any) -> None:
    name = new_table("p", GlobalSecondaryIndexes=[GLOBAL])
    for at in range(4):
        client.put_item(
            TableName=name,
            Item={"p": {"S": str(at)}, "g": {"S": "x"}, "h": {"N": "1"}, "kept": {"N": "7"}, "lost": {"N": "8"}},
        )
    client.put_item(TableName=name, Item={"p": {"S": "sparse"}, "g": {"S": "x"}})
    request = {
        "TableName": name,
        "IndexName": "by-g",
        "KeyConditionExpression": "g = :g",
        "ExpressionAttributeValues": {":g": {"S": "x"}},
        "Limit": 1,
    }
    items = pages(client.query, **request)
    assert sorted(item["p"]["S"] for item in items) == ["0", "1", "2", "3"]
    assert items[0].keys() == {"p", "g", "h", "kept"}
    client.update_item(
        TableName=name,
        Key={"p": {"S": "0"}},
        UpdateExpression="SET g = :g",
        ExpressionAttributeValues={":g": {"S": "y"}},
    )
    client.delete_item(TableName=name, Key={"p": {"S": "1"}})
    client.update_item(TableName=name, Key={"p": {"S": "2"}}, UpdateExpression="REMOVE h")
    assert [item["p"]["S"] for item in pages(client.query, **request)] == ["3"]
    assert len(pages(client.scan, TableName=name, IndexName="by-g")) == 2
    described = client.describe_table(TableName=name)["Table"]
    assert (described["ItemCount"], described["GlobalSecondaryIndexes"][0]["ItemCount"]) == (4, 2)


def test_local_indexes_fetch_what_they_do_not_carry(client: Any, new_table: Any) -> None:
    name = new_table("p", "s", LocalSecondaryIndexes=[LOCAL])
    whole = {"p": {"S": "x"}, "s": {"S": "1"}, "l": {"S": "z"}, "v": {"N": "1"}}
    client.put_item(TableName=name, Item=whole)
    client.put_item(TableName=name, Item={**whole, "s": {"S": "2"}, "l": {"S": "a"}})
    request = {
        "TableName": name,
        "IndexName": "by-l",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "x"}},
        "ConsistentRead": True,
    }
    assert [item["s"]["S"] for item in client.query(**request)["Items"]] == ["2", "1"]
    assert client.query(**request)["Items"][1].keys() == {"p", "s", "l"}
    answer = client.query(Select="ALL_ATTRIBUTES", ReturnConsumedCapacity="INDEXES", **request)
    assert answer["Items"][1] == whole
    assert answer["ConsumedCapacity"]["LocalSecondaryIndexes"] == {"by-l": {"CapacityUnits": 1.0}}
    assert answer["ConsumedCapacity"]["Table"] == {"CapacityUnits": 2.0}
    assert client.query(ProjectionExpression="v", **request)["Items"] == [{"v": {"N": "1"}}] * 2


FILTERS: list[dict[str, Any]] = [
    {"FilterExpression": "w = :v OR attribute_exists(v[0])", "ExpressionAttributeValues": {":v": {"N": "1"}}},
    {
        "QueryFilter": {
            "w": {"ComparisonOperator": "NE", "AttributeValueList": [{"N": "1"}]},
            "v": {"ComparisonOperator": "NULL"},
        }
    },
]


@pytest.mark.parametrize("accept", FILTERS)
@pytest.mark.parametrize("select", [{}, {"ProjectionExpression": "p"}, {"Select": "ALL_ATTRIBUTES"}])
@pytest.mark.parametrize(("index", "key"), [("by-l", "p"), ("by-g", "g")])
def test_a_query_of_an_index_filters_by_what_it_carries(
    client: Any, new_table: Any, accept: dict[str, Any], select: dict[str, Any], index: str, key: str
) -> None:
    if "QueryFilter" in accept:
        select = {"AttributesToGet": ["p"]} if "ProjectionExpression" in select else select
        condition = {key: {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x"}]}}
        request = {**accept, "KeyConditions": condition}
    else:
        values = {**accept["ExpressionAttributeValues"], ":k": {"S": "x"}}
        request = {**accept, "KeyConditionExpression": f"{key} = :k", "ExpressionAttributeValues": values}
    name = new_table("p", "s", LocalSecondaryIndexes=[LOCAL], GlobalSecondaryIndexes=[GLOBAL])
    assert message_of(lambda: client.query(TableName=name, IndexName=index, **request, **select)) == (
        f"One or more parameter values were invalid: Secondary index {index} does not project one or more filter "
        "attributes: [v, w]"
    )


@pytest.mark.parametrize("index", ["by-l", "by-g"])
def test_the_filter_of_a_scan_finds_nothing_in_what_an_index_does_not_carry(
    client: Any, new_table: Any, index: str
) -> None:
    name = new_table("p", "s", LocalSecondaryIndexes=[LOCAL], GlobalSecondaryIndexes=[GLOBAL])
    key = {"p": {"S": "x"}, "s": {"S": "1"}, "l": {"S": "z"}, "g": {"S": "x"}, "h": {"N": "1"}}
    client.put_item(TableName=name, Item={**key, "v": {"N": "1"}})
    scan: Any = partial(client.scan, TableName=name, IndexName=index, ReturnConsumedCapacity="TOTAL")
    there = scan(FilterExpression="v = :v", ExpressionAttributeValues={":v": {"N": "1"}})
    assert (there["Items"], there["ScannedCount"], there["ConsumedCapacity"]["CapacityUnits"]) == ([], 1, 0.5)
    absent = scan(ScanFilter={"v": {"ComparisonOperator": "NULL"}})
    assert [item["p"] for item in absent["Items"]] == [{"S": "x"}]
    assert "v" not in absent["Items"][0]
    if index == "by-l":  # what goes out is fetched from the table only where the filter lets it pass
        fetching = {"Select": "ALL_ATTRIBUTES", "ExpressionAttributeValues": {":v": {"S": "z"}}}
        assert scan(FilterExpression="l = :v", **fetching)["Items"][0]["v"] == {"N": "1"}
        assert scan(FilterExpression="l <> :v", **fetching)["ConsumedCapacity"]["CapacityUnits"] == 0.5


def test_queries_that_aws_refuses(client: Any, new_table: Any) -> None:
    name = new_table("p", "s", GlobalSecondaryIndexes=[GLOBAL])
    keyed = {"TableName": name, "ExpressionAttributeValues": {":v": {"S": "x"}}, "KeyConditionExpression": "p = :v"}
    on_index = {**keyed, "IndexName": "by-g", "KeyConditionExpression": "g = :v"}
    for request, message in (
        ({"TableName": name}, "Either the KeyConditions or KeyConditionExpression parameter must be specified"),
        ({**keyed, "IndexName": "absent"}, "The table does not have the specified index: absent"),
        ({**keyed, "FilterExpression": "s = :v"}, "Filter Expression can only contain non-primary key attributes"),
        ({**keyed, "Select": "SPECIFIC_ATTRIBUTES"}, "Must specify the AttributesToGet or ProjectionExpression"),
        ({**keyed, "Select": "ALL_PROJECTED_ATTRIBUTES"}, "ALL_PROJECTED_ATTRIBUTES can be used only when"),
        ({**on_index, "ConsistentRead": True}, "Consistent reads are not supported on global secondary indexes"),
        ({**on_index, "Select": "ALL_ATTRIBUTES"}, "One or more parameter values were invalid: Select type ALL_ATTR"),
        ({**on_index, "ProjectionExpression": "lost"}, "One or more parameter values were invalid: Global secondary"),
        ({**keyed, "Limit": 0}, "1 validation error detected: Value at 'Limit' failed to satisfy constraint"),
        ({**keyed, "ExclusiveStartKey": {"p": {"S": "x"}}}, "The provided starting key is invalid"),
        ({**keyed, "ExclusiveStartKey": {"p": {"S": "x"}, "q": {"S": "x"}}}, "The provided starting key is invalid"),
        ({**keyed, "ExclusiveStartKey": {"p": {"S": "x"}, "s": {"N": "1"}}}, "The provided key element does not match"),
        (
            {
                "TableName": name,
                "KeyConditions": {
                    "p": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x"}]},
                    "other": {"ComparisonOperator": "NULL"},
                },
            },
            "Query condition missed key schema element: s",
        ),
        (
            {**keyed, "ExclusiveStartKey": {"p": {"S": "y"}, "s": {"S": "z"}}},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
    ):
        assert message_of(lambda request=request: client.query(**request)).startswith(message)


def test_scan_segments_are_disjoint_and_complete(client: Any, new_table: Any) -> None:
    name = new_table("p")
    fill(client, name, [{"p": {"S": f"item {at}"}} for at in range(200)])
    parts = [
        [item["p"]["S"] for item in pages(client.scan, TableName=name, Segment=at, TotalSegments=5, Limit=7)]
        for at in range(5)
    ]
    assert all(parts)
    assert sorted(itertools.chain(*parts)) == sorted(f"item {at}" for at in range(200))


def test_scans_that_aws_refuses(client: Any, new_table: Any) -> None:
    name = new_table("p")
    for request, message in (
        ({"Segment": 1}, "The TotalSegments parameter is required"),
        ({"TotalSegments": 1}, "The Segment parameter is required"),
        ({"Segment": 2, "TotalSegments": 2}, "The Segment parameter is zero-based and must be less"),
        ({"TotalSegments": 1_000_001, "Segment": 1}, "1 validation error detected: Value '1000001' at 'totalSegments'"),
        ({"ExpressionAttributeValues": {":v": {"S": "x"}}}, "ExpressionAttributeValues can only be specified when"),
        ({"ExpressionAttributeNames": {"#n": "x"}}, "ExpressionAttributeNames can only be specified when using expr"),
    ):
        assert message_of(lambda request=request: client.scan(TableName=name, **request)).startswith(message)


def test_batch_get_reads_several_tables_and_projects(client: Any, new_table: Any) -> None:
    one, two = new_table("p"), new_table("p", "n")
    client.put_item(TableName=one, Item={"p": {"S": "x"}, "v": {"N": "1"}})
    fill(client, two, [{"p": {"S": "x"}, "n": {"N": str(at)}} for at in range(3)])
    answer = client.batch_get_item(
        RequestItems={
            one: {"Keys": [{"p": {"S": "x"}}, {"p": {"S": "absent"}}], "ProjectionExpression": "v"},
            two: {"Keys": [{"p": {"S": "x"}, "n": {"N": str(at)}} for at in range(3)], "ConsistentRead": True},
        },
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"][one] == [{"v": {"N": "1"}}]
    assert len(answer["Responses"][two]) == 3
    assert answer["UnprocessedKeys"] == {}
    assert {used["TableName"]: used["CapacityUnits"] for used in answer["ConsumedCapacity"]} == {one: 1.0, two: 3.0}


def test_batch_get_leaves_what_is_beyond_a_megabyte_of_a_partition(client: Any, new_table: Any) -> None:
    name = new_table("p")
    for at in range(45):
        client.put_item(TableName=name, Item={"p": {"S": str(at)}, "v": {"S": "x" * 400_000}})
    wish = {"Keys": [{"p": {"S": str(at)}} for at in range(45)], "ConsistentRead": True}
    answer = client.batch_get_item(RequestItems={name: wish})
    rest = answer["UnprocessedKeys"][name]
    assert rest["ConsistentRead"] is True
    assert len(answer["Responses"][name]) + len(rest["Keys"]) == 45
    # One partition gives 1 MB and the rest of the item that crosses it; a new on-demand table has four of them.
    assert 3 <= len(answer["Responses"][name]) <= 12
    found = {item["p"]["S"] for item in answer["Responses"][name]}
    while answer["UnprocessedKeys"]:
        answer = client.batch_get_item(RequestItems=answer["UnprocessedKeys"])
        found |= {item["p"]["S"] for item in answer["Responses"][name]}
    assert len(found) == 45


def test_batches_that_aws_refuses(client: Any, new_table: Any) -> None:
    name = new_table("p")
    key = {"p": {"S": "x"}}
    put = {"PutRequest": {"Item": key}}
    many = [{"p": {"S": str(at)}} for at in range(101)]
    for call, wish, message in (
        (client.batch_get_item, {name: {"Keys": [key, key]}}, "Provided list of item keys contains duplicates"),
        (client.batch_get_item, {name: {"Keys": many}}, "1 validation error detected: Value at 'RequestItems."),
        (client.batch_get_item, {}, "The requestItems parameter is required for BatchGetItem"),
        (client.batch_write_item, {name: [put, put]}, "Provided list of item keys contains duplicates"),
        (client.batch_write_item, {name: [put, {"DeleteRequest": {"Key": key}}]}, "Provided list of item keys"),
        (client.batch_write_item, {name: [{}]}, "Supplied AttributeValue has more than one datatypes set"),
        (
            client.batch_write_item,
            {name: [{"PutRequest": {"Item": {"q": {"S": "x"}}}}]},
            "The provided key element does not match the schema",
        ),
    ):
        assert message_of(lambda call=call, wish=wish: call(RequestItems=wish)).startswith(message)


def test_a_batch_is_refused_whole(client: Any, new_table: Any) -> None:
    name = new_table("p")
    message_of(
        lambda: client.batch_write_item(
            RequestItems={
                name: [{"PutRequest": {"Item": {"p": {"S": "x"}}}}, {"PutRequest": {"Item": {"p": {"N": "1"}}}}]
            }
        )
    )
    assert client.scan(TableName=name)["Count"] == 0


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("query", {"KeyConditions": {"p": {"ComparisonOperator": "LT", "AttributeValueList": [{"BOOL": True}]}}}),
        ("query", {"QueryFilter": {"p": {"ComparisonOperator": "LT", "AttributeValueList": [{"BOOL": True}]}}}),
        ("scan", {"ScanFilter": {"p": {"ComparisonOperator": "LT", "AttributeValueList": [{"BOOL": True}]}}}),
    ],
)
def test_operands_of_old_conditions_are_looked_at_before_the_table(
    client: Any, operation: str, more: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="ComparisonOperator LT is not valid for BOOL AttributeValue type"):
        getattr(client, operation)(TableName="Absent", **more)


def test_a_key_asked_for_twice_is_told_before_the_table(client: Any) -> None:
    key = {"p": {"S": "a"}, "s": {"N": "1"}}
    with pytest.raises(ClientError, match="Provided list of item keys contains duplicates"):
        client.batch_get_item(RequestItems={"Absent": {"Keys": [key, dict(reversed(key.items()))]}})
