"""The front door alone, for its own rows: routes behind one guard each, integrations that answer at once.

`python -m benchmarks.gateway_server PORT`: serves the APIs below with the limits that `trine up` has; the key set
of its token issuer is served by the same process.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import sys
from asyncio import Future
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trine.apigateway.build import build_apis
from trine.apigateway.gateway import Gateway
from trine.apigateway.quota import QuotaLedger
from trine.apigateway.settings import GatewaySettings
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_plans import ApiKey, UsagePlan, UsagePlans
from trine.aws.arn import Place
from trine.aws.ids import SystemIds
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.clock import Clock, SystemClock
from trine.http.limits import Limits
from trine.http.loop import run
from trine.http.message import Request, Response
from trine.http.server import Server, serve
from trine.trace import TraceBook

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:instant"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_bench"
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_bench"
KEY = "benchmark-key-of-the-usage-plan-0123456789"
CONNECTIONS = 16_384
DENIAL = {
    "principalId": "nobody",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*"}],
    },
}
ANSWER = json.dumps({"statusCode": 200, "body": '{"ok":true}'}).encode()
_MODULUS = int(
    "DEFEA699D72E071C187416BC742EAE1EDF429EE63777BEA5CFA022775844D302DE0AC1FA9DF12670BD0273792EC0A1E062E9AD3E2CFD9A1C"
    "5B302582CEB161257AB4F63C3E94271CE98F9465CE51F876D34B5AE7EC568D1860B5C725F862931C8AD3BD8E62B15F7A51C56E721AB0ECD1"
    "D18C9E5E4BD2C6E6F3CCFCADB2FA39E1",
    16,
)
_EXPONENT = int(
    "9A849224DFBA012B32B69E5A8F9719084364027F3BC839CEE383EEDE0BC804FF63A4C8AD446C295ACD5DB96E2B3B47F0181A1BF58D6F5D2E"
    "70F177CCA034C13ECFFC8E79B17C8B8D65F2ADC0A946F809855E14FAEC8F03A1D3B5FBA61622668D4E5EA6080A869D24C4DE40ABCD3ADF8E"
    "2770E3AF4AFB1B4B044BA71B25E348C1",
    16,
)
"""A key pair made for measuring and used nowhere else."""


@dataclass
class Resource:
    """A resolved resource of a template."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(now_seconds: float) -> str:
    """An ID token of the pool, good for an hour."""
    claims = {"iss": ISSUER, "aud": "client", "sub": "ann", "token_use": "id", "exp": int(now_seconds) + 3_600}
    head = _encode(json.dumps({"alg": "RS256", "kid": "key-1"}).encode())
    text = f"{head}.{_encode(json.dumps(claims).encode())}"
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (125 - len(digest)) + b"\x00" + digest
    signature = pow(int.from_bytes(padded, "big"), _EXPONENT, _MODULUS).to_bytes(128, "big")
    return f"{text}.{_encode(signature)}"


def _mock(**more: Any) -> dict[str, Any]:
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"ok":true}'}}},
    }
    return {"x-amazon-apigateway-integration": integration, "responses": {}, **more}


def _proxy(**more: Any) -> dict[str, Any]:
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI, "payloadFormatVersion": "2.0"}
    return {"x-amazon-apigateway-integration": integration, "responses": {}, **more}


def _scheme(name: str, **authorizer: Any) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "x-amazon-apigateway-authorizer": authorizer}


def rest_document() -> dict[str, Any]:
    """The REST API: each guard alone, and all together."""
    guarded = {
        "security": [{"Pool": []}, {"api_key": []}],
        "parameters": [
            {"in": "header", "name": "x-tenant", "required": True, "type": "string"},
            {"in": "body", "name": "Order", "schema": {"$ref": "#/definitions/Order"}},
        ],
        "x-amazon-apigateway-request-validator": "all",
    }
    order = {
        "type": "object",
        "required": ["item", "count"],
        "properties": {
            "item": {"type": "string", "minLength": 1, "maxLength": 64},
            "count": {"type": "integer", "minimum": 1},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
    return {
        "swagger": "2.0",
        "info": {"title": "rest"},
        "definitions": {"Order": order},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "securityDefinitions": {
            "Gate": _scheme("Authorization", type="token", authorizerUri=URI, authorizerResultTtlInSeconds=3_600),
            "Pool": _scheme("Authorization", type="cognito_user_pools", providerARNs=[POOL]),
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        },
        "paths": {
            "/mock": {"get": _mock(), "post": _mock()},
            "/denied": {"get": _mock(security=[{"Gate": []}])},
            "/keyed": {"get": _mock(security=[{"api_key": []}])},
            "/limited": {"get": _mock()},
            "/guarded": {"post": _mock(**guarded)},
            "/function": {"get": _proxy()},
        },
    }


def http_document() -> dict[str, Any]:
    """The HTTP API behind a JWT authorizer."""
    jwt = {"type": "jwt", "identitySource": "$request.header.Authorization",
           "jwtConfiguration": {"issuer": ISSUER, "audience": ["client"]}}  # fmt: skip
    return {
        "openapi": "3.0.1",
        "info": {"title": "http"},
        "components": {"securitySchemes": {"Jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": jwt}}},
        "paths": {"/open": {"get": _proxy()}, "/guarded": {"get": _proxy(security=[{"Jwt": []}])}},
    }


def resources() -> list[Resource]:
    """Both APIs; the HTTP API once without CORS and throttles, once with them."""
    settings = [
        {"HttpMethod": "GET", "ResourcePath": "/limited", "ThrottlingRateLimit": 0.000001, "ThrottlingBurstLimit": 1},
        {"HttpMethod": "POST", "ResourcePath": "/guarded", "ThrottlingRateLimit": 1e9, "ThrottlingBurstLimit": 10**9},
    ]
    cors = {"AllowOrigins": ["https://shop.example"], "AllowMethods": ["GET"], "AllowCredentials": True}
    limits = {"ThrottlingRateLimit": 1e9, "ThrottlingBurstLimit": 10**9}
    return [
        Resource("Rest", "AWS::ApiGateway::RestApi", "rest01", {"Body": rest_document()}),
        Resource("RestStage", "AWS::ApiGateway::Stage", "Prod", {
            "RestApiId": "rest01", "StageName": "Prod", "MethodSettings": settings}),
        Resource("Http", "AWS::ApiGatewayV2::Api", "http01", {"Body": http_document()}),
        Resource("HttpStage", "AWS::ApiGatewayV2::Stage", "$default", {"ApiId": "http01", "StageName": "$default"}),
        Resource("Cors", "AWS::ApiGatewayV2::Api", "cors01", {"Body": http_document(), "CorsConfiguration": cors}),
        Resource("CorsStage", "AWS::ApiGatewayV2::Stage", "$default", {
            "ApiId": "cors01", "StageName": "$default", "DefaultRouteSettings": limits}),
    ]  # fmt: skip


class Instant:
    """An Invoker whose functions answer at once: the authorizer denies, everything else says hello."""

    def invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        answer: Future[InvokeResponse] = asyncio.get_running_loop().create_future()
        denial = request.caller is not None and "/authorizers/" in request.caller.source_arn
        answer.set_result(InvokeResponse(200, json.dumps(DENIAL).encode() if denial else ANSWER, "instant"))
        return answer


def _keys(port: int, request: Request) -> Response:
    """The issuer's discovery document and key set."""
    if request.path.endswith(b"/openid-configuration"):
        return Response(200, [], json.dumps({"jwks_uri": f"http://127.0.0.1:{port}/keys"}).encode())
    key = {"kty": "RSA", "kid": "key-1", "n": _encode(_MODULUS.to_bytes(128, "big")), "e": "AQAB"}
    return Response(200, [], json.dumps({"keys": [key]}).encode())


def door(clock: Clock, issuer_port: int) -> Gateway:
    """The front door over both APIs; its issuer's keys are on `issuer_port`."""
    plan = UsagePlan("plan01", "all", {("rest01", "Prod"): {}}, key_ids=("key01",))
    usage = UsagePlans([plan], [ApiKey("key01", "bench", KEY)], QuotaLedger(clock), Buckets(clock))
    settings = GatewaySettings(
        account_rate_per_second=1e9, account_burst=10**9, issuer_urls={ISSUER: f"http://127.0.0.1:{issuer_port}"}
    )
    return Gateway(
        build_apis(resources()), Instant(), clock, SystemIds(), Place(), TraceBook(clock), settings, usage=usage
    )


async def issuer(clock: Clock) -> Server:
    """The issuer's own little server."""
    server: list[Server] = []
    server.append(await serve(lambda request: _keys(server[0].port, request), "127.0.0.1", 0, clock=clock))
    return server[0]


async def main(port: int) -> None:
    """Serve until the process is ended."""
    clock = SystemClock()
    gateway = door(clock, (await issuer(clock)).port)
    await serve(gateway.handle, "127.0.0.1", port, clock=clock, limits=Limits(connections=CONNECTIONS))
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)  # as `trine up`
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
