"""Tables of several regions in one server: nothing of one is seen from another, over real clients and a restart."""

from __future__ import annotations

import asyncio
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.dynamodb.wing import TABLE
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.dispatch import TABLE_TARGET, operation_of
from trine.dynamodb.endpoint import DynamoDB
from trine.dynamodb.operations.operation import Rooms
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import TraceBook

KEY = {
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
def client_in(table_server: Any) -> Any:
    def made(region: str, service: str = "dynamodb") -> Any:
        credentials = {**table_server.credentials, "region_name": region}
        settings = Config(retries={"max_attempts": 0}, parameter_validation=False)
        return boto3.client(service, endpoint_url=table_server.url, config=settings, **credentials)

    return made


def test_tables_of_one_name_in_two_regions(client_in: Any) -> None:
    east, west = client_in("us-east-1"), client_in("eu-west-1")
    made = {}
    for client in (east, west):
        described = client.create_table(TableName="Twins", StreamSpecification={
            "StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}, **KEY)["TableDescription"]  # fmt: skip
        made[client.meta.region_name] = described
        client.put_item(TableName="Twins", Item={"p": {"S": client.meta.region_name}})
    assert made["us-east-1"]["TableArn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/Twins"
    assert made["eu-west-1"]["TableArn"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/Twins"
    assert made["eu-west-1"]["LatestStreamArn"].startswith(made["eu-west-1"]["TableArn"] + "/stream/")
    for client in (east, west):
        assert client.scan(TableName="Twins")["Items"] == [{"p": {"S": client.meta.region_name}}]
    streams = client_in("eu-west-1", "dynamodbstreams")
    (stream,) = streams.list_streams(TableName="Twins")["Streams"]
    shard = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"], ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = streams.get_records(ShardIterator=iterator)["Records"]
    assert (record["awsRegion"], record["dynamodb"]["Keys"]) == ("eu-west-1", {"p": {"S": "eu-west-1"}})
    with pytest.raises(ClientError) as refused:
        client_in("us-east-1", "dynamodbstreams").describe_stream(StreamArn=stream["StreamArn"])
    assert refused.value.response["Error"]["Code"] in {"ResourceNotFoundException", "AccessDeniedException"}
    west.delete_table(TableName="Twins")
    assert east.scan(TableName="Twins")["Count"] == 1
    assert "Twins" not in west.list_tables()["TableNames"]
    east.delete_table(TableName="Twins")


def test_what_is_only_in_another_region_is_not_found(client_in: Any) -> None:
    paris = client_in("eu-west-3")
    paris.create_table(TableName="OnlyInParis", **KEY)
    assert paris.list_tables()["TableNames"] == ["OnlyInParis"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client_in("us-east-1").get_item(TableName="OnlyInParis", Key={"p": {"S": "x"}})
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client_in("us-east-1").get_item(
            TableName="arn:aws:dynamodb:eu-west-3:123456789012:table/OnlyInParis", Key={"p": {"S": "x"}}
        )


def test_a_region_that_is_none(client_in: Any) -> None:
    with pytest.raises(ClientError) as refused:
        client_in("mars-north-1").list_tables()
    assert refused.value.response["Error"] == {
        "Code": "InvalidSignatureException",
        "Message": "Credential should be scoped to a valid region, not 'mars-north-1'. ",
    }


def test_localhost_means_the_server_s_own_region(client_in: Any) -> None:
    arn = client_in("localhost").create_table(TableName="Bench", **KEY)["TableDescription"]["TableArn"]
    assert arn == "arn:aws:dynamodb:us-east-1:123456789012:table/Bench"
    assert "Bench" in client_in("us-east-1").list_tables()["TableNames"]


def test_a_token_of_one_region_counts_for_nothing_in_another(client_in: Any) -> None:
    for at, region in enumerate(("us-east-1", "us-west-2")):
        client = client_in(region)
        client.create_table(TableName="Once", **KEY)
        put = {"Put": {"TableName": "Once", "Item": {"p": {"S": "same"}, "at": {"N": str(at)}}}}
        client.transact_write_items(TransactItems=[put], ClientRequestToken="the same token")
        assert client.get_item(TableName="Once", Key={"p": {"S": "same"}})["Item"]["at"] == {"N": str(at)}


async def _call(rooms: Rooms, name: str, **document: Any) -> dict[str, Any]:
    operation = operation_of(f"{TABLE_TARGET}{name}".encode())
    request = operation.decode(orjson.dumps(document))
    answer = operation.execute(rooms, request, operation.prepare(request))
    found: dict[str, Any] = orjson.loads(answer if isinstance(answer, bytes) else await answer)
    return found


def _service(store: MemoryStore, clock: ManualClock, region: str) -> DynamoDB:
    ids = SeededIds(1)
    return DynamoDB(store, clock, ids, Access(clock, ids), Place(region=region), TraceBook(clock))


def test_regions_stay_what_they_are_wherever_the_stack_stands_later() -> None:
    async def scenario() -> None:
        clock = ManualClock()
        store = MemoryStore(clock)
        first = _service(store, clock, "us-east-1")
        first.start()
        for region in ("us-east-1", "eu-west-1"):
            rooms = first.regions.rooms(region)
            await _call(rooms, "CreateTable", **TABLE)
            await _call(rooms, "PutItem", TableName="Notes", Item={"p": {"S": region}})
            await _call(rooms, "CreateBackup", TableName="Notes", BackupName="kept")
        await first.close()
        second = _service(store, clock, "eu-west-1")
        second.start()
        assert second.rooms is second.regions.rooms("eu-west-1")
        for region in ("us-east-1", "eu-west-1"):
            rooms = second.regions.rooms(region)
            assert (await _call(rooms, "Scan", TableName="Notes"))["Items"] == [{"p": {"S": region}}]
            (backup,) = (await _call(rooms, "ListBackups"))["BackupSummaries"]
            assert backup["BackupArn"].startswith(f"arn:aws:dynamodb:{region}:123456789012:table/Notes/backup/")
        assert await _call(second.regions.rooms("eu-north-1"), "ListTables") == {"TableNames": []}
        # An item of "p" and a name of nine characters, and its overhead; the other region's by its name.
        levels = {level.table: level.stored_bytes for level in second.regions.levels() if not level.index_name}
        assert levels == {"Notes": 1 + 9 + 100, "Notes@us-east-1": 1 + 9 + 100}
        backups = {what: gigabytes * 2**30 for meter, what, gigabytes in second.regions.held()}
        assert backups == {"kept": pytest.approx(10), "kept@us-east-1": pytest.approx(10)}
        await second.close()

    asyncio.run(scenario())


def test_items_of_another_region_expire_without_being_asked_for() -> None:
    async def scenario() -> None:
        clock = ManualClock()
        store = MemoryStore(clock)
        first = _service(store, clock, "us-east-1")
        first.start()
        rooms = first.regions.rooms("eu-west-1")
        await _call(rooms, "CreateTable", **TABLE)
        specification = {"AttributeName": "until", "Enabled": True}
        await _call(rooms, "UpdateTimeToLive", TableName="Notes", TimeToLiveSpecification=specification)
        item = {"p": {"S": "short"}, "until": {"N": str(int(clock.now()) + 60)}}
        await _call(rooms, "PutItem", TableName="Notes", Item=item)
        await first.close()
        second = _service(store, clock, "us-east-1")
        second.start()
        clock.advance(120)
        for _ in range(10_000):
            found = await _call(second.regions.rooms("eu-west-1"), "Scan", TableName="Notes")
            if not found["Items"]:
                break
            await asyncio.sleep(0)
        assert found["Items"] == []
        await second.close()

    asyncio.run(scenario())
