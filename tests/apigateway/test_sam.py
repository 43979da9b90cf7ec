"""A SAM template as people write it, expanded by aws-sam-translator, through the door: every guard at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trine.apigateway.quota import QuotaLedger
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_resources import build_usage
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.cloudformation.template import load_template

TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Cors: {AllowOrigin: "'https://shop.example'", AllowHeaders: "'x-token'", MaxAge: "'600'"}
      Variables: {TABLE: orders}
      MethodSettings: [{ResourcePath: "/~1limited", HttpMethod: GET, ThrottlingBurstLimit: 1, ThrottlingRateLimit: 1}]
      GatewayResponses:
        UNAUTHORIZED: {StatusCode: 401, ResponseTemplates: {application/json: '{"sorry":$context.error.messageString}'}}
      Models:
        Order: {type: object, required: [item], properties: {item: {type: string}}}
      Auth:
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers:
          Gate: {FunctionArn: !GetAtt Auth.Arn, Identity: {Header: X-Token, ReauthorizeEvery: 30}}
        ApiKeyRequired: false
        UsagePlan: {CreateUsagePlan: PER_API, Quota: {Limit: 2, Period: DAY}}
  Site:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ["https://shop.example"], AllowMethods: [GET]}
      Auth:
        Authorizers:
          Simple: {FunctionArn: !GetAtt Auth.Arn, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true,
                   Identity: {Headers: [X-Token]}}
  Auth:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, InlineCode: x}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.12
      InlineCode: x
      Events:
        Open: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: "/open/{id}", Method: get}}
        Any: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: "/any/{proxy+}", Method: any}}
        Limited: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /limited, Method: get}}
        Guarded: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /guarded, Method: get, Auth: {Authorizer: Gate}}}
        Keyed: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /keyed, Method: get, Auth: {ApiKeyRequired: true}}}
        Order: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /orders, Method: post,
                RequestModel: {Model: Order, Required: true, ValidateBody: true}}}
        Page: {Type: HttpApi, Properties: {ApiId: !Ref Site, Path: "/pages/{id}", Method: get}}
        Old: {Type: HttpApi, Properties: {ApiId: !Ref Site, Path: /old, Method: get, PayloadFormatVersion: "1.0"}}
        Member: {Type: HttpApi, Properties: {ApiId: !Ref Site, Path: /member, Method: get, Auth: {Authorizer: Simple}}}
        Rest: {Type: HttpApi, Properties: {ApiId: !Ref Site}}
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder: Path = tmp_path_factory.mktemp("sam")
    (folder / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    return list(load_template(folder / "template.yaml").resources.values())


@pytest.fixture
def door(resources: list[Any], make_door: Any) -> Any:
    clock = ManualClock(1_800_000_000.0)
    usage, _ = build_usage(resources, None, SeededIds(2), QuotaLedger(clock), Buckets(clock))
    return make_door(resources, usage=usage)


def test_nothing_is_missing(door: Any) -> None:
    assert door.gateway.problems == ()
    assert [api.kind for api in door.apis] == ["REST", "HTTP"]
    assert [stage.name for stage in door.apis[0].stages] == ["Prod", "Stage"]


def test_routes_and_variables(door: Any) -> None:
    event = door.event("GET", "/open/7")
    assert (event["resource"], event["pathParameters"]) == ("/open/{id}", {"id": "7"})
    assert event["stageVariables"] == {"TABLE": "orders"}
    assert door.event("PATCH", "/any/a/b")["pathParameters"] == {"proxy": "a/b"}


def test_cors_preflight_of_the_rest_api(door: Any, get_header: Any) -> None:
    response = door.call("OPTIONS", "/guarded")
    assert response.status == 200
    assert get_header(response, "Access-Control-Allow-Origin") == "https://shop.example"
    assert get_header(response, "Access-Control-Allow-Headers") == "x-token"
    assert "GET" in get_header(response, "Access-Control-Allow-Methods")


def test_throttled_method(door: Any) -> None:
    assert [door.call("GET", "/limited").status for _ in range(2)] == [200, 429]


def test_token_authorizer_and_its_gateway_response(door: Any) -> None:
    response = door.call("GET", "/guarded")
    assert (response.status, response.body) == (401, b'{"sorry":"Unauthorized"}')
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    policy = {"principalId": "u", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    door.invoker.answer = lambda r: policy if "Auth" in r.function else {"statusCode": 200}
    assert door.call("GET", "/guarded", {"X-Token": "t"}).status == 200
    assert door.invoker.event["requestContext"]["authorizer"]["principalId"] == "u"


def test_api_key_and_quota(door: Any) -> None:
    assert door.call("GET", "/keyed").body == b'{"message":"Forbidden"}'
    headers = {"x-api-key": door.gateway.usage.keys[0].value}
    assert [door.call("GET", "/keyed", headers).status for _ in range(3)] == [200, 200, 429]


def test_model(door: Any) -> None:
    assert door.call("POST", "/orders", {}, b"{}").body == b'{"message": "Invalid request body"}'
    assert door.call("POST", "/orders", {}, b'{"item":"x"}').status == 200


def test_the_http_api(door: Any, get_header: Any) -> None:
    base = f"/_apis/{door.apis[1].id}"
    event = door.event("GET", f"{base}/pages/7")
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "GET /pages/{id}", "/pages/7")
    assert door.event("GET", f"{base}/old")["version"] == "1.0"
    assert door.event("PUT", f"{base}/else")["routeKey"] == "$default"
    response = door.call("GET", f"{base}/pages/7", {"Origin": "https://shop.example"})
    assert get_header(response, "Access-Control-Allow-Origin") == "https://shop.example"
    assert door.call("GET", f"{base}/member").body == b'{"message":"Unauthorized"}'
    door.invoker.answer = lambda r: {"isAuthorized": False} if "Auth" in r.function else {"statusCode": 200}
    assert door.call("GET", f"{base}/member", {"X-Token": "t"}).body == b'{"message":"Forbidden"}'


def test_sam_s_permissions_fit_the_source_arns(door: Any, resources: list[Any]) -> None:
    """Each invocation names a source ARN that the permission SAM wrote for it covers."""
    import fnmatch

    patterns = [r.properties["SourceArn"] for r in resources if r.type == "AWS::Lambda::Permission"]
    base = f"/_apis/{door.apis[1].id}"
    for method, target in [("GET", "/open/7"), ("PUT", "/any/x/y"), ("GET", base + "/pages/1"), ("PUT", base + "/z")]:
        door.event(method, target)
        arn = door.invoker.requests[-1].caller.source_arn
        assert any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns), (arn, patterns)
