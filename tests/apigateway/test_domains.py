"""Custom domains: by Host header, base paths, stages; what events show."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def door(make_door: Any, rest: Any, http: Any, lambda_proxy: Any, resource: Any) -> Any:
    two = lambda_proxy(integration={"payloadFormatVersion": "2.0"})
    mappings = [
        ("AWS::ApiGateway::BasePathMapping", {"DomainName": "api.example.com", "RestApiId": "rest01", "Stage": "Prod"}),
        (
            "AWS::ApiGateway::BasePathMapping",
            {"DomainName": "api.example.com", "BasePath": "any", "RestApiId": "rest01"},
        ),
        (
            "AWS::ApiGatewayV2::ApiMapping",
            {"DomainName": "API.example.com", "ApiMappingKey": "v2/deep", "ApiId": "http01", "Stage": "$default"},
        ),
    ]
    return make_door(
        rest({"/x": {"get": lambda_proxy()}}, stages=[{"StageName": "Prod"}, {"StageName": "dev"}])
        + http({"/x": {"get": two}})
        + [resource(f"M{n}", kind, f"m{n}", node) for n, (kind, node) in enumerate(mappings)]
    )


def test_the_whole_domain(door: Any) -> None:
    event = door.event("GET", "/x", {"Host": "api.example.com:3000"})
    context = event["requestContext"]
    assert (context["stage"], context["domainName"], context["domainPrefix"]) == ("Prod", "api.example.com", "api")
    assert (event["path"], context["path"], event["resource"]) == ("/x", "/x", "/x")


def test_a_base_path_that_leaves_the_stage_to_the_client(door: Any) -> None:
    event = door.event("GET", "/any/dev/x", {"Host": "api.example.com"})
    assert (event["requestContext"]["stage"], event["path"], event["resource"]) == ("dev", "/any/dev/x", "/x")
    assert door.call("GET", "/any/nowhere/x", {"Host": "api.example.com"}).body == b'{"message":"Forbidden"}'


def test_the_longest_base_path_wins(door: Any) -> None:
    event = door.event("GET", "/v2/deep/x", {"Host": "Api.Example.com"})
    assert (event["version"], event["rawPath"], event["routeKey"]) == ("2.0", "/v2/deep/x", "GET /x")
    assert door.call("GET", "/v2/deeper/x", {"Host": "api.example.com"}).status == 403  # not below the base path


def test_other_hosts_are_not_touched(door: Any) -> None:
    assert door.event("GET", "/x", {"Host": "other.example.com"})["requestContext"]["domainName"].startswith("rest01.")


def test_the_default_endpoint_can_be_disabled(make_door: Any, rest: Any, http: Any, lambda_proxy: Any) -> None:
    paths = {"/x": {"get": lambda_proxy()}}
    host = {"Host": "rest01.execute-api.us-east-1.amazonaws.com"}
    door = make_door(rest(paths, DisableExecuteApiEndpoint=True))
    assert (door.call("GET", "/Prod/x", host).status, door.call("GET", "/_apis/rest01/Prod/x").status) == (403, 403)
    assert door.call("GET", "/_apis/rest01/Prod/x").body == b'{"message":"Forbidden"}'
    assert door.call("GET", "/x").status == 200  # the stack's own address is none of AWS's
    door = make_door(http(paths, DisableExecuteApiEndpoint="true"))
    assert door.call("GET", "/_apis/http01/x").status == 404
    settings = {"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True}}
    door = make_door(http(paths, body={"servers": [settings]}))
    assert door.call("GET", "/_apis/http01/x").status == 404
    door = make_door(rest(paths, DisableExecuteApiEndpoint=False))
    assert door.call("GET", "/Prod/x", host).status == 200
