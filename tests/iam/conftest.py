"""One account for the tests of identity: a manual clock, seeded ids, a catalogue in memory, botocore as signer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.catalogue import MemoryCatalogue
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request
from trine.iam.access import Access

LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def signed(
    clock: ManualClock,
    key_id: str,
    secret: str,
    token: str | None = None,
    *,
    service: str = "dynamodb",
    region: str = "us-east-1",
    method: str = "POST",
    url: str = "http://127.0.0.1:4566/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
    at: float | None = None,
) -> Request:
    """A request as botocore signs it, at the clock's time or `at`."""
    given = (
        {"Host": "127.0.0.1:4566", "X-Amz-Target": "DynamoDB_20120810.GetItem"} if headers is None else dict(headers)
    )
    request = AWSRequest(method, url, headers=given, data=body)
    auth = botocore.auth.SigV4Auth(Credentials(key_id, secret, token), service, region)
    with frozen(clock.now() if at is None else at):
        auth.add_auth(request)
    return received(request, body)


def received(request: AWSRequest, body: bytes) -> Request:
    """An AWSRequest as the server's parser would hand it on."""
    target = "/" + request.url.split("://", 1)[1].partition("/")[2]
    pairs = [(name.encode("latin-1"), str(value).encode("utf-8")) for name, value in request.headers.items()]
    return Request(request.method, target.encode(), Headers(pairs), body)


class frozen:
    """botocore's clock, standing still at an instant."""

    def __init__(self, instant: float) -> None:
        self._moment = dt.datetime.fromtimestamp(instant, dt.UTC)
        self._real: Callable[..., dt.datetime] = botocore.auth.get_current_datetime

    def __enter__(self) -> None:
        botocore.auth.get_current_datetime = lambda *args, **kwargs: self._moment.replace(tzinfo=None)

    def __exit__(self, *exc: object) -> None:
        botocore.auth.get_current_datetime = self._real


def role_of(access: Access, *statements: Mapping[str, Any], name: str = "fn", **properties: Any) -> str:
    """A role that Lambda may assume, with one inline policy of `statements`; its ARN."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    policies = [{"PolicyName": "inline", "PolicyDocument": document}] if statements else []
    return access.put_role(
        {"RoleName": name, "AssumeRolePolicyDocument": LAMBDA_TRUST, "Policies": policies, **properties}
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def access(clock: ManualClock) -> Access:
    return Access(clock, SeededIds(7))


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    return MemoryCatalogue()


@pytest.fixture
def sign(clock: ManualClock) -> Callable[..., Request]:
    """`sign(key_id, secret, token, …)`: a request as botocore signs it now."""
    return lambda *args, **options: signed(clock, *args, **options)


@pytest.fixture
def give_role(access: Access) -> Callable[..., Any]:
    """`give_role(*statements, **properties)`: the caller that a session of such a role makes."""

    def give(*statements: Mapping[str, Any], **properties: Any) -> Any:
        arn = role_of(access, *statements, **properties)
        return access.caller_of(access.assume_role_for_service(arn, "session", "lambda.amazonaws.com"))

    return give


@pytest.fixture
def at() -> type[frozen]:
    return frozen


@pytest.fixture
def to_request() -> Callable[[AWSRequest, bytes], Request]:
    return received
