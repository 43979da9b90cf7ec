"""Web identities: whose tokens a role trusts. Signatures are the verifier's, here one that is told what to say."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access
from trine.iam.door import ServiceDoor
from trine.iam.endpoint import identity_api
from trine.trace import TraceBook

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/pool"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/cognito-idp.us-east-1.amazonaws.com/pool"


class Verifier:
    """Says what it was told of every token."""

    def __init__(self, outcome: Mapping[str, Any] | Exception) -> None:
        self.outcome = outcome

    async def verify(self, token: str, issuer: str) -> Mapping[str, Any]:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"iss": ISSUER, **claims}).encode()).rstrip(b"=").decode()
    return f"e30.{body}.sig"


@pytest.fixture
def claims(clock: ManualClock) -> dict[str, Any]:
    return {"iss": ISSUER, "sub": "ann", "aud": "app", "exp": clock.now() + 60}


@pytest.fixture
def arn(access: Access, claims: dict[str, Any]) -> str:
    access.federation.create(ISSUER, ["app", "other"], ["0" * 40], {})
    access.federation.verifier = Verifier(claims)
    name = "cognito-idp.us-east-1.amazonaws.com/pool"
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{name}:aud": "app"}, "StringLike": {f"{name}:sub": "a*"}},
        },
    }
    return access.put_role({"RoleName": "web", "AssumeRolePolicyDocument": trust})


def ask(access: Access, arn: str, text: str | None = None, **more: str) -> Response:
    endpoint = ServiceDoor(identity_api("sts", access), access, SeededIds(3), TraceBook(access.clock))
    form = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": arn, "RoleSessionName": "me"}
    form |= {"WebIdentityToken": token() if text is None else text, **more}
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()

    async def answered() -> Response:
        answer = endpoint.handle(Request("POST", b"/", Headers(), body))
        return answer if isinstance(answer, Response) else await answer

    return asyncio.run(answered())


def error(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


def test_a_trusted_token_gives_credentials(access: Access, arn: str) -> None:
    response = ask(access, arn)
    assert response.status == 200
    assert isinstance(response.body, bytes)
    assert b"<SubjectFromWebIdentityToken>ann</SubjectFromWebIdentityToken>" in response.body
    assert b"<Arn>arn:aws:sts::123456789012:assumed-role/web/me</Arn>" in response.body
    assert f"<Provider>{PROVIDER}</Provider>".encode() in response.body


@pytest.mark.parametrize("issuer", ["http", "ftp", "HTTPS", "a1", ""])
def test_keys_are_fetched_from_the_provider_and_from_nowhere_else(access: Access, arn: str, issuer: str) -> None:
    """A provider's ARN has no scheme: `http` would fetch its keys in the clear, others make key sets without end."""
    asked: list[str] = []

    class Watching(Verifier):
        async def verify(self, token: str, issuer: str) -> Mapping[str, Any]:
            asked.append(issuer)
            return await super().verify(token, issuer)

    access.federation.verifier = Watching({})
    for name in (f"{issuer}://{ISSUER.partition('://')[2]}", f"{ISSUER}//", f"{ISSUER}/" * 2):
        response = ask(access, arn, token(iss=name))
        assert (response.status, error(response)) == (400, "InvalidIdentityToken")
    assert asked == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sub": "bob"}, "AccessDenied"),
        ({"aud": "other"}, "AccessDenied"),
        ({"aud": ["other", "app"]}, "AccessDenied"),
        ({"aud": ["app", "x"]}, ""),
        ({"aud": "foreign"}, "InvalidIdentityToken"),
        ({"aud": "app", "azp": "foreign"}, "InvalidIdentityToken"),
        ({"aud": "x", "azp": "app"}, ""),
        ({"aud": None}, "InvalidIdentityToken"),
        ({"sub": ""}, "InvalidIdentityToken"),
        ({"exp": None}, "InvalidIdentityToken"),
        ({"exp": True}, "InvalidIdentityToken"),
        ({"exp": 1}, "ExpiredTokenException"),
        ({"iss": "https://evil.example"}, "InvalidIdentityToken"),
    ],
)
def test_claims(access: Access, arn: str, claims: dict[str, Any], change: dict[str, Any], code: str) -> None:
    claims.update(change)
    assert error(ask(access, arn)) == code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(ValueError("bad signature"), "InvalidIdentityToken"), (OSError("no route"), "IDPCommunicationError")],
)
def test_a_token_that_is_not_verified(access: Access, arn: str, outcome: Exception, code: str) -> None:
    access.federation.verifier = Verifier(outcome)
    assert error(ask(access, arn)) == code
    access.federation.verifier = None
    assert error(ask(access, arn)) == "IDPCommunicationError"


@pytest.mark.parametrize(
    "text", ["abcd", "a.b.c", "e30.e30.x", "e30.W10.x", "e30.bnVsbA.x", "....", token(iss="https://x.y")]
)
def test_tokens_of_nobody(access: Access, arn: str, text: str) -> None:
    assert error(ask(access, arn, text)) == "InvalidIdentityToken"


def test_the_trust_policy_of_another_kind_does_not_serve(
    access: Access, arn: str, give_role: Callable[..., Any]
) -> None:
    other = give_role().principal.role_arn
    assert error(ask(access, other)) == "AccessDenied"
    assert error(ask(access, arn + "x")) == "AccessDenied"
    assert error(ask(access, arn, DurationSeconds="43200")) == "ValidationError"


def test_providers_are_kept(clock: ManualClock, catalogue: Any) -> None:
    async def made() -> None:
        access = Access(clock, SeededIds(1), catalogue)
        provider = access.federation.create(ISSUER + "/", ["a"], [], {})
        with pytest.raises(AwsError):
            access.federation.create(ISSUER, [], [], {})
        with pytest.raises(AwsError):
            access.federation.create("ftp://x", [], [], {})
        access.federation.delete(access.federation.create("https://gone.example", [], [], {}))
        assert provider.arn == PROVIDER
        await access.settled()

    asyncio.run(made())
    assert list(Access(clock, SeededIds(2), catalogue).federation.providers) == [PROVIDER]
