"""API Gateway's own API, called with boto3 over a socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.waiting import PATIENCE_SECONDS
from trine.apigateway.endpoint import management_api
from trine.apigateway.management.made_keys import MadeKeys
from trine.apigateway.quota import QuotaLedger, period_start
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_plans import UsagePlans
from trine.apigateway.usage_resources import build_usage, generate_value
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import SystemClock
from trine.http.server import serve
from trine.iam.access import Access
from trine.iam.door import ServiceDoor
from trine.trace import TraceBook


@pytest.fixture
def stack(make_door: Any, rest: Any, http: Any, lambda_proxy: Any, resource: Any, catalogue: Any) -> Iterator[Any]:
    """A door, and a function that makes boto3 clients for the endpoint beside it."""
    secured = lambda_proxy(security=[{"api_key": []}])
    body = {"securityDefinitions": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
    plan = {"ApiStages": [{"ApiId": "rest01", "Stage": "Prod"}], "Quota": {"Limit": 5, "Period": "DAY"}}
    resources = [
        *rest(
            {"/u/{id}": {"get": secured, "put": lambda_proxy()}},
            body=body,
            stages=[{"StageName": "Prod", "Variables": {"a": "b"}}],
        ),
        *http({"/x": {"get": lambda_proxy()}}),
        resource("P", "AWS::ApiGateway::UsagePlan", "plan1", plan),
        resource(
            "K", "AWS::ApiGateway::ApiKey", "key1", {"Value": "the-value-of-the-key", "Enabled": True, "Name": "k"}
        ),
        resource("PK", "AWS::ApiGateway::UsagePlanKey", "pk", {"KeyId": "key1", "UsagePlanId": "plan1"}),
    ]
    clock = SystemClock()
    usage, _ = build_usage(resources, None, SeededIds(1), QuotaLedger(clock), Buckets(clock))
    door = make_door(resources, usage=usage)
    made = MadeKeys(usage, catalogue, SeededIds(5), generate_value)
    access = Access(clock, SeededIds(9))
    key = access.owner_credentials()
    endpoint = ServiceDoor(management_api(door.gateway, Place(), made), access, SeededIds(3), TraceBook(clock))
    ready, box = threading.Event(), {}

    async def main() -> None:
        server = await serve(endpoint.handle, "127.0.0.1", 0, clock=clock)
        box.update(port=server.port, loop=asyncio.get_running_loop(), stop=asyncio.Event())
        ready.set()
        await box["stop"].wait()
        await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_SECONDS)

    def client(name: str, secret: str = key.secret_access_key) -> Any:
        return boto3.client(
            name,
            endpoint_url=f"http://127.0.0.1:{box['port']}",
            region_name="us-east-1",
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 1}),
        )

    door.client, door.catalogue = client, catalogue
    yield door
    box["loop"].call_soon_threadsafe(box["stop"].set)
    thread.join(PATIENCE_SECONDS)


def test_rest_apis(stack: Any) -> None:
    client = stack.client("apigateway")
    assert [(api["id"], api["name"]) for api in client.get_rest_apis()["items"]] == [("rest01", "users")]
    assert client.get_rest_api(restApiId="rest01")["apiKeySource"] == "HEADER"
    stages = client.get_stages(restApiId="rest01")["item"]
    assert [(s["stageName"], s["variables"]) for s in stages] == [("Prod", {"a": "b"})]
    resources = client.get_resources(restApiId="rest01")["items"]
    assert [(r["path"], sorted(r["resourceMethods"])) for r in resources] == [("/u/{id}", ["GET", "PUT"])]
    assert resources[0]["resourceMethods"]["GET"]["apiKeyRequired"] is True


def test_http_apis(stack: Any) -> None:
    client = stack.client("apigatewayv2")
    assert [api["ApiId"] for api in client.get_apis()["Items"]] == ["http01"]
    assert [route["RouteKey"] for route in client.get_routes(ApiId="http01")["Items"]] == ["GET /x"]
    assert client.get_stages(ApiId="http01")["Items"][0]["StageName"] == "$default"


def test_keys_plans_and_usage(stack: Any) -> None:
    client = stack.client("apigateway")
    assert "value" not in client.get_api_keys()["items"][0]
    assert client.get_api_keys(includeValues=True)["items"][0]["value"] == "the-value-of-the-key"
    assert client.get_usage_plans()["items"][0]["quota"] == {"limit": 5, "offset": 0, "period": "DAY"}
    assert client.get_usage_plan_keys(usagePlanId="plan1")["items"][0]["id"] == "key1"
    for _ in range(2):
        assert stack.call("GET", "/u/1", {"x-api-key": "the-value-of-the-key"}).status == 200
    today = period_start("DAY", SystemClock().now()).isoformat()
    usage = client.get_usage(usagePlanId="plan1", startDate=today, endDate=today)
    assert usage["items"] == {"key1": [[2, 3]]}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.get_rest_api(restApiId="nope"), "NotFoundException"),
        (lambda c: c.get_usage_plan(usagePlanId="nope"), "NotFoundException"),
        (lambda c: c.get_usage(usagePlanId="plan1", startDate="x", endDate="y"), "BadRequestException"),
        (
            lambda c: c.get_usage(usagePlanId="plan1", startDate="2020-01-01", endDate="2026-01-01"),
            "BadRequestException",
        ),
        (lambda c: c.delete_rest_api(restApiId="rest01"), "UnsupportedOperationException"),
    ],
)
def test_errors(stack: Any, call: Any, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        call(stack.client("apigateway"))
    assert caught.value.response["Error"]["Code"] == code


def test_signatures_are_checked(stack: Any) -> None:
    with pytest.raises(ClientError) as caught:
        stack.client("apigateway", "wrong").get_rest_apis()
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_caches_can_be_flushed(stack: Any) -> None:
    stack.gateway.verdicts.put(("x",), None, 60)
    stack.client("apigateway").flush_stage_authorizers_cache(restApiId="rest01", stageName="Prod")
    assert stack.gateway.verdicts.get(("x",)) is None
    stack.client("apigateway").flush_stage_cache(restApiId="rest01", stageName="Prod")
    with pytest.raises(ClientError, match="Invalid stage"):
        stack.client("apigateway").flush_stage_cache(restApiId="rest01", stageName="Gone")


def test_what_a_rest_api_is_made_of(stack: Any) -> None:
    client = stack.client("apigateway")
    (resource,) = client.get_resources(restApiId="rest01")["items"]
    where = {"restApiId": "rest01", "resourceId": resource["id"]}
    assert client.get_resource(**where)["path"] == "/u/{id}"
    method = client.get_method(**where, httpMethod="GET")
    assert (method["apiKeyRequired"], method["methodIntegration"]["type"]) == (True, "AWS_PROXY")
    assert client.get_integration(**where, httpMethod="PUT")["timeoutInMillis"] == 29_000
    assert client.get_authorizers(restApiId="rest01")["items"] == []
    assert client.get_models(restApiId="rest01")["items"] == []
    assert client.get_gateway_responses(restApiId="rest01")["items"] == []
    (deployment,) = client.get_deployments(restApiId="rest01")["items"]
    assert client.get_deployment(restApiId="rest01", deploymentId=deployment["id"])["id"] == deployment["id"]
    assert client.get_domain_names()["items"] == []
    for call in (
        lambda: client.get_method(**where, httpMethod="POST"),
        lambda: client.get_resource(restApiId="rest01", resourceId="nope"),
        lambda: client.get_authorizer(restApiId="rest01", authorizerId="nope"),
        lambda: client.get_model(restApiId="rest01", modelName="nope"),
        lambda: client.get_base_path_mappings(domainName="nope"),
    ):
        with pytest.raises(client.exceptions.NotFoundException):
            call()


def test_what_an_http_api_is_made_of(stack: Any) -> None:
    client = stack.client("apigatewayv2")
    (route,) = client.get_routes(ApiId="http01")["Items"]
    assert client.get_route(ApiId="http01", RouteId=route["RouteId"])["RouteKey"] == "GET /x"
    name = route["Target"].removeprefix("integrations/")
    assert client.get_integration(ApiId="http01", IntegrationId=name)["IntegrationType"] == "AWS_PROXY"
    assert len(client.get_integrations(ApiId="http01")["Items"]) == 1
    assert client.get_authorizers(ApiId="http01")["Items"] == []
    assert client.get_domain_names()["Items"] == []
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_route(ApiId="http01", RouteId="nope")


def test_a_key_is_made_joins_a_plan_and_goes(stack: Any) -> None:
    client = stack.client("apigateway")

    def status(value: str) -> int:
        return int(stack.call("GET", "/u/1", {"x-api-key": value}).status)

    made = client.create_api_key(name="customer", enabled=True)
    assert (len(made["value"]), made["name"], status(made["value"])) == (40, "customer", 403)  # in no plan yet
    joined = client.create_usage_plan_key(usagePlanId="plan1", keyId=made["id"], keyType="API_KEY")
    assert (joined["id"], status(made["value"])) == (made["id"], 200)
    assert client.get_usage_plan_key(usagePlanId="plan1", keyId=made["id"])["name"] == "customer"
    assert {key["id"] for key in client.get_usage_plan_keys(usagePlanId="plan1")["items"]} == {"key1", made["id"]}
    with pytest.raises(client.exceptions.ConflictException):
        client.create_usage_plan_key(usagePlanId="plan1", keyId=made["id"], keyType="API_KEY")
    later = UsagePlans(stack.gateway.usage.plans, (), QuotaLedger(SystemClock()), Buckets(SystemClock()))
    MadeKeys(later, stack.catalogue, SeededIds(6), generate_value)  # the next start
    assert ([key.value for key in later.keys], later.key_ids("plan1")) == ([made["value"]], [made["id"]])
    off = [{"op": "replace", "path": "/enabled", "value": "false"}]
    assert client.update_api_key(apiKey=made["id"], patchOperations=off)["enabled"] is False
    assert status(made["value"]) == 403
    client.delete_usage_plan_key(usagePlanId="plan1", keyId=made["id"])
    client.delete_api_key(apiKey=made["id"])
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_api_key(apiKey=made["id"])
    assert [name for kind, name in stack.catalogue.documents if "made" in kind] == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.create_api_key(value="short"), "BadRequestException"),
        (lambda c: c.create_api_key(value="the-value-of-the-key"), "ConflictException"),
        (lambda c: c.create_api_key(customerId="x"), "BadRequestException"),
        (lambda c: c.delete_api_key(apiKey="key1"), "BadRequestException"),
        (lambda c: c.delete_api_key(apiKey="nope"), "NotFoundException"),
        (lambda c: c.update_api_key(apiKey="key1", patchOperations=[]), "BadRequestException"),
        (lambda c: c.create_usage_plan_key(usagePlanId="nope", keyId="key1", keyType="API_KEY"), "NotFoundException"),
        (lambda c: c.create_usage_plan_key(usagePlanId="plan1", keyId="nope", keyType="API_KEY"), "NotFoundException"),
        (lambda c: c.create_usage_plan_key(usagePlanId="plan1", keyId="key1", keyType="OTHER"), "BadRequestException"),
        (lambda c: c.delete_usage_plan_key(usagePlanId="plan1", keyId="key1"), "BadRequestException"),
        (lambda c: c.delete_usage_plan_key(usagePlanId="plan1", keyId="nope"), "NotFoundException"),
    ],
)
def test_keys_that_cannot_be_made(stack: Any, call: Any, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        call(stack.client("apigateway"))
    assert caught.value.response["Error"]["Code"] == code
