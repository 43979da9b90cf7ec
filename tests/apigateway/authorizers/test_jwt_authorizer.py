"""JWT authorizers with a real issuer on a socket: discovery, keys, caching, scopes, hosts that hang; and Cognito."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from trine.apigateway.settings import GatewaySettings
from trine.clock import SystemClock
from trine.http.message import Request, Response
from trine.http.server import serve

START = 1_800_000_000
ISSUER = "https://issuer.example"


class Issuer:
    """An OIDC issuer on a free port; `mode` makes it fail in one way or another."""

    def __init__(self, keys: dict[str, Any]) -> None:
        self.keys = keys
        self.mode = "good"
        self.requests: list[str] = []
        self.port = 0
        self.asked = asyncio.Event()

    def handle(self, request: Request) -> Any:
        path = request.path.decode()
        self.requests.append(path)
        self.asked.set()
        if self.mode == "hang":
            return asyncio.get_running_loop().create_future()
        if self.mode == "broken":
            return Response(200, [], b"<html>")
        if self.mode == "huge":
            return Response(200, [], b"x" * 200_000)
        if self.mode == "down":
            return Response(503)
        if path.endswith("/openid-configuration"):
            return Response(200, [], orjson.dumps({"jwks_uri": f"http://127.0.0.1:{self.port}/keys"}))
        return Response(200, [], orjson.dumps(self.keys))


@pytest.fixture
def issuer(key_set: Any) -> Issuer:
    return Issuer(key_set())


@pytest.fixture
def run(make_door: Any, http: Any, rest: Any, lambda_proxy: Any, issuer: Issuer) -> Any:
    """Run a scenario against a door whose issuer is the one above."""

    def start(scenario: Any, *, scopes: list[str] | None = None, cognito: bool = False) -> None:
        async def main() -> None:
            server = await serve(issuer.handle, "127.0.0.1", 0, clock=SystemClock())
            issuer.port = server.port
            address = f"http://127.0.0.1:{server.port}"
            pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
            settings = GatewaySettings(issuer_urls={ISSUER: address, pool: address})
            template = _cognito(rest, lambda_proxy, scopes) if cognito else _http(http, lambda_proxy, scopes)
            door = make_door(template, settings=settings)
            try:
                await scenario(door)
            finally:
                await server.close()

        asyncio.run(main())

    return start


def _http(http: Any, lambda_proxy: Any, scopes: list[str] | None) -> Any:
    scheme = {
        "type": "oauth2",
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": ISSUER, "audience": ["app"]},
        },
    }
    operation = lambda_proxy(security=[{"J": scopes or []}], integration={"payloadFormatVersion": "2.0"})
    old = lambda_proxy(security=[{"J": scopes or []}])
    return http(
        {"/x": {"get": operation}, "/old": {"get": old}}, body={"components": {"securitySchemes": {"J": scheme}}}
    )


def _cognito(rest: Any, lambda_proxy: Any, scopes: list[str] | None) -> Any:
    arn = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
    scheme = {
        "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [arn]},
    }  # fmt: skip
    return rest(
        {"/x": {"get": lambda_proxy(security=[{"P": scopes or []}])}}, body={"securityDefinitions": {"P": scheme}}
    )


def claims(**more: Any) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "aud": "app",
        "exp": START + 600,
        "iat": START - 5,
        "sub": "u1",
        "scope": "read write",
        **more,
    }


def auth(token: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + token}


def test_a_good_token_reaches_the_function(run: Any, sign_token: Any, issuer: Issuer) -> None:
    async def scenario(door: Any) -> None:
        token = sign_token(claims(groups=["a", "b"], admin=True, level=3))
        for _ in range(3):
            response = await door.acall("GET", "/x", auth(token))
            assert response.status == 200, response.body
        jwt = door.invoker.event["requestContext"]["authorizer"]["jwt"]
        assert jwt["claims"]["sub"] == "u1"
        assert (jwt["claims"]["groups"], jwt["claims"]["admin"], jwt["claims"]["level"]) == ("[a b]", "true", "3")
        assert jwt["scopes"] is None
        assert len(issuer.requests) == 2  # discovery and keys, once
        await door.acall("GET", "/old", auth(token))
        assert door.invoker.event["requestContext"]["authorizer"]["claims"]["sub"] == "u1"

    run(scenario)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"exp": START - 1}, "the token has expired"),
        ({"nbf": START + 100}, "the token is not valid yet"),
        ({"aud": "other"}, "the token's audience does not match"),
        ({"iss": "https://evil.example"}, "the token's issuer is not the authorizer's"),
    ],
)
def test_bad_claims(run: Any, sign_token: Any, get_header: Any, change: dict[str, Any], reason: str) -> None:
    async def scenario(door: Any) -> None:
        response = await door.acall("GET", "/x", auth(sign_token(claims(**change))))
        assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
        challenge = get_header(response, "www-authenticate")
        assert challenge == f'Bearer scope="" error="invalid_token" error_description="{reason}"'
        assert door.refusal()["reason"] == reason
        assert not door.invoker.requests

    run(scenario)


def test_no_token_and_no_sense(run: Any, get_header: Any) -> None:
    async def scenario(door: Any) -> None:
        response = await door.acall("GET", "/x")
        assert (response.status, get_header(response, "www-authenticate")) == (401, "Bearer")
        for value in ("Bearer", "Bearer x", "x" * 5_000, "Basic dTpw"):
            assert (await door.acall("GET", "/x", {"Authorization": value})).status == 401

    run(scenario)


def test_conflicting_tokens_are_refused(run: Any, sign_token: Any) -> None:
    async def scenario(door: Any) -> None:
        good, other = "Bearer " + sign_token(claims()), "Bearer " + sign_token(claims(sub="admin"))
        for pair in [(good, "Bearer forged"), ("Bearer forged", good), (good, other)]:
            response = await door.acall("GET", "/x", [("Authorization", value) for value in pair])
            assert response.status == 401
        assert not door.invoker.requests

    run(scenario)


def test_an_expired_token_is_refused_although_it_was_verified_before(run: Any, sign_token: Any) -> None:
    async def scenario(door: Any) -> None:
        token = sign_token(claims())
        assert (await door.acall("GET", "/x", auth(token))).status == 200
        door.clock.advance(601)
        assert (await door.acall("GET", "/x", auth(token))).status == 401

    run(scenario)


def test_scopes(run: Any, sign_token: Any, get_header: Any) -> None:
    async def scenario(door: Any) -> None:
        assert (await door.acall("GET", "/x", auth(sign_token(claims())))).status == 200
        assert door.invoker.event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["write", "admin"]
        response = await door.acall("GET", "/x", auth(sign_token(claims(scope="read"))))
        assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
        assert get_header(response, "www-authenticate") == 'Bearer scope="write admin" error="insufficient_scope"'

    run(scenario, scopes=["write", "admin"])


def test_an_unknown_key_fetches_again_but_not_for_everyone(
    run: Any, sign_token: Any, issuer: Issuer, key_set: Any
) -> None:
    async def scenario(door: Any) -> None:
        assert (await door.acall("GET", "/x", auth(sign_token(claims())))).status == 200
        issuer.keys = key_set("key-2")
        token = sign_token(claims(), key_id="key-2")
        assert (await door.acall("GET", "/x", auth(token))).status == 401
        assert len(issuer.requests) == 2
        door.clock.advance(61)
        assert (await door.acall("GET", "/x", auth(token))).status == 200
        assert len(issuer.requests) == 4

    run(scenario)


def test_keys_are_fetched_again_after_two_hours(run: Any, sign_token: Any, issuer: Issuer) -> None:
    async def scenario(door: Any) -> None:
        await door.acall("GET", "/x", auth(sign_token(claims())))
        door.clock.advance(7_201)
        token = sign_token(claims(exp=START + 90_000))
        assert (await door.acall("GET", "/x", auth(token))).status == 200
        assert len(issuer.requests) == 4

    run(scenario)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("down", "OIDC discovery endpoint communication error"),
        ("huge", "OIDC discovery endpoint communication error"),
        ("broken", "OIDC discovery document is not valid"),
    ],
)
def test_an_issuer_that_fails(
    run: Any, sign_token: Any, issuer: Issuer, get_header: Any, mode: str, reason: str
) -> None:
    async def scenario(door: Any) -> None:
        issuer.mode = mode
        for _ in range(3):
            response = await door.acall("GET", "/x", auth(sign_token(claims())))
            assert response.status == 401
            assert reason in get_header(response, "www-authenticate")
        assert len(issuer.requests) == 1  # not asked again at once
        issuer.mode = "good"
        door.clock.advance(11)
        assert (await door.acall("GET", "/x", auth(sign_token(claims())))).status == 200

    run(scenario)


def test_an_issuer_that_hangs_costs_a_second_and_a_half(run: Any, sign_token: Any, issuer: Issuer) -> None:
    async def scenario(door: Any) -> None:
        issuer.mode = "hang"
        waiting = [door.start("GET", "/x", auth(sign_token(claims(jti=str(n))))) for n in range(20)]
        await issuer.asked.wait()
        assert len(issuer.requests) == 1
        door.clock.advance(1.6)
        assert {(await answer).status for answer in waiting} == {401}

    run(scenario)


def test_cognito_id_tokens(run: Any, sign_token: Any) -> None:
    pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"

    async def scenario(door: Any) -> None:
        token = sign_token(claims(iss=pool, token_use="id", **{"cognito:groups": ["a", "b"], "email_verified": True}))
        response = await door.acall("GET", "/x", {"Authorization": token})
        assert response.status == 200, response.body
        found = door.invoker.event["requestContext"]["authorizer"]["claims"]
        assert found["cognito:groups"] == "a,b"
        assert found["email_verified"] == "true"
        assert found["exp"] == "Fri Jan 15 08:10:00 UTC 2027"
        response = await door.acall("GET", "/x", auth(sign_token(claims(iss=pool, token_use="access"))))
        assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
        response = await door.acall("GET", "/x", auth(sign_token(claims(iss=pool, token_use="id", exp=START - 1))))
        assert (response.status, response.body) == (401, b'{"message":"The incoming token has expired"}')
        assert (await door.acall("GET", "/x")).body == b'{"message":"Unauthorized"}'

    run(scenario, cognito=True)


def test_cognito_access_tokens_with_scopes(run: Any, sign_token: Any) -> None:
    pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"

    async def scenario(door: Any) -> None:
        token = sign_token(claims(iss=pool, token_use="access", scope="write"))
        assert (await door.acall("GET", "/x", auth(token))).status == 200
        for bad in (
            claims(iss=pool, token_use="id", scope="write"),
            claims(iss=pool, token_use="access", scope="read"),
        ):
            assert (await door.acall("GET", "/x", auth(sign_token(bad)))).status == 401

    run(scenario, cognito=True, scopes=["write"])
