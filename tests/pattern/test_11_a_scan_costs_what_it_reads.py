"""Claim 11: Scan is slow and expensive: it is paid by what it reads, and pointed out with what would replace it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.pattern.conftest import Application, http
from trine.cli import waterfall
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Users:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: mail, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: by-mail
          KeySchema: [{AttributeName: mail, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
  Search:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: search.handler
      Runtime: python3.12
      Environment: {Variables: {TABLE: !Ref Users}}
      Policies:
        - DynamoDBReadPolicy: {TableName: !Ref Users}
      Events: {Get: {Type: Api, Properties: {Path: "/{how}", Method: get}}}
"""
SEARCH = """
import json, os, boto3
from boto3.dynamodb.conditions import Attr, Key
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    mail = event["queryStringParameters"]["mail"]
    if event["pathParameters"]["how"] == "scan":
        found = table.scan(FilterExpression=Attr("mail").eq(mail), ReturnConsumedCapacity="TOTAL")
    else:
        found = table.query(IndexName="by-mail", KeyConditionExpression=Key("mail").eq(mail),
                            ReturnConsumedCapacity="TOTAL")
    units = found["ConsumedCapacity"]["CapacityUnits"]
    return {"statusCode": 200, "body": json.dumps({"count": found["Count"], "units": float(units)})}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(Application(tmp_path_factory.mktemp("scan")).write(TEMPLATE, search=SEARCH)) as stack:
        client = stack.client("dynamodb")
        name = stack.description["tables"][0]["name"]
        for start in range(0, 100, 25):
            puts = [
                {"PutRequest": {"Item": {
                    "id": {"S": str(number)}, "mail": {"S": f"{number}@example.org"}, "text": {"S": "x" * 3_900},
                }}}
                for number in range(start, start + 25)
            ]  # fmt: skip
            assert not client.batch_write_item(RequestItems={name: puts})["UnprocessedItems"]
        yield stack


def _notes(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (step["detail"] for step in trace["steps"] if step["room"] == "dynamodb.access")
    for child in trace["children"]:
        yield from _notes(child)


def test_the_scan_pays_for_everything_it_read(stack: RunningStack) -> None:
    scanned = http("GET", f"{stack.url}/scan?mail=7@example.org").json()
    queried = http("GET", f"{stack.url}/query?mail=7@example.org").json()
    assert scanned["count"] == queried["count"] == 1
    assert scanned["units"] >= 48, "a hundred items of almost 4 KB, half a unit each"
    assert queried["units"] == 0.5


def test_the_scan_in_the_request_path_is_pointed_out_with_its_replacement(stack: RunningStack) -> None:
    answer = http("GET", f"{stack.url}/scan?mail=7@example.org")
    explained = stack.explain(answer.headers["x-amzn-requestid"])
    assert explained is not None
    (note,) = _notes(explained)
    assert note["instead"] == "Query the index by-mail with mail = …"
    assert (note["scannedCount"], note["returnedCount"]) == (100, 1)
    assert note["units"] == answer.json()["units"]

    (told,) = explained["receipt"]["pointedOut"]
    assert told["instead"] == note["instead"]
    assert told["usd"] == pytest.approx(note["units"] * 0.125e-6), "of an on-demand table, a read unit costs so much"
    assert any("instead: Query the index by-mail" in line for line in waterfall.render(explained))

    answer = http("GET", f"{stack.url}/query?mail=7@example.org")
    explained = stack.explain(answer.headers["x-amzn-requestid"])
    assert explained is not None
    assert not list(_notes(explained))
    assert explained["receipt"]["pointedOut"] == []


def test_a_month_of_it_costs_a_hundred_times_more(stack: RunningStack) -> None:
    for _ in range(3):
        for how in ("scan", "query"):
            http("GET", f"{stack.url}/{how}?mail=7@example.org")
    amounts = {group["name"]: group["amounts"] for group in stack.bill("index")["groups"]}
    table = stack.description["tables"][0]["name"]
    assert amounts[table]["table.read-unit"] > 90 * amounts[f"{table}/by-mail"]["table.read-unit"]
