"""Services that act for somebody else: each tried with the resource that a policy names, and with one of an intruder's.

The victim admits every service, for one source each. Whatever reaches it prints who sent it; what an intruder's rule,
topic, schedule, queue, API or URL sends is refused where it can be seen, and never arrives.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.waiting import wait_until
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: index.handler, Runtime: python3.11, Timeout: 20}}
Resources:
  Victim:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: victim
      InlineCode: |
        import json
        def handler(event, context):
            print("HEARD", json.dumps(event))
            return {"statusCode": 200, "body": "heard"}
  Lost: {Type: AWS::SQS::Queue, Properties: {QueueName: lost}}
  LostIsOpen:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Lost]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: [events.amazonaws.com, sns.amazonaws.com]}
            Action: sqs:SendMessage
            Resource: "*"

  GoodRule: &rule
    Type: AWS::Events::Rule
    Properties: &rule-properties
      EventPattern: {source: [good]}
      Targets: [{Id: t, Arn: !GetAtt Victim.Arn, DeadLetterConfig: {Arn: !GetAtt Lost.Arn}}]
  EvilRule: {<<: *rule, Properties: {<<: *rule-properties, EventPattern: {source: [evil]}}}
  RuleMay:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Victim
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !GetAtt GoodRule.Arn

  GoodTopic: {Type: AWS::SNS::Topic}
  EvilTopic: {Type: AWS::SNS::Topic}
  GoodSubscription: &subscription
    Type: AWS::SNS::Subscription
    Properties: &subscription-properties
      Protocol: lambda
      Endpoint: !GetAtt Victim.Arn
      TopicArn: !Ref GoodTopic
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Lost.Arn}
  EvilSubscription: {<<: *subscription, Properties: {<<: *subscription-properties, TopicArn: !Ref EvilTopic}}
  TopicMay:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Victim
      Action: lambda:InvokeFunction
      Principal: sns.amazonaws.com
      SourceArn: !Ref GoodTopic

  Guarded: {Type: AWS::SQS::Queue}
  GuardedPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Guarded]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: "*"
            Condition: {ArnEquals: {"aws:SourceArn": !Ref GoodTopic}}
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: "*"
            Condition: {StringEquals: {"aws:SourceAccount": "999999999999"}}
  GoodToQueue: &to-queue
    Type: AWS::SNS::Subscription
    Properties: &to-queue-properties
      Protocol: sqs
      RawMessageDelivery: true
      Endpoint: !GetAtt Guarded.Arn
      TopicArn: !Ref GoodTopic
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Lost.Arn}
  EvilToQueue: {<<: *to-queue, Properties: {<<: *to-queue-properties, TopicArn: !Ref EvilTopic}}
  OtherAccountsRule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [account]}
      Targets: [{Id: t, Arn: !GetAtt Guarded.Arn, DeadLetterConfig: {Arn: !GetAtt Lost.Arn}}]

  SchedulerRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: scheduler.amazonaws.com}
            Action: sts:AssumeRole
            Condition:
              StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}
              ArnLike: {"aws:SourceArn": !Sub "arn:aws:scheduler:*:${AWS::AccountId}:schedule/default/good*"}
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Victim.Arn}
              - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Lost.Arn}

  GoodApi: &api
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: good, ProtocolType: HTTP, Target: !GetAtt Victim.Arn}
  EvilApi: {<<: *api, Properties: {Name: evil, ProtocolType: HTTP, Target: !GetAtt Victim.Arn}}
  ApiMay:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Victim
      Action: lambda:InvokeFunction
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${GoodApi}/*

  RestApi: {Type: AWS::ApiGateway::RestApi, Properties: {Name: rest}}
  Roles: &resource
    Type: AWS::ApiGateway::Resource
    Properties: &resource-properties
      {RestApiId: !Ref RestApi, ParentId: !GetAtt RestApi.RootResourceId, PathPart: trusting}
  Distrust: {<<: *resource, Properties: {<<: *resource-properties, PathPart: distrust}}
  Powerless: {<<: *resource, Properties: {<<: *resource-properties, PathPart: powerless}}
  TrustingGet: &method
    Type: AWS::ApiGateway::Method
    Properties: &method-properties
      RestApiId: !Ref RestApi
      ResourceId: !Ref Roles
      HttpMethod: GET
      AuthorizationType: NONE
      Integration: &integration
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Credentials: !GetAtt GatewayRole.Arn
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Victim.Arn}/invocations
  DistrustGet:
    <<: *method
    Properties:
      <<: *method-properties
      ResourceId: !Ref Distrust
      Integration: {<<: *integration, Credentials: !GetAtt SchedulerRole.Arn}
  PowerlessGet:
    <<: *method
    Properties:
      <<: *method-properties
      ResourceId: !Ref Powerless
      Integration: {<<: *integration, Credentials: !GetAtt EmptyRole.Arn}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: [TrustingGet, DistrustGet, PowerlessGet]
    Properties: {RestApiId: !Ref RestApi, StageName: v1}
  GatewayRole: &gateway-role
    Type: AWS::IAM::Role
    Properties: &gateway-role-properties
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Victim.Arn}]
  EmptyRole: {<<: *gateway-role, Properties: {<<: *gateway-role-properties, Policies: []}}

  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Victim, AuthType: NONE}}
  UrlMay:
    Type: AWS::Lambda::Permission
    Properties:
      {FunctionName: !Ref Victim, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: AWS_IAM}

  SocketApi:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: sockets, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  SocketIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref SocketApi
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Victim.Arn}/invocations
  SocketConnect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref SocketApi, RouteKey: $connect, Target: !Sub "integrations/${SocketIntegration}"}
  SocketStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref SocketApi, StageName: v1, AutoDeploy: true}}
Outputs:
  GoodTopic: {Value: !Ref GoodTopic}
  EvilTopic: {Value: !Ref EvilTopic}
  Guarded: {Value: !Ref Guarded}
  Lost: {Value: !Ref Lost}
  LostArn: {Value: !GetAtt Lost.Arn}
  Victim: {Value: !GetAtt Victim.Arn}
  SchedulerRole: {Value: !GetAtt SchedulerRole.Arn}
  EmptyRole: {Value: !GetAtt EmptyRole.Arn}
"""


class Scene:
    """The running stack, and what arrived where."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}

    def heard(self) -> list[str]:
        """What the victim was invoked with."""
        logs = self.stack.client("logs")
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/victim")["events"]
        except logs.exceptions.ResourceNotFoundException:  # it was never invoked
            return []
        return [event["message"] for event in events if event["message"].startswith("HEARD")]

    def received(self, queue: str) -> list[dict[str, Any]]:
        """Messages that wait in the queue; they are taken out."""
        sqs, url = self.stack.client("sqs"), self.outputs[queue]
        wanted = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        messages = sqs.receive_message(**wanted).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(messages)

    def lost(self, count: int = 1) -> list[dict[str, Any]]:
        """The next `count` dead letters."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            if len(found) < count:
                found.extend(self.received("Lost"))
            return len(found) >= count

        wait_until(enough)
        return found

    def get(self, url: str) -> int:
        """The status of an answer."""
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def api(self, name: str) -> str:
        """Where an API answers by its path."""
        found = next(one for one in self.stack.description["apis"] if one["name"] == name)
        return str(found["stages"][0]["pathUrl"])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    path = Path(tmp_path_factory.mktemp("deputies")) / "template.yaml"
    path.write_text(TEMPLATE)
    with running(path) as stack:
        yield Scene(stack)


def test_a_rule_that_the_function_does_not_name(scene: Scene) -> None:
    events = scene.stack.client("events")
    for source in ("good", "evil"):
        events.put_events(Entries=[{"Source": source, "DetailType": "d", "Detail": '{"by": "rule"}'}])
    (letter,) = scene.lost()
    assert json.loads(letter["Body"])["source"] == "evil"
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    wait_until(lambda: any('"source": "good"' in line for line in scene.heard()))
    assert not any('"source": "evil"' in line for line in scene.heard())


def test_a_topic_that_neither_function_nor_queue_names(scene: Scene) -> None:
    sns = scene.stack.client("sns")
    sns.publish(TopicArn=scene.outputs["EvilTopic"], Message="evil topic")
    assert len(scene.lost(2)) == 2, "one for the function, one for the queue"
    sns.publish(TopicArn=scene.outputs["GoodTopic"], Message="good topic")
    wait_until(lambda: any("good topic" in line for line in scene.heard()))
    assert not any("evil topic" in line for line in scene.heard())
    found = wait_until(lambda: scene.received("Guarded"))
    assert [message["Body"] for message in found] == ["good topic"]


def test_a_service_that_acts_for_another_account(scene: Scene) -> None:
    entry = {"Source": "account", "DetailType": "d", "Detail": "{}"}
    scene.stack.client("events").put_events(Entries=[entry])
    (letter,) = scene.lost()
    assert json.loads(letter["Body"])["source"] == "account"


def test_a_schedule_that_the_role_does_not_trust(scene: Scene) -> None:
    scheduler = scene.stack.client("scheduler")
    target = {"Arn": scene.outputs["Victim"], "RoleArn": scene.outputs["SchedulerRole"],
              "RetryPolicy": {"MaximumRetryAttempts": 0}}  # fmt: skip
    for name in ("evil", "good-one"):
        scheduler.create_schedule(
            Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
            Target={**target, "Input": json.dumps({"schedule": name})},
        )  # fmt: skip
    wait_until(lambda: any("good-one" in line for line in scene.heard()))
    assert not any('"schedule": "evil"' in line for line in scene.heard())


def test_an_api_that_the_function_does_not_name(scene: Scene) -> None:
    assert scene.get(scene.api("good")) == 200
    assert scene.get(scene.api("evil")) == 500


def test_roles_that_a_gateway_is_lent(scene: Scene) -> None:
    root = scene.api("rest")
    assert scene.get(root + "trusting") == 200
    assert scene.get(root + "distrust") == 500, "a role that trusts another service"
    assert scene.get(root + "powerless") == 500, "a role that may not invoke"


def test_a_url_whose_permission_is_for_another_kind_of_it(scene: Scene) -> None:
    url = scene.stack.description["functionUrls"][0]["pathUrl"]
    before = len(scene.heard())
    assert scene.get(url) == 403
    assert len(scene.heard()) == before


def test_a_socket_api_that_the_function_does_not_name(scene: Scene) -> None:
    url = next(one for one in scene.stack.description["apis"] if one["name"] == "sockets")["stages"][0]["pathUrl"]

    async def status() -> int:
        try:
            async with connect(url.replace("http://", "ws://")):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    before = len(scene.heard())
    assert asyncio.run(status()) in (500, 502)
    assert len(scene.heard()) == before


@pytest.mark.parametrize("operation", ["create_function", "create_schedule", "put_targets", "create_group"])
def test_who_may_not_pass_a_role_hands_it_to_nobody(scene: Scene, operation: str) -> None:
    """A user with every right but `iam:PassRole` cannot borrow a role through a service."""
    iam = scene.stack.client("iam")
    name = f"ambitious-{operation}"
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name, PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}),
    )  # fmt: skip
    key = iam.create_access_key(UserName=name)["AccessKey"]
    role = scene.outputs["SchedulerRole"]
    service, given = {
        "create_function": ("lambda", {"FunctionName": "mine", "Runtime": "python3.11", "Role": role, "Handler": "a.b",
                                       "Code": {"ZipFile": b"PK\x05\x06" + bytes(18)}}),
        "create_schedule": ("scheduler", {"Name": "mine", "ScheduleExpression": "rate(1 hour)",
                                          "FlexibleTimeWindow": {"Mode": "OFF"},
                                          "Target": {"Arn": scene.outputs["Victim"], "RoleArn": role}}),
        "put_targets": ("events", {"Rule": "mine", "Targets": [
            {"Id": "t", "Arn": scene.outputs["LostArn"], "RoleArn": role}]}),
        "create_group": ("cognito-idp", {"GroupName": "mine", "UserPoolId": "us-east-1_none", "RoleArn": role}),
    }[operation]  # fmt: skip
    client = boto3.client(
        service, endpoint_url=scene.stack.aws_url, region_name="us-east-1", aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**given)
    told = refused.value.response["Error"]
    assert told["Code"] in ("AccessDeniedException", "AccessDenied")
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in told["Message"]
