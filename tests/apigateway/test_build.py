"""From template resources to APIs: documents, plain resources, quick create, stages, strange input."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.api import Authorization, IntegrationType, function_of
from trine.apigateway.build import build_apis, build_http_api, build_rest_api
from trine.aws.arn import Place


@pytest.fixture
def uri(function_arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def test_plain_rest_resources(resource: Any, uri: str, make_door: Any, function_arn: str) -> None:
    method = {
        "RestApiId": "r1",
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri},
    }
    resources = [
        resource("Api", "AWS::ApiGateway::RestApi", "r1", {"Name": "plain"}),
        resource(
            "Users", "AWS::ApiGateway::Resource", "res1", {"RestApiId": "r1", "ParentId": "root", "PathPart": "users"}
        ),
        resource(
            "User", "AWS::ApiGateway::Resource", "res2", {"RestApiId": "r1", "ParentId": "res1", "PathPart": "{id}"}
        ),
        resource("Root", "AWS::ApiGateway::Method", "m0", {**method, "ResourceId": "root"}),
        resource("Get", "AWS::ApiGateway::Method", "m1", {**method, "ResourceId": "res2", "ApiKeyRequired": True}),
        resource("Dep", "AWS::ApiGateway::Deployment", "dep1", {"RestApiId": "r1", "StageName": "live"}),
    ]
    api = build_apis(resources)[0]
    assert [(r.key, r.resource_id) for r in api.routes] == [("GET /", "root"), ("GET /users/{id}", "res2")]
    assert api.routes[1].api_key_required
    assert api.routes[0].integration.function == function_arn
    assert [(s.name, s.deployment_id) for s in api.stages] == [("live", "dep1")]
    assert api.name == "plain"
    event = make_door(resources).event("GET", "/")
    assert event["requestContext"]["resourceId"] == "root"
    assert event["requestContext"]["path"] == "/live/"


def test_plain_http_resources(resource: Any, function_arn: str) -> None:
    resources = [
        resource(
            "Api",
            "AWS::ApiGatewayV2::Api",
            "h1",
            {"Name": "plain", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": "3"}},
        ),
        resource(
            "Int",
            "AWS::ApiGatewayV2::Integration",
            "int1",
            {
                "ApiId": "h1",
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": function_arn,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 1000,
            },
        ),
        resource(
            "R1",
            "AWS::ApiGatewayV2::Route",
            "ro1",
            {"ApiId": "h1", "RouteKey": "GET /users", "Target": "integrations/int1"},
        ),
        resource(
            "R2",
            "AWS::ApiGatewayV2::Route",
            "ro2",
            {"ApiId": "h1", "RouteKey": "$default", "Target": "integrations/int1"},
        ),
        resource(
            "R3",
            "AWS::ApiGatewayV2::Route",
            "ro3",
            {"ApiId": "h1", "RouteKey": "GET /lost", "Target": "integrations/none"},
        ),
        resource(
            "S",
            "AWS::ApiGatewayV2::Stage",
            "$default",
            {"ApiId": "h1", "StageName": "$default", "StageVariables": {"a": "b"}},
        ),
    ]
    api = build_apis(resources)[0]
    assert [r.key for r in api.routes] == ["GET /users", "$default", "GET /lost"]
    assert api.routes[0].integration.function == function_arn
    assert api.routes[0].integration.timeout_seconds == 1.0
    assert api.routes[0].integration.payload_version == "2.0"
    assert api.routes[2].integration.type is IntegrationType.NOT_BUILT
    assert api.problems == ("GET /lost: its target none is unknown",)
    assert api.cors is not None
    assert api.cors.max_age_seconds == 3
    assert dict(api.stages[0].variables) == {"a": "b"}


def test_quick_create(resource: Any, function_arn: str, make_door: Any) -> None:
    resources = [resource("Api", "AWS::ApiGatewayV2::Api", "q1", {"ProtocolType": "HTTP", "Target": function_arn})]
    event = make_door(resources).event("PUT", "/anything/at/all")
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["requestContext"]["stage"] == "$default"


def test_quick_create_with_route_key(function_arn: str) -> None:
    api = build_http_api("q1", {"Target": function_arn, "RouteKey": "GET /only"})
    assert [r.key for r in api.routes] == ["GET /only"]


def test_the_stage_resource_stands_before_the_deployments_stage(rest: Any, resource: Any, lambda_proxy: Any) -> None:
    """SAM's Deployment makes a stage called "Stage"; the default must still be Prod."""
    extra = resource(
        "Dep", "AWS::ApiGateway::Deployment", "RestDeployment018279f2de", {"RestApiId": "rest01", "StageName": "Stage"}
    )
    api = build_apis([extra, *rest({"/x": {"get": lambda_proxy()}})])[0]
    assert [s.name for s in api.stages] == ["Prod", "Stage"]
    assert len(api.stages[1].deployment_id) == 6


def test_security_of_a_sam_document(rest: Any, lambda_proxy: Any, uri: str) -> None:
    body = {
        "securityDefinitions": {
            "Mine": {
                "type": "apiKey",
                "name": "X-Token",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": uri,
                    "authorizerResultTtlInSeconds": 10,
                },
            },
            "Pool": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "cognito_user_pools",
                "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": ["arn:pool"]},
            },
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "AWS_IAM": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
        },
    }
    paths = {
        "/a": {"get": lambda_proxy(security=[{"Mine": []}, {"api_key": []}])},
        "/b": {"get": lambda_proxy(security=[{"Pool": ["s1", "s2"]}])},
        "/c": {"get": lambda_proxy(security=[{"AWS_IAM": []}])},
        "/d": {"get": lambda_proxy(security=[{"NONE": []}])},
    }
    api = build_apis(rest(paths, body=body))[0]
    a, b, c, d = api.routes
    assert (a.authorization, a.authorizer, a.api_key_required) == (Authorization.CUSTOM, "Mine", True)
    assert (b.authorization, b.authorizer, b.scopes) == (Authorization.COGNITO, "Pool", ("s1", "s2"))
    assert (c.authorization, c.authorizer) == (Authorization.AWS_IAM, None)
    assert (d.authorization, d.authorizer, d.api_key_required) == (Authorization.NONE, None, False)
    mine = api.authorizers["Mine"]
    assert (mine.kind, mine.identity_sources, mine.ttl_seconds) == ("TOKEN", ("method.request.header.X-Token",), 10)


def test_a_jwt_authorizer_of_an_http_api(http: Any, lambda_proxy: Any) -> None:
    scheme = {
        "type": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": "https://issuer", "audience": ["a", "b"]},
        },
    }
    paths = {"/a": {"get": lambda_proxy(security=[{"J": ["s1"]}])}}
    api = build_apis(http(paths, body={"components": {"securitySchemes": {"J": scheme}}}))[0]
    assert (api.routes[0].authorization, api.routes[0].scopes) == (Authorization.JWT, ("s1",))
    jwt = api.authorizers["J"]
    assert (jwt.issuer, jwt.audience) == ("https://issuer", ("a", "b"))


def test_references_inside_a_document(http: Any, uri: str) -> None:
    body = {"components": {"x-amazon-apigateway-integrations": {"hello": {"type": "AWS_PROXY", "uri": uri}}}}
    paths = {
        "/a": {
            "get": {"x-amazon-apigateway-integration": {"$ref": "#/components/x-amazon-apigateway-integrations/hello"}}
        }
    }
    assert build_apis(http(paths, body=body))[0].routes[0].integration.type is IntegrationType.AWS_PROXY


def test_websocket_apis_are_not_served_as_http(resource: Any, make_door: Any) -> None:
    resources = [
        resource("W", "AWS::ApiGatewayV2::Api", "w1", {"ProtocolType": "WEBSOCKET"}),
        resource("S", "AWS::ApiGatewayV2::Stage", "prod", {"ApiId": "w1", "StageName": "prod"}),
    ]
    assert build_apis(resources)[0].kind == "WEBSOCKET"
    assert make_door(resources).call("GET", "/").status == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "paths",
                    "/x",
                    "get",
                    "security",
                    "x-amazon-apigateway-integration",
                    "parameters",
                    "in",
                    "$ref",
                    "type",
                    "uri",
                    "responses",
                    "x-amazon-apigateway-cors",
                    "components",
                    "definitions",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(st.sampled_from(["paths", "components", "security", "securityDefinitions", "definitions"]), JSON)
)
@settings(max_examples=200)
def test_strange_documents_never_raise(body: Any) -> None:
    assert build_rest_api("r", {"Body": body}).id == "r"
    assert build_http_api("h", {"Body": body}).id == "h"


def test_an_import_fills_in_account_partition_and_region(rest: Any, lambda_proxy: Any) -> None:
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f:${stageVariables.x}/invocations"
    )
    resources = rest({"/users": {"get": lambda_proxy(integration={"uri": uri})}})
    api = build_apis(resources, Place("111122223333", "eu-west-1"))[0]
    function = "arn:aws:lambda:eu-west-1:111122223333:function:f:${stageVariables.x}"
    assert api.routes[0].integration.function == function


def test_a_rest_path_loses_its_trailing_slash(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    door = make_door(rest({"/users/": {"get": lambda_proxy()}, "/": {"get": lambda_proxy()}}))
    assert [route.path for route in door.apis[0].routes] == ["/users", "/"]
    for path in ("/users", "/users/"):
        assert door.event("GET", path)["resource"] == "/users"
        caller = door.invoker.requests[-1].caller
        assert caller is not None
        assert caller.source_arn.endswith("/Prod/GET/users")


def test_a_streaming_uri_names_its_function(function_arn: str) -> None:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/{function_arn}/response-streaming-invocations"
    assert function_of(uri) == function_arn


def test_a_deployment_describes_its_stage(resource: Any, make_door: Any) -> None:
    description = {
        "Variables": {"table": "users"},
        "ThrottlingRateLimit": 5,
        "ThrottlingBurstLimit": 2,
        "LoggingLevel": "INFO",
        "AccessLogSetting": {"DestinationArn": "arn:aws:logs:x", "Format": "$context.requestId"},
        "MethodSettings": [{"HttpMethod": "GET", "ResourcePath": "/x", "ThrottlingRateLimit": 1}],
    }
    canary = {"PercentTraffic": 10, "StageVariableOverrides": {"table": "new"}}
    properties = {
        "RestApiId": "r1",
        "StageName": "live",
        "StageDescription": description,
        "DeploymentCanarySettings": canary,
    }
    resources = [
        resource("Api", "AWS::ApiGateway::RestApi", "r1", {"Name": "plain"}),
        resource("Deployment", "AWS::ApiGateway::Deployment", "dep1", properties),
    ]
    stage = build_apis(resources)[0].stages[0]
    assert (stage.name, stage.deployment_id, stage.variables) == ("live", "dep1", {"table": "users"})
    assert stage.access_log_format == "$context.requestId"
    assert (stage.throttles["* /*"].rate, stage.throttles["* /*"].burst) == (5.0, 2)
    assert stage.throttles["GET /x"].rate == 1.0
    assert stage.logs["* /*"].level == "INFO"
    assert stage.canary is not None
    assert (stage.canary.percent, stage.canary.variables) == (10.0, {"table": "new"})
