"""Clients as people use them: the boto3 resource and PynamoDB, unmodified."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr, Key
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute, VersionAttribute
from pynamodb.connection import Connection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite


def test_the_boto3_resource(table_server: Any, new_table: Any) -> None:
    resource = boto3.resource("dynamodb", endpoint_url=table_server.url, **table_server.credentials)
    table = resource.Table(new_table("p", "n"))
    with table.batch_writer() as batch:
        for at in range(40):
            batch.put_item({"p": "x", "n": at, "w": at, "v": {"list": [Decimal("1.5"), None, {"a"}]}})
    found = table.query(
        KeyConditionExpression=Key("p").eq("x") & Key("n").between(10, 19),
        FilterExpression=Attr("w").gte(15) & Attr("v.list").exists(),
    )
    assert [int(item["n"]) for item in found["Items"]] == [15, 16, 17, 18, 19]
    assert found["Items"][0]["v"]["list"] == [Decimal("1.5"), None, {"a"}]
    table.update_item(
        Key={"p": "x", "n": 1}, UpdateExpression="SET w = :w", ExpressionAttributeValues={":w": b"\x00\x01"}
    )
    assert table.get_item(Key={"p": "x", "n": 1})["Item"]["w"].value == b"\x00\x01"
    assert table.item_count == 40


class ByEmail(GlobalSecondaryIndex):
    class Meta:
        index_name = "by-email"
        projection = AllProjection()

    email = UnicodeAttribute(hash_key=True)


class User(Model):
    class Meta:
        table_name = "PynamoUsers"
        region = "us-east-1"

    id = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    email = UnicodeAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    extra = JSONAttribute(null=True)
    by_email = ByEmail()
    version = VersionAttribute()


def test_pynamodb(table_server: Any) -> None:
    key = table_server.credentials
    meta: Any = User.Meta
    meta.host = table_server.url
    meta.aws_access_key_id, meta.aws_secret_access_key = key["aws_access_key_id"], key["aws_secret_access_key"]
    User.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    for at in range(20):
        User("a", at, email=f"e{at % 2}", tags={"x"}, extra={"at": [at]}).save()
    assert [user.number for user in User.query("a", User.number > 16)] == [17, 18, 19]
    assert len(list(User.by_email.query("e1"))) == 10
    assert len(list(User.scan(User.email == "e0", page_size=3))) == 10
    user = User.get("a", 3)
    user.update(actions=[User.tags.add({"y"})])
    user.refresh()
    assert (user.tags, user.version, user.extra) == ({"x", "y"}, 2, {"at": [3]})
    connection = Connection(host=table_server.url, region="us-east-1")
    connection.session.set_credentials(key["aws_access_key_id"], key["aws_secret_access_key"])
    with TransactWrite(connection=connection) as writing:
        writing.save(User("b", 1))
        writing.update(User.get("a", 2), actions=[User.email.set("new")])
    with TransactGet(connection=connection) as reading:
        future = reading.get(User, "b", 1)
    assert future.get().id == "b"
    User.delete_table()
