"""Lambda authorizers: events, verdicts, cache, and every kind of nonsense they may answer."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeResponse

AUTH = "arn:aws:lambda:us-east-1:123456789012:function:auth"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{AUTH}/invocations"
ARN = "arn:aws:execute-api:us-east-1:123456789012"


def policy(effect: str = "Allow", resource: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": "user-1", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **more}


class Authorized:
    """A door whose functions are an authorizer and a hello."""

    def __init__(self, door: Any) -> None:
        self.door = door
        self.verdict: Any = policy()
        self.asked: list[dict[str, Any]] = []
        door.invoker.answer = self._answer

    def _answer(self, request: Any) -> Any:
        if request.function != AUTH:
            return {"statusCode": 200, "body": "hello"}
        self.caller = request.caller
        self.asked.append(orjson.loads(request.payload))
        return self.verdict


@pytest.fixture
def rest_api(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(**authorizer: Any) -> Authorized:
        scheme = {
            "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": URI, **authorizer},
        }  # fmt: skip
        paths = {
            "/a": {"get": lambda_proxy(security=[{"L": []}]), "post": lambda_proxy(security=[{"L": []}])},
            "/b/{id}": {"get": lambda_proxy(security=[{"L": []}])},
            "/lost": {"get": lambda_proxy(security=[{"L": []}])},
        }
        return Authorized(make_door(rest(paths, body={"securityDefinitions": {"L": scheme}})))

    return make


@pytest.fixture
def http_api(make_door: Any, http: Any, lambda_proxy: Any) -> Any:
    def make(payload: str = "2.0", **authorizer: Any) -> Authorized:
        scheme = {
            "type": "apiKey", "name": "x", "in": "header",
            "x-amazon-apigateway-authorizer": {
                "type": "request", "authorizerUri": URI, "authorizerPayloadFormatVersion": "2.0",
                "enableSimpleResponses": True, "identitySource": ["$request.header.X-Token"], **authorizer,
            },
        }  # fmt: skip
        operation = lambda_proxy(security=[{"L": []}], integration={"payloadFormatVersion": payload})
        template = http({"/a/{id}": {"get": operation}}, body={"components": {"securitySchemes": {"L": scheme}}})
        return Authorized(make_door(template))

    return make


TOKEN = {"X-Token": "secret"}


def test_token_event_and_context(rest_api: Any) -> None:
    api = rest_api()
    api.verdict = policy(context={"name": "Ann", "level": 3, "admin": True, "none": None})
    assert api.door.call("GET", "/a", TOKEN).status == 200
    assert api.asked == [{"type": "TOKEN", "authorizationToken": "secret", "methodArn": f"{ARN}:rest01/Prod/GET/a"}]
    assert api.caller.source_arn == f"{ARN}:rest01/authorizers/L"
    context = api.door.invoker.event["requestContext"]["authorizer"]
    assert context == {"principalId": "user-1", "integrationLatency": 0, "name": "Ann", "level": "3", "admin": "true",
                       "none": None}  # fmt: skip


def test_a_missing_token_makes_no_call(rest_api: Any) -> None:
    api = rest_api()
    response = api.door.call("GET", "/a")
    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert not api.asked
    assert api.door.refusal()["room"] == "apigateway.authorizer"


def test_identity_validation_expression(rest_api: Any) -> None:
    api = rest_api(identityValidationExpression="tok-[0-9]+")
    assert api.door.call("GET", "/a", TOKEN).status == 401
    assert not api.asked
    assert api.door.call("GET", "/a", {"X-Token": "tok-12"}).status == 200


def test_the_cached_policy_covers_all_methods_and_only_what_it_names(rest_api: Any) -> None:
    api = rest_api()
    api.verdict = policy(resource=f"{ARN}:rest01/Prod/GET/a")
    assert api.door.call("GET", "/a", TOKEN).status == 200
    response = api.door.call("POST", "/a", TOKEN)
    assert (response.status, response.body) == (403, b'{"Message":"User is not authorized to access this resource"}')
    assert api.door.call("GET", "/b/7", TOKEN).status == 403
    assert len(api.asked) == 1
    api.door.clock.advance(301)
    api.door.call("GET", "/a", TOKEN)
    assert len(api.asked) == 2


def test_an_explicit_deny(rest_api: Any, get_header: Any) -> None:
    api = rest_api()
    api.verdict = policy("Deny")
    response = api.door.call("GET", "/a", TOKEN)
    assert response.body == b'{"Message":"User is not authorized to access this resource with an explicit deny"}'
    assert get_header(response, "x-amzn-ErrorType") == "AccessDeniedException"
    assert api.door.refusal()["statement"] == 0


@pytest.mark.parametrize(("ttl", "calls"), [(0, 3), (300, 1)])
def test_time_to_live(rest_api: Any, ttl: int, calls: int) -> None:
    api = rest_api(authorizerResultTtlInSeconds=ttl)
    for _ in range(3):
        assert api.door.call("GET", "/a", TOKEN).status == 200
    assert len(api.asked) == calls


def test_request_event(rest_api: Any) -> None:
    source = "method.request.header.X-Token, method.request.querystring.q"
    api = rest_api(type="request", identitySource=source)
    assert api.door.call("GET", "/b/7", TOKEN).status == 401  # q is missing
    assert not api.asked
    assert api.door.call("GET", "/b/7?q=1", TOKEN).status == 200
    event = api.asked[0]
    assert event["type"] == "REQUEST"
    assert event["methodArn"] == f"{ARN}:rest01/Prod/GET/b/7"
    assert event["headers"]["X-Token"] == "secret"
    assert event["queryStringParameters"] == {"q": "1"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["stageVariables"] == {}
    assert event["requestContext"]["resourcePath"] == "/b/{id}"
    assert api.door.call("GET", "/b/7?q=2", TOKEN).status == 200
    assert len(api.asked) == 2


def test_request_without_cache_needs_no_identity_source(rest_api: Any) -> None:
    api = rest_api(type="request", identitySource="method.request.header.X-Token", authorizerResultTtlInSeconds=0)
    assert api.door.call("GET", "/a").status == 200


UNAUTHORIZED = InvokeResponse(200, b'{"errorMessage":"Unauthorized"}', "i", "Unhandled")
FAILED = InvokeResponse(200, b'{"errorMessage":"boom"}', "i", "Unhandled")


@pytest.mark.parametrize(
    ("verdict", "status", "body"),
    [
        (UNAUTHORIZED, 401, b'{"message":"Unauthorized"}'),
        (FAILED, 500, b'{"message":null}'),
        (AwsError("throttled", code="TooManyRequestsException", status=429), 500, b'{"message":null}'),
        (RuntimeError("x"), 500, b'{"message":null}'),
        (b"nonsense", 500, b'{"message":null}'),
        ([], 500, b'{"message":null}'),
        (None, 500, b'{"message":null}'),
        ({"principalId": "u"}, 500, b'{"message":null}'),
        ({**policy(), "principalId": None}, 500, b'{"message":null}'),
        (policy(context={"a": {"b": 1}}), 500, b'{"message":null}'),
        (policy("Perhaps"), 500, b'{"message":null}'),
        ({**policy(), "policyDocument": "text"}, 500, b'{"message":null}'),
    ],
)
def test_nonsense(rest_api: Any, verdict: Any, status: int, body: bytes) -> None:
    api = rest_api()
    api.verdict = orjson.dumps(None) if verdict is None else verdict
    response = api.door.call("GET", "/a", TOKEN)
    assert (response.status, response.body) == (status, body)
    assert [r.function for r in api.door.invoker.requests] == [AUTH]


def test_an_authorizer_that_loops_is_left_behind(rest_api: Any) -> None:
    api = rest_api()
    api.door.invoker.answer = None

    async def scenario() -> None:
        answer = api.door.start("GET", "/a", TOKEN)
        api.door.clock.advance(10)
        response = await answer
        assert (response.status, response.body) == (500, b'{"message":null}')
        api.door.invoker.pending[0].set_result(InvokeResponse(200, orjson.dumps(policy()), "late"))
        await asyncio.sleep(0)

    asyncio.run(scenario())


def test_the_function_may_wait_behind_the_authorizer(rest_api: Any) -> None:
    api = rest_api()
    api.door.invoker.answer = lambda request: policy() if request.function == AUTH else None

    async def scenario() -> None:
        answer = api.door.start("GET", "/a", TOKEN)
        for _ in range(5):
            await asyncio.sleep(0)
        api.door.invoker.pending[0].set_result(InvokeResponse(200, b'{"statusCode":201}', "i"))
        assert (await answer).status == 201

    asyncio.run(scenario())


def test_simple_answers_of_http_apis(http_api: Any) -> None:
    api = http_api()
    api.verdict = {"isAuthorized": True, "context": {"user": {"id": 1}}}
    assert api.door.call("GET", "/a/7?x=1", {**TOKEN, "Cookie": "c=1"}).status == 200
    event = api.asked[0]
    assert event["version"] == "2.0"
    assert event["type"] == "REQUEST"
    assert event["routeArn"] == f"{ARN}:http01/$default/GET/a/7"
    assert event["identitySource"] == ["secret"]
    assert event["routeKey"] == "GET /a/{id}"
    assert event["rawPath"] == "/a/7"
    assert event["cookies"] == ["c=1"]
    assert event["queryStringParameters"] == {"x": "1"}
    assert event["pathParameters"] == {"id": "7"}
    assert api.door.invoker.event["requestContext"]["authorizer"] == {"lambda": {"user": {"id": 1}}}
    api.verdict = {"isAuthorized": False}
    response = api.door.call("GET", "/a/7", TOKEN)
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert len(api.asked) == 2  # no cache unless asked for


@pytest.mark.parametrize("verdict", [{}, {"isAuthorized": "true"}, {"isAuthorized": 1}, b"x", [], FAILED])
def test_nonsense_of_http_authorizers(http_api: Any, verdict: Any) -> None:
    api = http_api()
    api.verdict = verdict
    response = api.door.call("GET", "/a/7", TOKEN)
    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')


def test_http_policies_in_format_1_0(http_api: Any) -> None:
    api = http_api(
        "1.0", authorizerPayloadFormatVersion="1.0", enableSimpleResponses=False, authorizerResultTtlInSeconds=60
    )
    api.verdict = policy(resource=f"{ARN}:http01/$default/GET/a/*", context={"k": "v"})
    for _ in range(2):
        assert api.door.call("GET", "/a/7", TOKEN).status == 200
    assert len(api.asked) == 1
    event = api.asked[0]
    assert (event["version"], event["identitySource"], event["authorizationToken"]) == ("1.0", "secret", "secret")
    assert event["methodArn"] == f"{ARN}:http01/$default/GET/a/7"
    assert api.door.invoker.event["requestContext"]["authorizer"] == {"principalId": "user-1", "k": "v"}
    assert api.door.call("GET", "/a/7").status == 401


def test_an_authorizer_that_the_template_lacks(make_door: Any, resource: Any, function_arn: str) -> None:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    method = {"RestApiId": "r", "ResourceId": "root", "HttpMethod": "GET", "AuthorizationType": "CUSTOM",
              "AuthorizerId": "lost", "Integration": {"Type": "AWS_PROXY", "Uri": uri}}  # fmt: skip
    door = make_door(
        [
            resource("A", "AWS::ApiGateway::RestApi", "r", {}),
            resource("M", "AWS::ApiGateway::Method", "m", method),
            resource("S", "AWS::ApiGateway::Stage", "Prod", {"RestApiId": "r", "StageName": "Prod"}),
        ]
    )
    assert door.call("GET", "/").status == 500
    assert not door.invoker.requests


def test_the_api_key_may_come_from_the_authorizer(make_door: Any, rest: Any, lambda_proxy: Any, resource: Any) -> None:
    from trine.apigateway.quota import QuotaLedger
    from trine.apigateway.throttle import Buckets
    from trine.apigateway.usage_resources import build_usage
    from trine.aws.ids import SeededIds
    from trine.clock import ManualClock

    scheme = {
        "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": URI},
    }  # fmt: skip
    key = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    body = {"securityDefinitions": {"L": scheme, "api_key": key}, "x-amazon-apigateway-api-key-source": "AUTHORIZER"}
    template = rest({"/a": {"get": lambda_proxy(security=[{"L": []}, {"api_key": []}])}}, body=body)
    template += [
        resource("P", "AWS::ApiGateway::UsagePlan", "p", {"ApiStages": [{"ApiId": "rest01", "Stage": "Prod"}]}),
        resource("K", "AWS::ApiGateway::ApiKey", "k", {"Value": "the-value-of-the-key", "Enabled": True}),
        resource("PK", "AWS::ApiGateway::UsagePlanKey", "pk", {"KeyId": "k", "UsagePlanId": "p"}),
    ]
    usage, _ = build_usage(template, None, SeededIds(1), QuotaLedger(ManualClock()), Buckets(ManualClock()))
    api = Authorized(make_door(template, usage=usage))
    api.verdict = policy(usageIdentifierKey="the-value-of-the-key")
    assert api.door.call("GET", "/a", TOKEN).status == 200
    assert api.door.invoker.event["requestContext"]["identity"]["apiKeyId"] == "k"
    api.verdict = policy(usageIdentifierKey="another")
    assert api.door.call("GET", "/a", {"X-Token": "other"}).body == b'{"message":"Forbidden"}'
