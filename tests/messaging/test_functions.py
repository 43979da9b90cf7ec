"""Functions and queues together: event source mappings, destinations, dead letters; rights on every hop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import wait_until
from trine.cloudformation.faults import TemplateFaults
from trine.testing import running
from trine.testing.running import RunningStack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: index.handler, Runtime: python3.11, Timeout: 1}}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: seen
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work, VisibilityTimeout: 1}}
  Failed: {Type: AWS::SQS::Queue, Properties: {QueueName: failed}}
  Letters: {Type: AWS::SQS::Queue, Properties: {QueueName: letters}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: worker
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Table}}]
      Environment: {Variables: {QUEUE_URL: !Ref Work}}
      InlineCode: |
        import boto3, json
        table = boto3.resource("dynamodb").Table("seen")
        def handler(event, context):
            failures = []
            for record in event["Records"]:
                count = table.update_item(Key={"id": record["body"]}, UpdateExpression="ADD seen :one",
                    ExpressionAttributeValues={":one": 1}, ReturnValues="UPDATED_NEW")["Attributes"]["seen"]
                if record["body"] == "twice" and count < 2:
                    failures.append({"itemIdentifier": record["messageId"]})
            return {"batchItemFailures": failures}
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt Work.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"body": [{"anything-but": "unwanted"}]}'}]}
  Broken:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: broken
      InlineCode: |
        def handler(event, context):
            raise ValueError("broken")
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Letters.Arn}
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: LATEST
            MaximumRetryAttempts: 0
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"id": {"S": ["poison"]}}}}'}]}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory: Path = tmp_path_factory.mktemp("functions")
    (directory / "template.yaml").write_text(TEMPLATE)
    with running(directory, stack_name="functions") as running_stack:
        yield running_stack


def receive(stack: RunningStack, queue: str) -> Any:
    """The next message of a queue (long polling), parsed and deleted."""
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"])["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message


def test_a_queue_invokes_its_function_and_what_failed_comes_again(stack: RunningStack) -> None:
    sqs, table = stack.client("sqs"), stack.client("dynamodb")
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    entries = [{"Id": body, "MessageBody": body} for body in ("once", "twice", "unwanted")]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def seen() -> dict[str, str]:
        items = table.scan(TableName="seen", ConsistentRead=True)["Items"]
        return {item["id"]["S"]: item["seen"]["N"] for item in items if "seen" in item}

    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    wait_until(lambda: seen() == {"once": "1", "twice": "2"}, "both to be worked off")

    def is_empty() -> bool:
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return set(counts.values()) == {"0"}

    wait_until(is_empty, "an empty queue")
    (mapping,) = stack.client("lambda").list_event_source_mappings(FunctionName="worker")["EventSourceMappings"]
    assert (mapping["State"], mapping["BatchSize"]) == ("Enabled", 10)


def test_what_became_of_an_event_is_read_from_its_queues_with_boto3(stack: RunningStack) -> None:
    stack.client("lambda").invoke(FunctionName="broken", InvocationType="Event", Payload=b'{"a": 1}')
    record = json.loads(receive(stack, "failed")["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert (record["requestPayload"], record["responsePayload"]["errorType"]) == ({"a": 1}, "ValueError")
    letter = receive(stack, "letters")
    assert json.loads(letter["Body"]) == {"a": 1}
    assert letter["MessageAttributes"]["ErrorCode"] == {"DataType": "Number", "StringValue": "200"}
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "broken"


def test_a_batch_that_was_given_up_is_told_with_its_place_in_the_stream(stack: RunningStack) -> None:
    stack.client("dynamodb").put_item(TableName="seen", Item={"id": {"S": "poison"}})
    document = json.loads(receive(stack, "failed")["Body"])
    place = document["DDBStreamBatchInfo"]
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert place["batchSize"] == 1
    streams = stack.client("dynamodbstreams")
    iterator = streams.get_shard_iterator(
        StreamArn=place["streamArn"],
        ShardId=place["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=place["startSequenceNumber"],
    )["ShardIterator"]
    (record, *_) = streams.get_records(ShardIterator=iterator)["Records"]
    assert record["dynamodb"]["Keys"] == {"id": {"S": "poison"}}


def test_the_api_makes_changes_and_deletes_mappings(stack: RunningStack) -> None:
    functions, sqs = stack.client("lambda"), stack.client("sqs")
    url = sqs.create_queue(QueueName="late")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage on SQS"):
        functions.create_event_source_mapping(FunctionName="broken", EventSourceArn=arn)
    role = functions.get_function_configuration(FunctionName="broken")["Role"].rpartition("/")[2]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": arn}]}
    stack.client("iam").put_role_policy(RoleName=role, PolicyName="late", PolicyDocument=json.dumps(policy))
    made = functions.create_event_source_mapping(FunctionName="broken", EventSourceArn=arn, BatchSize=1)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["State"], made["StateTransitionReason"]) == ("Creating", "USER_INITIATED")
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.create_event_source_mapping(FunctionName="broken", EventSourceArn=arn)
    changed = {"UUID": made["UUID"], "Enabled": False, "ScalingConfig": {"MaximumConcurrency": 2}}
    assert functions.update_event_source_mapping(**changed)["State"] == "Disabling"
    shown = functions.get_event_source_mapping(UUID=made["UUID"])
    assert (shown["State"], shown["ScalingConfig"]) == ("Disabled", {"MaximumConcurrency": 2})
    assert functions.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_event_source_mapping(UUID=made["UUID"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    with pytest.raises(ClientError, match="Queue visibility timeout: 0 seconds is less than Function timeout: 1"):
        functions.create_event_source_mapping(FunctionName="broken", EventSourceArn=arn)


def test_a_template_whose_function_may_not_read_its_source_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        """
Resources:
  Q: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  F:
    Type: AWS::Lambda::Function
    Properties: {Handler: index.handler, Runtime: python3.11, Role: !GetAtt Role.Arn, Code: {ZipFile: "x = 1"}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn}
"""
    )
    with pytest.raises(TemplateFaults) as refused, running(tmp_path):
        raise AssertionError("must not start")
    (fault,) = refused.value.faults
    assert "does not have permissions to call ReceiveMessage on SQS" in fault.message
    assert fault.line > 0


def test_the_first_mapping_of_a_stack_may_come_from_the_api(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        """
Transform: AWS::Serverless-2016-10-31
Resources:
  Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}
  Done: {Type: AWS::SQS::Queue, Properties: {QueueName: done}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: worker
      Runtime: python3.11
      Handler: index.handler
      Policies: [{SQSPollerPolicy: {QueueName: work}}, {SQSSendMessagePolicy: {QueueName: done}}]
      Environment: {Variables: {DONE: !Ref Done}}
      InlineCode: |
        import boto3, os
        def handler(event, context):
            (record,) = event["Records"]
            body = f'{record["body"]} {record.get("md5OfMessageAttributes", "no sum")}'
            boto3.client("sqs").send_message(QueueUrl=os.environ["DONE"], MessageBody=body)
"""
    )
    with running(tmp_path, stack_name="first") as stack:
        functions, sqs = stack.client("lambda"), stack.client("sqs")
        source = "arn:aws:sqs:us-east-1:123456789012:work"
        made = functions.create_event_source_mapping(FunctionName="worker", EventSourceArn=source)
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="work")["QueueUrl"], MessageBody="hello")
        done = sqs.get_queue_url(QueueName="done")["QueueUrl"]
        (message,) = sqs.receive_message(QueueUrl=done, WaitTimeSeconds=20)["Messages"]
        assert message["Body"] == "hello no sum"
        assert functions.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled"
