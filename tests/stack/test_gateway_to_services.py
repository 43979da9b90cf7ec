"""Straight from an API to a queue, a bus and a table, with no function between: as AWS's public patterns do it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.pattern.conftest import http
from trine.testing import running

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: direct
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}
              - {Effect: Allow, Action: events:PutEvents, Resource: "*"}
              - {Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Table.Arn}
  Rest: {Type: AWS::ApiGateway::RestApi, Properties: {Name: rest}}
  Messages:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: messages}
  Send:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Messages
      HttpMethod: POST
      AuthorizationType: NONE
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Credentials: !GetAtt Role.Arn
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Queue.QueueName}
        RequestParameters: {integration.request.header.Content-Type: "'application/x-www-form-urlencoded'"}
        RequestTemplates: {application/json: "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"}
        IntegrationResponses:
          - {StatusCode: 202, ResponseTemplates: {application/json: '{"accepted":true}'}}
          - {StatusCode: 500, SelectionPattern: "[45].."}
      MethodResponses: [{StatusCode: 202}]
  Things:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: things}
  Put:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Things
      HttpMethod: POST
      AuthorizationType: NONE
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Credentials: !GetAtt Role.Arn
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:dynamodb:action/PutItem
        RequestTemplates:
          application/json: '{"TableName":"things","Item":{"id":{"S":"$input.path(''$.id'')"}}}'
        IntegrationResponses: [{StatusCode: 200}, {StatusCode: 400, SelectionPattern: "400"}]
  Delete:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Things
      HttpMethod: DELETE
      AuthorizationType: NONE
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Credentials: !GetAtt Role.Arn
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:dynamodb:action/DeleteItem
        RequestTemplates: {application/json: '{"TableName":"things","Key":{"id":{"S":"x"}}}'}
        IntegrationResponses:
          - {StatusCode: 200}
          - {StatusCode: 403, SelectionPattern: "400", ResponseTemplates: {application/json: "$input.json('$.__type')"}}
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: [Send, Put, Delete], Properties: {RestApiId: !Ref Rest}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Rest, StageName: prod, DeploymentId: !Ref Deployment}
  Http: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: http, ProtocolType: HTTP}}
  ToQueue:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Http
      IntegrationType: AWS_PROXY
      IntegrationSubtype: SQS-SendMessage
      PayloadFormatVersion: "1.0"
      CredentialsArn: !GetAtt Role.Arn
      RequestParameters: {QueueUrl: !Ref Queue, MessageBody: $request.body.text}
  ToBus:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Http
      IntegrationType: AWS_PROXY
      IntegrationSubtype: EventBridge-PutEvents
      PayloadFormatVersion: "1.0"
      CredentialsArn: !GetAtt Role.Arn
      RequestParameters: {Detail: $request.body, DetailType: order, Source: shop}
  QueueRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Http, RouteKey: POST /queue, Target: !Sub "integrations/${ToQueue}"}
  BusRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Http, RouteKey: POST /bus, Target: !Sub "integrations/${ToBus}"}
  HttpStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Http, StageName: $default, AutoDeploy: true}}
"""


def test_apis_call_services(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    with running(tmp_path) as stack:
        assert stack.description["problems"] == []
        rest, plain = (f"{stack.url}/_apis/{api['id']}" for api in stack.description["apis"])

        def post(url: str, document: Any, method: str = "POST") -> tuple[int, Any]:
            body = json.dumps(document).encode()
            answer = http(method, url, body, {"Content-Type": "application/json"})
            return answer.status, answer.body

        assert post(f"{rest}/prod/messages", {"n": 1})[0] == 202
        assert post(f"{plain}/queue", {"text": "two & more"})[0] == 200
        assert post(f"{plain}/queue", {})[0] == 400
        sqs = stack.client("sqs")
        url = sqs.list_queues()["QueueUrls"][0]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert sorted(message["Body"] for message in found) == ["two & more", '{"n": 1}']

        status, body = post(f"{plain}/bus", {"order": 7})
        assert (status, json.loads(body)["FailedEntryCount"]) == (200, 0)

        assert post(f"{rest}/prod/things", {"id": "a"})[0] == 200
        item = stack.client("dynamodb").get_item(TableName="things", Key={"id": {"S": "a"}})["Item"]
        assert item == {"id": {"S": "a"}}
        status, body = post(f"{rest}/prod/things", {}, "DELETE")  # the role may not
        assert status == 403
        assert b"AccessDenied" in body
