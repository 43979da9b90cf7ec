"""VPC links, private APIs, domains with mutual TLS: what leads nowhere by itself is told, and refused until then."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from trine.apigateway.settings import GatewaySettings, VpcEndpoint, find_endpoint, find_links
from trine.clock import SystemClock
from trine.http.message import Request, Response
from trine.http.server import serve


def echo(request: Request) -> Response:
    """Says back what it was asked."""
    host = (request.headers.get(b"host") or b"").decode()
    return Response(200, [], orjson.dumps({"method": request.method, "target": request.target.decode(), "host": host}))


def behind(make_door: Any, resources: Any, *requests: tuple[str, str]) -> list[Any]:
    """What the server behind the link `link01` was asked, request by request."""

    async def scenario() -> list[Any]:
        server = await serve(echo, "127.0.0.1", 0, clock=SystemClock())
        try:
            links = {"link01": f"http://127.0.0.1:{server.port}/below"}
            door = make_door(resources, settings=GatewaySettings(links=links))
            assert door.gateway.problems == ()
            return [orjson.loads((await door.acall(*request)).body) for request in requests]
        finally:
            await server.close()

    return asyncio.run(scenario())


def linked(**node: Any) -> dict[str, Any]:
    node = {"type": "http_proxy", "httpMethod": "ANY", "connectionType": "VPC_LINK", "connectionId": "link01", **node}
    return {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": node}}


def test_a_rest_link_takes_path_and_host_of_the_uri(make_door: Any, rest: Any) -> None:
    link = linked(
        uri="http://nlb.example.com:81/v1/{proxy}?a=b",
        connectionId="${stageVariables.link}",
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy"},
    )
    resources = rest({"/{proxy+}": link}, stages=[{"StageName": "Prod", "Variables": {"link": "link01"}}])
    [asked] = behind(make_door, resources, ("PUT", "/x/y?c=d"))
    assert asked == {"method": "PUT", "target": "/below/v1/x/y?a=b&c=d", "host": "nlb.example.com:81"}


def test_an_http_link_keeps_the_path_with_its_stage(make_door: Any, http: Any) -> None:
    listener = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2"
    paths = {
        "/{proxy+}": linked(uri=listener),
        "/over": linked(uri=listener, requestParameters={"overwrite:path": "/else"}),
    }
    resources = http(paths, stages=[{"StageName": "dev"}])
    first, second = behind(
        make_door, resources, ("GET", "/_apis/http01/dev/x%20y?c=d"), ("GET", "/_apis/http01/dev/over")
    )
    assert (first["target"], first["host"].partition(":")[0]) == ("/below/dev/x%20y?c=d", "127.0.0.1")
    assert second["target"] == "/else"


def test_a_link_that_leads_nowhere(make_door: Any, rest: Any) -> None:
    door = make_door(rest({"/x": linked(uri="http://nlb/x")}))
    assert "--vpc-link link01=http://127.0.0.1:PORT" in door.gateway.problems[0]
    response = door.call("GET", "/x")
    assert (response.status, response.body) == (500, b'{"message": "Internal server error"}')
    assert "leads nowhere here" in door.refusal()["reason"]


@pytest.mark.parametrize(
    ("node", "problem"),
    [({"connectionId": ""}, "needs a connectionId"), ({"type": "mock"}, "for HTTP integrations, not for MOCK"),
     ({"uri": "nlb"}, "needs an http or https URI")],
)  # fmt: skip
def test_links_that_make_no_sense(make_door: Any, rest: Any, node: dict[str, str], problem: str) -> None:
    door = make_door(rest({"/x": linked(**{"uri": "http://nlb/x", **node})}))
    door.call("GET", "/x")
    assert problem in door.refusal()["reason"]


def test_links_and_endpoints_by_name(resource: Any) -> None:
    resources = [
        resource("Link", "AWS::ApiGateway::VpcLink", "abc123", {"Name": "to-nlb"}),
        resource("Point", "AWS::EC2::VPCEndpoint", "vpce-1", {"VpcId": "vpc-1"}),
    ]
    for name in ("Link", "to-nlb", "abc123"):
        assert find_links(resources, {name: "http://x/"}) == ({"abc123": "http://x"}, [])
    assert find_links(resources, {"other": "http://x"}) == ({"other": "http://x"}, ["other"])
    assert find_endpoint(resources, "Point") == find_endpoint(resources, "vpce-1") == VpcEndpoint("vpce-1", "vpc-1")
    assert find_endpoint(resources, "vpce-9") == VpcEndpoint("vpce-9")


def private(rest: Any, lambda_proxy: Any, *statements: Any) -> Any:
    policy = {"Policy": {"Version": "2012-10-17", "Statement": list(statements)}} if statements else {}
    return rest({"/x": {"get": lambda_proxy()}}, EndpointConfiguration={"Types": ["PRIVATE"]}, **policy)


ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
ELSEWHERE = {**ALLOW, "Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}


def test_a_private_api_without_endpoint_is_out_of_reach(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    door = make_door(private(rest, lambda_proxy, ALLOW))
    assert "without --vpc-endpoint" in door.gateway.problems[0]
    for target in ("/x", "/_apis/rest01/Prod/x"):
        response = door.call("GET", target)
        assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert "is private" in door.refusal()["reason"]
    assert door.invoker.requests == []


def test_a_private_api_through_its_endpoint(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    def door(endpoint: str, *statements: Any) -> Any:
        settings = GatewaySettings(endpoint=VpcEndpoint(endpoint, "vpc-1"))
        return make_door(private(rest, lambda_proxy, *statements), settings=settings)

    inside = door("vpce-1", ALLOW, ELSEWHERE)
    identity = inside.event("GET", "/x")["requestContext"]["identity"]
    assert (identity["vpceId"], identity["vpcId"]) == ("vpce-1", "vpc-1")
    assert door("vpce-2", ALLOW, ELSEWHERE).call("GET", "/x").status == 403
    by_vpc = {**ALLOW, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}
    assert door("vpce-2", by_vpc).call("GET", "/x").status == 200
    assert door("vpce-1").call("GET", "/x").status == 403  # no policy: nobody


def test_a_domain_with_mutual_tls_lets_nobody_in(make_door: Any, rest: Any, lambda_proxy: Any, resource: Any) -> None:
    resources = [
        *rest({"/x": {"get": lambda_proxy()}}),
        resource("D", "AWS::ApiGateway::DomainName", "a.example.com",
                 {"DomainName": "a.example.com", "MutualTlsAuthentication": {"TruststoreUri": "s3://b/c.pem"}}),
        resource("M", "AWS::ApiGateway::BasePathMapping", "m",
                 {"DomainName": "a.example.com", "RestApiId": "rest01", "Stage": "Prod"}),
    ]  # fmt: skip
    door = make_door(resources)
    assert "mutual TLS is not built" in door.gateway.problems[0]
    assert door.call("GET", "/x", {"Host": "a.example.com"}).body == b'{"message":"Forbidden"}'
    assert "cannot show a certificate" in door.refusal()["reason"]
    assert door.call("GET", "/x").status == 200
