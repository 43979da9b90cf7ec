"""Streams through boto3: what is recorded, in which order, and where one can begin to read."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def streams(table_server: Any) -> Any:
    return table_server.client("dynamodbstreams")


def stream_arn(client: Any, name: str) -> str:
    return str(client.describe_table(TableName=name)["Table"]["LatestStreamArn"])


def shard_of(streams: Any, arn: str) -> dict[str, Any]:
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    return dict(shard)


def iterator(streams: Any, arn: str, kind: str, number: str | None = None) -> str:
    more = {"SequenceNumber": number} if number is not None else {}
    shard_id = shard_of(streams, arn)["ShardId"]
    return str(
        streams.get_shard_iterator(StreamArn=arn, ShardId=shard_id, ShardIteratorType=kind, **more)["ShardIterator"]
    )


def records(streams: Any, where: str, **more: Any) -> list[dict[str, Any]]:
    return list(streams.get_records(ShardIterator=where, **more)["Records"])


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", [set(), set(), set()]),
        ("NEW_IMAGE", [{"NewImage"}, {"NewImage"}, set()]),
        ("OLD_IMAGE", [set(), {"OldImage"}, {"OldImage"}]),
        ("NEW_AND_OLD_IMAGES", [{"NewImage"}, {"NewImage", "OldImage"}, {"OldImage"}]),
    ],
)
def test_each_view_records_what_it_promises(
    client: Any, streams: Any, new_table: Any, view: str, images: list[set[str]]
) -> None:
    name = new_table("p", StreamSpecification={"StreamEnabled": True, "StreamViewType": view})
    item = {"p": {"S": "x"}, "v": {"N": "1"}}
    client.put_item(TableName=name, Item=item)
    client.put_item(TableName=name, Item=item)  # changes nothing, so nothing is recorded
    client.put_item(TableName=name, Item={**item, "v": {"N": "2"}})
    client.delete_item(TableName=name, Key={"p": {"S": "x"}})
    client.delete_item(TableName=name, Key={"p": {"S": "x"}})
    found = records(streams, iterator(streams, stream_arn(client, name), "TRIM_HORIZON"))
    assert [record["eventName"] for record in found] == ["INSERT", "MODIFY", "REMOVE"]
    for record, image in zip(found, images, strict=True):
        body = record["dynamodb"]
        assert body["Keys"] == {"p": {"S": "x"}}
        assert body["StreamViewType"] == view
        assert {member for member in body if member.endswith("Image")} == image
        assert (record["eventSource"], record["awsRegion"]) == ("aws:dynamodb", "us-east-1")
    numbers = [record["dynamodb"]["SequenceNumber"] for record in found]
    assert numbers == sorted(numbers)
    assert len({record["eventID"] for record in found}) == 3


def test_all_four_kinds_of_iterators(client: Any, streams: Any, new_table: Any) -> None:
    name = new_table("p", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    arn = stream_arn(client, name)
    for at in range(4):
        client.put_item(TableName=name, Item={"p": {"S": str(at)}})
    latest = iterator(streams, arn, "LATEST")
    every = records(streams, iterator(streams, arn, "TRIM_HORIZON"))
    assert [record["dynamodb"]["Keys"]["p"]["S"] for record in every] == ["0", "1", "2", "3"]
    number = every[1]["dynamodb"]["SequenceNumber"]
    assert records(streams, iterator(streams, arn, "AT_SEQUENCE_NUMBER", number)) == every[1:]
    assert records(streams, iterator(streams, arn, "AFTER_SEQUENCE_NUMBER", number)) == every[2:]
    assert records(streams, latest) == []
    client.put_item(TableName=name, Item={"p": {"S": "later"}})
    assert len(records(streams, latest)) == 1
    page = streams.get_records(ShardIterator=iterator(streams, arn, "TRIM_HORIZON"), Limit=3)
    assert len(page["Records"]) == 3
    assert len(records(streams, page["NextShardIterator"])) == 2


def test_a_stream_that_is_switched_off_ends(client: Any, streams: Any, new_table: Any) -> None:
    name = new_table("p", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    arn = stream_arn(client, name)
    client.put_item(TableName=name, Item={"p": {"S": "x"}})
    client.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    client.put_item(TableName=name, Item={"p": {"S": "unseen"}})
    description = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert description["StreamStatus"] == "DISABLED"
    assert "EndingSequenceNumber" in description["Shards"][0]["SequenceNumberRange"]
    page = streams.get_records(ShardIterator=iterator(streams, arn, "TRIM_HORIZON"))
    assert (len(page["Records"]), "NextShardIterator" in page) == (1, False)
    client.update_table(TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    listed = [stream["StreamArn"] for stream in streams.list_streams(TableName=name)["Streams"]]
    assert listed == sorted({arn, stream_arn(client, name)})


def test_streams_are_listed_in_pages(client: Any, streams: Any, new_table: Any) -> None:
    made = set()
    for _ in range(3):
        name = new_table("p", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
        made.add(stream_arn(client, name))
    found: list[str] = []
    request: dict[str, Any] = {"Limit": 2}
    while True:
        answer = streams.list_streams(**request)
        found += [stream["StreamArn"] for stream in answer["Streams"]]
        if "LastEvaluatedStreamArn" not in answer:
            break
        request["ExclusiveStartStreamArn"] = answer["LastEvaluatedStreamArn"]
    assert made <= set(found)
    assert len(found) == len(set(found))


def test_what_is_no_stream_shard_iterator_or_number(client: Any, streams: Any, new_table: Any) -> None:
    name = new_table("p", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    arn = stream_arn(client, name)
    shard_id = shard_of(streams, arn)["ShardId"]
    at = {"StreamArn": arn, "ShardId": shard_id, "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
    for call, code in (
        (lambda: streams.describe_stream(StreamArn=arn + "x"), "ResourceNotFoundException"),
        (lambda: streams.describe_stream(StreamArn="x" * 40), "ValidationException"),
        (lambda: streams.get_records(ShardIterator="x" * 40), "ValidationException"),
        (lambda: streams.get_records(ShardIterator=f"{arn}|1|!!!"), "ValidationException"),
        (lambda: streams.get_shard_iterator(**at), "ValidationException"),
        (lambda: streams.get_shard_iterator(**at, SequenceNumber="7" * 30), "ValidationException"),
        (lambda: streams.get_shard_iterator(**{**at, "ShardId": "s" * 30}), "ValidationException"),
        (
            lambda: streams.get_shard_iterator(**{**at, "ShardId": "s" * 30, "SequenceNumber": "7" * 30}),
            "ResourceNotFoundException",
        ),
        (
            lambda: streams.get_shard_iterator(**{**at, "ShardIteratorType": "LATEST", "SequenceNumber": "7" * 30}),
            "ValidationException",
        ),
        (
            lambda: streams.get_records(ShardIterator=f"{arn.replace('us-east-1', 'eu-west-1')}|1|{'A' * 40}"),
            "ValidationException",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
