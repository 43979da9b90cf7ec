"""What a bill has of queues, topics, events, logs that no function writes, and of tables that are not usual."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pattern.conftest import http
from tests.waiting import wait_until
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      AccessLogSettings: {DestinationArn: !GetAtt Access.Arn, Format: "$context.routeKey ü"}
  Cached:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, Name: cached, CacheClusterEnabled: true, CacheClusterSize: "1.6"}
  Access: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: access}}
  Send:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      CodeUri: ./
      Handler: app.send
      Policies: [{SQSSendMessagePolicy: {QueueName: !GetAtt Waiting.QueueName}}]
      Environment: {Variables: {QUEUE: !Ref Waiting}}
      Events:
        Api: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /send, Method: get}}
        Cached: {Type: Api, Properties: {RestApiId: !Ref Cached, Path: /cached, Method: get}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      CodeUri: ./
      Handler: app.work
      Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt Worked.Arn, BatchSize: 1}}}
  Rare:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: Rare
      TableClass: STANDARD_INFREQUENT_ACCESS
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
  Waiting: {Type: AWS::SQS::Queue, Properties: {QueueName: waiting}}
  Worked: {Type: AWS::SQS::Queue, Properties: {QueueName: worked}}
  Ordered: {Type: AWS::SQS::Queue, Properties: {QueueName: ordered.fifo, FifoQueue: true}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: told}}
  OrderedTopic: {Type: AWS::SNS::Topic, Properties: {TopicName: told.fifo, FifoTopic: true}}
"""
CODE = """
import os

def send(event, context):
    import boto3
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody="x" * 65537)
    return {"statusCode": 200, "body": "sent"}

def work(event, context):
    return None
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder: Path = tmp_path_factory.mktemp("messages")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "app.py").write_text(CODE)
    with running(folder) as found:
        yield found


def _amounts(stack: RunningStack) -> dict[str, float]:
    return dict(stack.bill("service")["total"]["amounts"])


def _more(stack: RunningStack, before: dict[str, float], meter: str) -> float:
    return _amounts(stack).get(meter, 0.0) - before.get(meter, 0.0)


def test_a_functions_message_and_the_access_log_stand_on_the_receipt(stack: RunningStack) -> None:
    answer = http("GET", f"{stack.url}/send")
    assert answer.status == 200, answer.body
    explained = stack.explain(answer.headers["apigw-requestid"])
    assert explained is not None
    lines = {(line["meter"], line["what"]): line["amount"] for line in explained["receipt"]["lines"]}
    assert lines["queue.request", ""] == 2, "65,537 bytes are two times 64 KB"
    assert lines["logs.in-gb", ""] * 1024**3 == pytest.approx(len("GET /send ü".encode()))
    (route,) = [group for group in stack.bill("route")["groups"] if group["name"].endswith("GET /send")]
    assert route["amounts"]["queue.request"] >= 2
    assert route["counts"]["http"]["logBytes"] >= len("GET /send ü".encode())


def test_every_call_to_a_queue_counts(stack: RunningStack) -> None:
    client = stack.client("sqs")
    plain, ordered = (client.get_queue_url(QueueName=name)["QueueUrl"] for name in ("waiting", "ordered.fifo"))
    before = _amounts(stack)
    client.send_message(QueueUrl=ordered, MessageBody="a", MessageGroupId="g", MessageDeduplicationId="1")
    assert client.receive_message(QueueUrl=ordered)["Messages"][0]["Body"] == "a"
    client.get_queue_attributes(QueueUrl=ordered)  # of a FIFO queue, but no work on messages
    client.purge_queue(QueueUrl=plain)
    assert "Messages" not in client.receive_message(QueueUrl=plain), "an empty answer counts as well"
    assert _more(stack, before, "queue.fifo-request") == 2
    assert _more(stack, before, "queue.request") == 3


def test_a_queue_that_is_read_for_a_function_is_paid_for(stack: RunningStack) -> None:
    client = stack.client("sqs")
    url = client.get_queue_url(QueueName="worked")["QueueUrl"]
    before = _amounts(stack)
    client.send_message(QueueUrl=url, MessageBody="a")
    wait_until(lambda: _more(stack, before, "queue.request") >= 3)  # sent, received, deleted
    arn = "arn:aws:sqs:us-east-1:123456789012:worked"
    wait_until(lambda: [group["calls"] for group in stack.bill("caller")["groups"] if group["name"] == arn] == [1.0])


def test_topics_by_the_call_and_fifo_topics_by_the_message(stack: RunningStack) -> None:
    client = stack.client("sns")
    arns = {arn.rpartition(":")[2]: arn for arn in (one["TopicArn"] for one in client.list_topics()["Topics"])}
    before = _amounts(stack)
    client.publish(TopicArn=arns["told"], Message="x" * 65_537)
    entries = [
        {"Id": str(at), "Message": "x", "MessageGroupId": "g", "MessageDeduplicationId": str(at)} for at in (1, 2)
    ]
    client.publish_batch(TopicArn=arns["told.fifo"], PublishBatchRequestEntries=entries)
    assert _more(stack, before, "topic.request") == 2
    assert _more(stack, before, "topic.fifo-message") == 2


def test_events_of_ones_own_by_64_kb_and_only_those_that_were_taken(stack: RunningStack) -> None:
    client = stack.client("events")
    before = _amounts(stack)
    entry = {"Source": "mine", "DetailType": "told", "Detail": '{"a": 1}'}
    large = {**entry, "Detail": '{"a": "' + "x" * 65_537 + '"}'}
    answer = client.put_events(Entries=[entry, large, {**entry, "Detail": "no JSON"}])
    assert answer["FailedEntryCount"] == 1
    client.list_rules()
    assert _more(stack, before, "event.published") == 3


def test_lines_that_clients_put_into_logs(stack: RunningStack) -> None:
    client = stack.client("logs")
    client.create_log_stream(logGroupName="access", logStreamName="mine")
    before = _amounts(stack)
    now_ms = int(stack.stack.wings.clock.now() * 1000)
    new_ms = now_ms + 3 * 3_600_000
    events = [{"timestamp": now_ms, "message": "zwölf"}, {"timestamp": new_ms, "message": "too new"}]
    answer = client.put_log_events(logGroupName="access", logStreamName="mine", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert _more(stack, before, "logs.in-gb") * 1024**3 == pytest.approx(len("zwölf".encode()))


def test_tables_of_one_name_in_two_regions_and_of_another_class(stack: RunningStack) -> None:
    here = stack.client("dynamodb")
    there = stack.client("dynamodb", region_name="eu-west-1")
    here.put_item(TableName="Rare", Item={"id": {"S": "a"}})
    here.create_backup(TableName="Rare", BackupName="kept")
    keys: Any = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                 "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}  # fmt: skip
    there.create_table(TableName="Rare", BillingMode="PAY_PER_REQUEST", **keys)
    there.get_waiter("table_exists").wait(TableName="Rare")
    there.put_item(TableName="Rare", Item={"id": {"S": "a"}})
    there.put_item(TableName="Rare", Item={"id": {"S": "b"}})
    with pytest.raises(there.exceptions.ConditionalCheckFailedException):
        there.put_item(TableName="Rare", Item={"id": {"S": "b"}}, ConditionExpression="attribute_not_exists(id)")
    bill = stack.bill("table")
    groups = {group["name"]: group for group in bill["groups"]}
    assert groups["Rare"]["amounts"] == {"table.ia-write-unit": 1}
    assert groups["Rare@eu-west-1"]["amounts"]["table.write-unit"] >= 2
    assert groups["Rare@eu-west-1"]["counts"]["table"]["errors"] == 1
    standing = {(line["meter"], line["what"]) for line in bill["standing"]}
    assert {("table.ia-gb-month", "Rare"), ("table.gb-month", "Rare@eu-west-1")} <= standing
    assert {("table.pitr-gb-month", "Rare"), ("table.backup-gb-month", "kept")} <= standing


def test_a_cache_is_paid_by_the_hour(stack: RunningStack) -> None:
    (cache,) = [line for line in stack.bill("route")["standing"] if line["meter"].startswith("rest.cache")]
    assert (cache["meter"], cache["what"]) == ("rest.cache-1.6-gb-hour", "cached/v1")
    assert cache["usd"] == pytest.approx(cache["amount"] * 0.038)
    assert cache["amount"] >= 1 / 60
