"""Tags, time to live, limits, endpoints and compressed bodies through boto3 and raw requests."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.compression import BodyTooLarge, UnreadableBody, chosen_encoding, compressed, plain_body
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.items import Write, commit_one
from trine.dynamodb.storage.stream import read_records
from trine.dynamodb.storage.sweep import Sweeper
from trine.dynamodb.storage.tables import Tables
from trine.kv.memory import MemoryStore


def refused(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_tags_are_set_listed_and_taken_off(client: Any, new_table: Any) -> None:
    name = new_table("p", Tags=[{"Key": "a", "Value": "1"}])
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    listed = client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert listed == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    client.untag_resource(ResourceArn=arn, TagKeys=["a", "absent"])
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": ""}]
    assert refused(lambda: client.list_tags_of_resource(ResourceArn=arn + "x")) == "ResourceNotFoundException"
    assert refused(lambda: client.list_tags_of_resource(ResourceArn="x")) == "ValidationException"
    many = [{"Key": str(at), "Value": ""} for at in range(51)]
    assert refused(lambda: client.tag_resource(ResourceArn=arn, Tags=many)) == "ValidationException"
    assert refused(lambda: client.tag_resource(ResourceArn=arn, Tags=[{"Key": "x!", "Value": ""}])) == (
        "ValidationException"
    )


def test_the_key_that_kms_keeps_for_dynamodb_has_an_id(client: Any, new_table: Any) -> None:
    def key_of(**specification: Any) -> str:
        name = new_table("p", SSESpecification={"Enabled": True, **specification})
        told = client.describe_table(TableName=name)["Table"]["SSEDescription"]
        assert (told["Status"], told["SSEType"]) == ("ENABLED", "KMS")
        return str(told["KMSMasterKeyArn"])

    managed = key_of()
    assert re.fullmatch(r"arn:aws:kms:us-east-1:\d{12}:key/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", managed)
    assert key_of(SSEType="KMS") == managed
    arn = managed[:-8] + "00000000"
    assert key_of(SSEType="KMS", KMSMasterKeyId=arn) == arn
    assert key_of(SSEType="KMS", KMSMasterKeyId=arn.partition("key/")[2]) == arn
    assert key_of(SSEType="KMS", KMSMasterKeyId="alias/mine").endswith(":alias/mine")


def test_time_to_live_is_switched_on_and_off(client: Any, new_table: Any) -> None:
    name = new_table("p")
    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}
    on = {"Enabled": True, "AttributeName": "until"}
    assert client.update_time_to_live(TableName=name, TimeToLiveSpecification=on)["TimeToLiveSpecification"] == on
    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "until",
    }
    again = {"TableName": name, "TimeToLiveSpecification": on}
    assert refused(lambda: client.update_time_to_live(**again)) == "ValidationException"
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={**on, "Enabled": False})
    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}


def test_items_expire_by_the_clock_and_their_record_names_the_service() -> None:
    async def run() -> None:
        clock = ManualClock()
        store = MemoryStore(clock)
        tables = Tables(store, DocumentCatalogue(store), Place(), clock, SeededIds(1))
        definition = TableDefinition.from_document(
            {
                "TableName": "Sessions",
                "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            }
        )
        stream = {"Number": 1, "Label": "x", "ViewType": "KEYS_ONLY", "CreatedAt": clock.now()}
        expiry = {"AttributeName": "until", "Status": "ENABLED"}
        table = await tables.create(definition, {"Streams": [stream], "TimeToLive": expiry})
        now = int(clock.now())
        until = {"soon": now + 60, "later": now + 3600, "ancient": now - 6 * 365 * 86400}
        for name, stamp in until.items():
            item = {"p": {"S": name}, "until": {"N": str(stamp)}}
            write = Write(table, table.space.key(item), lambda transition, item=item: transition.become(item))
            await commit_one(store, write, lambda _: None, clock.now())
        sweeper = Sweeper(store, tables, clock)

        def left() -> set[str]:
            return {name for name in until if store.get(table.space.key({"p": {"S": name}})) is not None}

        await sweeper.sweep()
        assert left() == {"soon", "later", "ancient"}
        clock.advance(61)
        await sweeper.sweep()
        assert left() == {"later", "ancient"}
        assert table.stream is not None
        records, _ = read_records(store, table.stream, table.stream.prefix, 10, clock.now())
        last = json.loads(records[-1].document("us-east-1"))
        assert (last["eventName"], last["userIdentity"]["PrincipalId"]) == ("REMOVE", "dynamodb.amazonaws.com")
        clock.advance(25 * 3600)
        await sweeper.sweep()
        assert left() == {"ancient"}
        records, _ = read_records(store, table.stream, table.stream.prefix, 10, clock.now())
        assert len(records) == 1  # the older ones have left the stream after a day

    asyncio.run(run())


def test_limits_endpoints_and_backups_are_told(client: Any, new_table: Any) -> None:
    assert client.describe_limits()["TableMaxReadCapacityUnits"] == 40_000
    (endpoint,) = client.describe_endpoints()["Endpoints"]
    assert endpoint["Address"] == "dynamodb.us-east-1.amazonaws.com"
    backups = client.describe_continuous_backups(TableName=new_table("p"))["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("", None),
        ("br, identity", None),
        ("deflate, gzip", "deflate"),
        ("gzip;q=0.2, deflate;q=0.5", "deflate"),
        ("*", "gzip"),
        ("*, gzip;q=0.5", "deflate"),
        ("*;q=0", None),
        ("gzip;q=x", "gzip"),
        ("gzip;q=-1", None),
    ],
)
def test_an_encoding_is_chosen_as_dynamodb_chooses(asked: str, chosen: str | None) -> None:
    assert chosen_encoding(asked) == chosen


@given(st.binary(max_size=300))
def test_bodies_survive_compression(body: bytes) -> None:
    assert plain_body(gzip.compress(body), b"gzip") == body
    assert plain_body(zlib.compress(body), b" DEFLATE ") == body
    assert plain_body(body, b"identity") == body
    assert gzip.decompress(compressed(body, b"gzip")[0]) == body
    assert compressed(body, None) == (body, None)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"", b"gzip"), (b"plain", b"gzip"), (gzip.compress(b"x", mtime=0)[:-1], b"gzip"),
     (gzip.compress(b"x", mtime=0) + b"junk", b"gzip"), (b"x", b"br")],
)  # fmt: skip
def test_bodies_that_cannot_be_read(body: bytes, encoding: bytes) -> None:
    with pytest.raises(UnreadableBody):
        plain_body(body, encoding)


def test_a_bomb_does_not_unfold() -> None:
    with pytest.raises(BodyTooLarge):
        plain_body(gzip.compress(bytes(64 * 1024 * 1024)), b"gzip")
