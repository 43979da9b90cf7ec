"""Events field for field: formats 1.0 and 2.0 as AWS documents and sends them."""

from __future__ import annotations

from typing import Any

import pytest

BROWSER = {"Host": "127.0.0.1:3000", "user-agent": "curl/8", "Accept": "*/*", "X-One": "1", "Connection": "keep-alive"}


def test_rest_event_in_full(rest_door: Any) -> None:
    event = rest_door.event("GET", "/users/7?a=1&a=2&b=", BROWSER)
    identity = event["requestContext"].pop("identity")
    context = event.pop("requestContext")
    assert list(event) == [
        "resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
        "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body", "isBase64Encoded",
    ]  # fmt: skip
    trace_id = event["headers"]["X-Amzn-Trace-Id"]
    assert trace_id.startswith("Root=1-6b49d200-")
    assert len(trace_id) == len("Root=1-6b49d200-") + 24
    assert event == {
        "resource": "/users/{id}",
        "path": "/users/7",
        "httpMethod": "GET",
        "headers": {
            "Host": "127.0.0.1:3000",
            "User-Agent": "curl/8",
            "Accept": "*/*",
            "X-One": "1",
            "X-Amzn-Trace-Id": trace_id,
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Port": "3000",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["127.0.0.1:3000"],
            "User-Agent": ["curl/8"],
            "Accept": ["*/*"],
            "X-One": ["1"],
            "X-Amzn-Trace-Id": [trace_id],
            "X-Forwarded-For": ["203.0.113.9"],
            "X-Forwarded-Port": ["3000"],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"a": "2", "b": ""},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [""]},
        "pathParameters": {"id": "7"},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    assert context == {
        "resourceId": context["resourceId"],
        "resourcePath": "/users/{id}",
        "httpMethod": "GET",
        "extendedRequestId": context["extendedRequestId"],
        "requestTime": "15/Jan/2027:08:00:00 +0000",
        "path": "/Prod/users/7",
        "accountId": "123456789012",
        "protocol": "HTTP/1.1",
        "stage": "Prod",
        "domainPrefix": "rest01",
        "requestTimeEpoch": 1_800_000_000_000,
        "requestId": context["requestId"],
        "domainName": "rest01.execute-api.us-east-1.amazonaws.com",
        "deploymentId": "dep123",
        "apiId": "rest01",
    }
    assert len(context["resourceId"]) == 6
    assert len(context["extendedRequestId"]) == 16
    assert context["extendedRequestId"].endswith("=")
    assert len(context["requestId"]) == 36
    assert identity == {
        "cognitoIdentityPoolId": None, "accountId": None, "cognitoIdentityId": None, "caller": None,
        "sourceIp": "203.0.113.9", "principalOrgId": None, "accessKey": None, "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None, "userArn": None, "userAgent": "curl/8", "user": None,
    }  # fmt: skip


def test_http_event_in_full(http_door: Any) -> None:
    headers = [("Host", "127.0.0.1:3000"), ("User-Agent", "curl/8"), ("X-Two", "a"), ("x-two", "b"),
               ("Cookie", "one=1; two=2"), ("Cookie", "three=3"), ("Content-Length", "0")]  # fmt: skip
    event = http_door.event("GET", "/users/a%20b?x=1&x=2&y=%C3%A4+b", headers)
    trace_id = event["headers"]["x-amzn-trace-id"]
    request_id = event["requestContext"]["requestId"]
    assert event == {
        "version": "2.0",
        "routeKey": "GET /users/{id}",
        "rawPath": "/users/a b",
        "rawQueryString": "x=1&x=2&y=%C3%A4+b",
        "cookies": ["one=1", "two=2", "three=3"],
        "headers": {
            "host": "127.0.0.1:3000",
            "user-agent": "curl/8",
            "x-two": "a,b",
            "content-length": "0",
            "x-amzn-trace-id": trace_id,
            "x-forwarded-for": "203.0.113.9",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"x": "1,2", "y": "ä b"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "http01",
            "domainName": "http01.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "http01",
            "http": {
                "method": "GET",
                "path": "/users/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "curl/8",
            },
            "requestId": request_id,
            "routeKey": "GET /users/{id}",
            "stage": "$default",
            "time": "15/Jan/2027:08:00:00 +0000",
            "timeEpoch": 1_800_000_000_000,
        },
        "pathParameters": {"id": "a b"},
        "isBase64Encoded": False,
    }
    assert len(request_id) == 16


def test_http_event_leaves_out_what_is_not_there(http_door: Any) -> None:
    event = http_door.event("GET", "/users")
    assert event.keys().isdisjoint({"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"})
    assert event["rawQueryString"] == ""


def test_http_event_in_format_1_0(http_door: Any) -> None:
    event = http_door.event("GET", "/old/a%20b?x=1&x=2", {"X-One": "1"})
    assert event["version"] == "1.0"
    assert event["path"] == "/old/a b"
    assert event["resource"] == "/old/{id}"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "2"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["headers"]["X-One"] == "1"
    assert event["stageVariables"] is None
    assert event["requestContext"]["authorizer"] == {"claims": None, "scopes": None}
    assert event["requestContext"]["resourceId"] is None
    assert event["requestContext"]["path"] == "/old/a b"


def test_named_stages_stand_in_the_path(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    door = make_door(
        http(
            {"/x": {"get": lambda_proxy(integration={"payloadFormatVersion": "2.0"})}},
            stages=[{"StageName": "dev", "StageVariables": {"table": "t1"}}],
        )
    )
    event = door.event("GET", "/x")
    assert event["rawPath"] == "/dev/x"
    assert event["requestContext"]["http"]["path"] == "/dev/x"
    assert event["requestContext"]["stage"] == "dev"
    assert event["stageVariables"] == {"table": "t1"}


@pytest.mark.parametrize(
    ("target", "path", "context_path", "parameter"),
    [
        ("/_apis/rest01/Prod/files/a/", "/files/a/", "/Prod/files/a/", "a"),
        ("/_apis/rest01/Prod//files/a", "/files/a", "/Prod//files/a", "a"),
        ("/_apis/rest01//Prod/files/a", "/files/a", "/Prod/files/a", "a"),
        ("/_apis/rest01/Prod/files/a//b", "/files/a//b", "/Prod/files/a//b", "a//b"),
        ("/files/t%2Bx@y.z/t+x", "/files/t%2Bx@y.z/t+x", "/Prod/files/t%2Bx@y.z/t+x", "t%2Bx@y.z/t+x"),
        ("/files/a%2Fb", "/files/a%2Fb", "/Prod/files/a%2Fb", "a%2Fb"),
        ("/files/../x", "/files/../x", "/Prod/files/../x", "../x"),
        ("/files/%00", "/files/%00", "/Prod/files/%00", "%00"),
    ],
)
def test_rest_paths_as_recorded_on_aws(
    rest_door: Any, target: str, path: str, context_path: str, parameter: str
) -> None:
    event = rest_door.event("GET", target)
    assert (event["path"], event["requestContext"]["path"], event["pathParameters"]["proxy"]) == (
        path, context_path, parameter,
    )  # fmt: skip


def test_rest_query_as_recorded_on_aws(rest_door: Any) -> None:
    query = "d=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com&plus=test+alias&url=https://x/&none;semi=1&=v&&"
    event = rest_door.event("GET", "/users?" + query)
    assert event["queryStringParameters"] == {
        "d": "2023-06-12T18:05:10.123456 00:00",
        "email": "test+alias@gmail.com",
        "plus": "test alias",
        "url": "https://x/",
        "none": "",
        "semi": "1",
        "": "v",
    }


def test_broken_utf8_in_path_and_query_becomes_the_replacement_character(http_door: Any) -> None:
    event = http_door.event("GET", b"/users/%ff\xfe?q=%ff&\xff=1")
    assert event["pathParameters"] == {"id": "\ufffd\ufffd"}
    assert event["queryStringParameters"] == {"q": "\ufffd", "\ufffd": "1"}


def test_rest_drops_hop_headers_and_keeps_spelling(rest_door: Any) -> None:
    headers = [("tEsT-HEADeR", "aValUE"), ("X-M", "1"), ("x-m", "2"), ("Content-Length", "0"), ("TE", "x"),
               ("Expect", "100-continue"), ("authorization", "secret"), ("Upgrade", "h2c"),
               ("Content-MD5", "x")]  # fmt: skip
    event = rest_door.event("GET", "/users", headers)
    assert event["headers"]["tEsT-HEADeR"] == "aValUE"
    assert event["headers"]["X-M"] == "2"
    assert event["multiValueHeaders"]["X-M"] == ["1", "2"]
    assert event["headers"]["Authorization"] == "secret"
    lower = {name.lower() for name in event["headers"]}
    assert lower.isdisjoint({"content-length", "te", "expect", "upgrade", "content-md5", "connection"})


def test_a_forwarded_address_is_kept_in_front(rest_door: Any) -> None:
    event = rest_door.event("GET", "/users", {"X-Forwarded-For": "198.51.100.1"})
    assert event["headers"]["X-Forwarded-For"] == "198.51.100.1, 203.0.113.9"
    assert event["requestContext"]["identity"]["sourceIp"] == "203.0.113.9"


def test_the_clients_trace_id_is_passed_on(rest_door: Any) -> None:
    header = "Root=1-5e7fe714-fee6909429159440eb352c40;Sampled=1"
    assert rest_door.event("GET", "/users", {"X-Amzn-Trace-Id": header})["headers"]["X-Amzn-Trace-Id"] == header
    assert rest_door.invoker.requests[-1].trace_header == header


def test_host_names_stand_in_the_context(rest_door: Any) -> None:
    context = rest_door.event("GET", "/Prod/users", {"Host": "rest01.execute-api.localhost:3000"})["requestContext"]
    assert context["domainName"] == "rest01.execute-api.localhost"
    assert context["domainPrefix"] == "rest01"


def test_who_invokes_and_for_which_route(rest_door: Any, http_door: Any, function_arn: str) -> None:
    rest_door.event("GET", "/files/a/b")
    request = rest_door.invoker.requests[-1]
    assert request.function == function_arn
    assert request.caller is not None
    assert request.caller.service == "apigateway.amazonaws.com"
    assert request.caller.source_account == "123456789012"
    assert request.caller.source_arn == "arn:aws:execute-api:us-east-1:123456789012:rest01/Prod/GET/files/{proxy+}"
    http_door.event("GET", "/users")
    caller = http_door.invoker.requests[-1].caller
    assert caller.source_arn == "arn:aws:execute-api:us-east-1:123456789012:http01/$default/GET/users"


def test_stage_variables_choose_the_function(make_door: Any, rest: Any, lambda_proxy: Any, function_arn: str) -> None:
    function = f"{function_arn}:${{stageVariables.alias}}"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    stages = [{"StageName": "live", "Variables": {"alias": "blue"}}]
    door = make_door(rest({"/x": {"get": lambda_proxy(integration={"uri": uri})}}, stages=stages))
    assert door.event("GET", "/x")["stageVariables"] == {"alias": "blue"}
    assert door.invoker.requests[-1].function == function_arn + ":blue"
