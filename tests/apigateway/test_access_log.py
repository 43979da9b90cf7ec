"""Access logs in any format, for both API kinds, refusals included."""

from __future__ import annotations

from typing import Any

import orjson


def test_rest(make_door: Any, rest: Any, lambda_proxy: Any) -> None:
    lines: list[tuple[str, str]] = []
    log_format = (
        '{"id":"$context.requestId","ip":"$context.identity.sourceIp","method":"$context.httpMethod",'
        '"path":"$context.path","res":"$context.resourcePath","status":"$context.status","len":$context.responseLength,'
        '"err":"$context.error.message","type":"$context.error.responseType","istatus":"$context.integrationStatus",'
        '"none":"$context.nothing.at.all","time":"$context.requestTime"}\n'
    )
    stage = {"StageName": "Prod", "AccessLogSetting": {"DestinationArn": "arn:aws:logs:x", "Format": log_format}}
    door = make_door(
        rest({"/x": {"get": lambda_proxy()}}, stages=[stage]), access_log=lambda d, line: lines.append((d, line))
    )
    door.call("GET", "/x")
    door.call("GET", "/nope")
    assert [destination for destination, _ in lines] == ["arn:aws:logs:x"] * 2
    good, bad = [orjson.loads(line) for _, line in lines]
    assert good["status"] == "200"
    assert good["len"] == 5
    assert (good["err"], good["none"], good["istatus"], good["res"]) == ("-", "-", "200", "/x")
    assert good["time"] == "15/Jan/2027:08:00:00 +0000"
    assert (bad["status"], bad["err"], bad["type"]) == (
        "403",
        "Missing Authentication Token",
        "MISSING_AUTHENTICATION_TOKEN",
    )
    assert (bad["path"], bad["res"]) == ("/Prod/nope", "-")


def test_http(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    lines: list[str] = []
    log_format = "$context.identity.sourceIp $context.routeKey $context.protocol $context.status $context.requestId"
    stage = {"StageName": "$default", "AccessLogSettings": {"DestinationArn": "a", "Format": log_format}}
    door = make_door(
        http({"/x": {"get": lambda_proxy()}}, stages=[stage]), access_log=lambda _, line: lines.append(line)
    )
    door.call("GET", "/x")
    request_id = door.invoker.event["requestContext"]["requestId"]
    assert lines == [f"203.0.113.9 GET /x HTTP/1.1 200 {request_id}"]


def test_nobody_can_write_a_second_line(make_door: Any, http: Any, lambda_proxy: Any) -> None:
    lines: list[str] = []
    stage = {"StageName": "$default", "AccessLogSettings": {"DestinationArn": "a", "Format": "$context.path"}}
    door = make_door(
        http({"/{p+}": {"get": lambda_proxy()}}, stages=[stage]), access_log=lambda _, line: lines.append(line)
    )
    door.call("GET", "/a%0Aforged")
    assert lines == ["/a forged"]


def test_latencies_and_the_authorizer(make_door: Any, http: Any, lambda_proxy: Any, function_arn: str) -> None:
    lines: list[str] = []
    log_format = (
        "$context.integrationLatency $context.integration.latency $context.integration.requestId "
        "$context.authorizer.status $context.authorizer.principalId $context.authorizer.error $context.dataProcessed"
    )
    stage = {"StageName": "$default", "AccessLogSettings": {"DestinationArn": "a", "Format": log_format}}
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    authorizer = {"type": "request", "authorizerUri": uri, "identitySource": "$request.header.Authorization",
                  "authorizerPayloadFormatVersion": "1.0"}  # fmt: skip
    scheme = {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authorizer": authorizer}
    route = lambda_proxy(security=[{"A": []}])
    door = make_door(
        http({"/x": {"post": route}}, body={"components": {"securitySchemes": {"A": scheme}}}, stages=[stage]),
        access_log=lambda _, line: lines.append(line),
    )
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    verdict = {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}

    def answer(request: Any) -> Any:
        if request.caller.source_arn.endswith("/POST/x"):
            door.clock.advance(0.25)
            return {"statusCode": 200, "body": "hello"}
        return verdict

    door.invoker.answer = answer
    door.call("POST", "/x", {"Authorization": "t"}, b"1234567")
    verdict["policyDocument"]["Statement"][0]["Effect"] = "Deny"
    door.call("POST", "/x", {"Authorization": "t"}, b"1234567")
    assert lines == ["250 250 invocation-1 200 ann - 12", "- - - 403 - Forbidden 30"]
