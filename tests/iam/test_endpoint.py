"""The door of STS and IAM takes anything: an answer always, never an exception, never a 500."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access
from trine.iam.door import ServiceDoor
from trine.iam.endpoint import OPERATIONS, identity_api
from trine.trace import TraceBook

CLOCK = ManualClock()
ACCESS = Access(CLOCK, SeededIds(9), mode="soft")
DOORS = {name: ServiceDoor(identity_api(name, ACCESS), ACCESS, SeededIds(4), TraceBook(CLOCK)) for name in OPERATIONS}
ACTIONS = [(service, name) for service, operations in OPERATIONS.items() for name in operations]
MEMBERS = [
    "RoleName",
    "UserName",
    "GroupName",
    "PolicyName",
    "PolicyArn",
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "Path",
    "Tags.member.1.Key",
    "Tags.member.1.Value",
    "TagKeys.member.1",
    "VersionId",
    "RoleArn",
    "RoleSessionName",
    "DurationSeconds",
    "Policy",
    "Marker",
    "MaxItems",
    "AccessKeyId",
    "Status",
    "PolicyInputList.member.1",
    "ActionNames.member.1",
    "ResourceArns.member.1",
    "PolicySourceArn",
    "ContextEntries.member.1.ContextKeyName",
    "CallerArn",
    "ResourcePolicy",
    "ResourceOwner",
    "WebIdentityToken",
    "Url",
    "OpenIDConnectProviderArn",
    "ClientID",
    "MaxSessionDuration",
    "PermissionsBoundary",
    "NewUserName",
    "SetAsDefault",
    "PathPrefix",
    "Scope",
]
VALUES = st.sampled_from(
    [
        "x",
        "",
        "owner",
        "%00",
        "1",
        "-1",
        "99999999999999999999",
        "arn:aws:iam::123456789012:role/x",
        "%2F",
        "a:b",
        "*",
        "true",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "%7B%22Statement%22%3A%5B%5D%7D",
        "%7B",
        "%F0%9F%99%82",
        "a.b.c",
        "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a%3Ab%22%2C%22Resource%22%3A%22*%22%7D%7D",
    ]
)


def answered(service: Any, request: Request) -> Response:
    async def wait() -> Response:
        answer = DOORS[service].handle(request)
        return answer if isinstance(answer, Response) else await answer

    return asyncio.run(wait())


@settings(max_examples=250)
@given(st.sampled_from(ACTIONS), st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=8))
def test_any_input_gets_an_answer(action: tuple[str, str], members: dict[str, str]) -> None:
    service, name = action
    # Soft mode: everybody is let in as root, so that the operations themselves are reached.
    form = {"Action": name, "Version": "2010-05-08", **members}
    response = answered(
        service, Request("POST", b"/", Headers(), "&".join(f"{k}={v}" for k, v in form.items()).encode())
    )
    assert 200 <= response.status < 500
    assert isinstance(response.body, bytes)
    assert response.body.startswith(b"<")


@pytest.mark.parametrize("service", ["sts", "iam"])
@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"Action", b"Action=", b"{}", b"Action=DecodeAuthorizationMessage", b"=&" * 100]
)
@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
def test_nonsense_is_a_clients_error(service: Any, body: bytes, method: str) -> None:
    assert answered(service, Request(method, b"/x?y=z", Headers(), body)).status in {400, 501}
