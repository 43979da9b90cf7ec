"""Rules, schedules and buses through a stack whose time the tests move, with real functions and queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import wait_until
from trine.clock import ManualClock, SystemClock
from trine.testing import running
from trine.testing.running import RunningStack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: index.handler, Runtime: python3.11, Timeout: 20}}
Resources:
  Out: {Type: AWS::SQS::Queue, Properties: {QueueName: out}}
  Lost: {Type: AWS::SQS::Queue, Properties: {QueueName: lost}}
  LetEventsIn:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Out, !Ref Lost]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage, Resource: "*"}]
  Orders: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{SQSSendMessagePolicy: {QueueName: !GetAtt Out.QueueName}}]
      Environment: {Variables: {QUEUE_URL: !Ref Out}}
      InlineCode: |
        import boto3, json, os
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
      Events:
        Often: {Type: Schedule, Properties: {Schedule: rate(2 minutes), Name: often, Input: '{"every": "two"}'}}
        Daily:
          Type: ScheduleV2
          Properties:
            Name: daily
            ScheduleExpression: rate(1 day)
            ScheduleExpressionTimezone: Europe/Paris
            Input: '{"id": "<aws.scheduler.execution-id>"}'
        Big:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref Orders
            Pattern: {source: [shop], detail: {total: [{numeric: [">", 100]}]}}
  Direct:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [{prefix: direct}]}
      Targets:
        - Id: q
          Arn: !GetAtt Out.Arn
          InputTransformer: {InputPathsMap: {who: $.detail.who}, InputTemplate: '{"hello": <who>}'}
        - {Id: f, Arn: !GetAtt Forbidden.Arn, DeadLetterConfig: {Arn: !GetAtt Lost.Arn}}
        - {Id: s, Arn: "arn:aws:states:us-east-1:123456789012:stateMachine:m"}
  Told:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Orders
      EventPattern: {source: [lambda], detail-type: [Lambda Function Invocation Result - Success]}
      Targets: [{Id: q, Arn: !GetAtt Out.Arn}]
  Fine:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: fine
      InlineCode: "def handler(event, context): return {'well': event['n']}"
      EventInvokeConfig:
        DestinationConfig: {OnSuccess: {Type: EventBridge, Destination: !GetAtt Orders.Arn}}
  Forbidden:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: "def handler(event, context): return 1"}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory: Path = tmp_path_factory.mktemp("rules")
    (directory / "template.yaml").write_text(TEMPLATE)
    with running(directory, clock=ManualClock(SystemClock().now()), stack_name="rules") as running_stack:
        # A rate begins with a run. It is waited for before any test moves the clock: the function that still starts
        # would find its time used up, and be tried again at an instant that no test moves to.
        running_stack.advance(0)
        received(running_stack, lambda body: len(body.get("id", "")) == 36 and len(body) == 1)
        yield running_stack


def received(stack: RunningStack, wanted: Callable[[Any], bool], queue: str = "out") -> Any:
    """The message of a queue whose body is wanted, waited for by asking: the stack's clock stands still.

    The tests share the stack and come in any order; messages of others are left for them.
    """
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def look() -> Any:
        found = None
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
            "Messages", ()
        ):
            handle = message["ReceiptHandle"]
            if found is None and wanted(json.loads(message["Body"])):
                found = message
                sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
            else:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return found

    return wait_until(look, "such a message")


def test_rates_run_by_the_clock(stack: RunningStack) -> None:
    stack.advance(120)
    received(stack, lambda body: body == {"every": "two"})
    shown = stack.client("scheduler").get_schedule(Name="daily")
    assert (shown["ScheduleExpressionTimezone"], shown["GroupName"]) == ("Europe/Paris", "default")


def test_events_reach_the_targets_whose_pattern_means_them(stack: RunningStack) -> None:
    events = stack.client("events")
    entry = {"Source": "shop", "DetailType": "order", "EventBusName": "orders"}
    answer = events.put_events(
        Entries=[
            {**entry, "Detail": json.dumps({"total": 50})},
            {**entry, "Detail": json.dumps({"total": 500})},
            {**entry, "Detail": "no json"},
            {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"total": 500})},
        ]
    )
    assert [one.get("ErrorCode") for one in answer["Entries"]] == [None, None, "MalformedDetail", None]
    message = received(stack, lambda body: body.get("id") == answer["Entries"][1]["EventId"])
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "order", {"total": 500})
    assert set(event) == {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}


def test_what_a_target_refuses_is_a_dead_letter(stack: RunningStack) -> None:
    stack.client("events").put_events(Entries=[{"Source": "direct.x", "DetailType": "d", "Detail": '{"who": "you"}'}])
    received(stack, lambda body: body == {"hello": "you"})
    letter = received(stack, lambda body: True, "lost")
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert attributes["RULE_ARN"].startswith("arn:aws:events:us-east-1:123456789012:rule/")
    assert json.loads(letter["Body"])["detail"] == {"who": "you"}
    assert any("stateMachine" in note for note in stack.stack.wings.eventing.eventbridge.notes)


def test_an_outcome_goes_to_a_bus(stack: RunningStack) -> None:
    stack.client("lambda").invoke(FunctionName="fine", InvocationType="Event", Payload=b'{"n": 1}')
    event = json.loads(received(stack, lambda body: body.get("source") == "lambda")["Body"])
    assert event["resources"] == [
        "arn:aws:events:us-east-1:123456789012:event-bus/orders",
        "arn:aws:lambda:us-east-1:123456789012:function:fine:$LATEST",
    ]
    assert (event["detail"]["requestPayload"], event["detail"]["responsePayload"]) == ({"n": 1}, {"well": 1})


def test_the_apis_make_change_and_delete(stack: RunningStack) -> None:
    events, scheduler = stack.client("events"), stack.client("scheduler")
    arn = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.client("sqs").get_queue_url(QueueName="out")["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    events.put_rule(Name="mine", ScheduleExpression="rate(1 minute)")
    answer = events.put_targets(
        Rule="mine",
        Targets=[{"Id": "q", "Arn": arn}, {"Id": "x", "Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/c"}],
    )
    assert [one["TargetId"] for one in answer["FailedEntries"]] == ["x"]
    stack.advance(60)
    message = received(stack, lambda body: body.get("source") == "aws.events")
    event = json.loads(message["Body"])
    assert (event["detail-type"], event["source"], event["detail"]) == ("Scheduled Event", "aws.events", {})
    assert event["resources"] == [events.describe_rule(Name="mine")["Arn"]]
    with pytest.raises(ClientError, match="has targets"):
        events.delete_rule(Name="mine")
    events.remove_targets(Rule="mine", Ids=["q"])
    events.delete_rule(Name="mine")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.describe_rule(Name="mine")
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.put_rule(Name="bad", EventPattern='{"a": "b"}')
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        events.put_rule(Name="bad", ScheduleExpression="rate(1 minutes)")
    event = dict.fromkeys(("id", "account", "source", "time", "region", "detail-type"), "x")
    assert events.test_event_pattern(EventPattern='{"id": ["x"]}', Event=json.dumps(event))["Result"] is True
    with pytest.raises(ClientError, match="Parameter Event is not valid"):
        events.test_event_pattern(EventPattern='{"id": ["x"]}', Event='{"id": "x"}')
    daily = scheduler.get_schedule(Name="daily")
    now = stack.call(lambda: stack.stack.wings.clock.now())
    moment = datetime.fromtimestamp(now + 61, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    at = {"Name": "once", "ScheduleExpression": f"at({moment})", "FlexibleTimeWindow": {"Mode": "OFF"}}
    scheduler.create_schedule(**at, Target={**daily["Target"], "Input": '{"once": 1}'}, ActionAfterCompletion="DELETE")
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule(**at, Target=daily["Target"])
    with pytest.raises(scheduler.exceptions.ValidationException):
        scheduler.create_schedule(**{**at, "Name": "bad", "ScheduleExpression": "soon"}, Target=daily["Target"])
    scheduler.create_schedule(
        Name="unwanted", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=daily["Target"]
    )
    scheduler.delete_schedule(Name="unwanted")
    stack.advance(61)
    received(stack, lambda body: body == {"once": 1})
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name="once")


def test_groups_of_schedules_have_tags(stack: RunningStack) -> None:
    scheduler = stack.client("scheduler")
    made = scheduler.create_schedule_group(Name="tagged", Tags=[{"Key": "team", "Value": "a"}])
    group = {"ResourceArn": made["ScheduleGroupArn"]}
    scheduler.tag_resource(**group, Tags=[{"Key": "stage", "Value": "test"}])
    scheduler.untag_resource(**group, TagKeys=["team"])
    assert scheduler.list_tags_for_resource(**group)["Tags"] == [{"Key": "stage", "Value": "test"}]
    scheduler.delete_schedule_group(Name="tagged")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.list_tags_for_resource(**group)
    alarm = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
    with pytest.raises(scheduler.exceptions.ClientError):
        scheduler.list_tags_for_resource(ResourceArn=alarm)
