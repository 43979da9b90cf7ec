"""Who is let through to the AWS ports: by the place that the caller's credentials carry, and by nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.loop import run
from trine.http.message import Headers, Request, Response
from trine.iam.access import Access
from trine.iam.placement import Way
from trine.stack.checkpoint import HANGING_SECONDS, Checkpoint, place_functions
from trine.trace import TraceBook

HOST = "dynamodb.us-east-1.amazonaws.com"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole",
     "Principal": {"Service": "lambda.amazonaws.com", "AWS": "123456789012"}},
]}  # fmt: skip
ANYTHING = [{"PolicyName": "all", "PolicyDocument": {
    "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]  # fmt: skip


class Cell:
    """A place with a way to one service only."""

    def __init__(self, opened: str = "sqs") -> None:
        self._opened = opened

    def way(self, service: str) -> Way:
        return Way(
            service == self._opened, f"asked for {service}", {"aws:SourceVpce": ("vpce-1",)}, facts={"hint": "none"}
        )

    def place(self) -> Cell:
        return self


class Border:
    """A checkpoint with an identity wing behind it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        ids = SeededIds(3)
        self.access = Access(self.clock, ids)
        self.traces = TraceBook(self.clock)
        self.role = self.access.put_role({"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "Policies": ANYTHING})
        self.access.sites[FUNCTION] = Cell()
        self.passed: list[Request] = []
        self.checkpoint = Checkpoint(
            self._inner, lambda _: "dynamodb", self.access, self.clock, ids, self.traces
        )  # fmt: skip

    def _inner(self, request: Request) -> Response:
        self.passed.append(request)
        return Response(200)

    def session(self, source: str | None = FUNCTION) -> Any:
        return self.access.assume_role_for_service(self.role, "f-session", "lambda.amazonaws.com", source_arn=source)

    def ask(self, credentials: Any = None, *, changed: bytes = b"", query: bool = False) -> Any:
        """One call, signed with `credentials` for DynamoDB; `changed` is a body put in after signing."""
        body = b"" if query else b"{}"  # botocore presigns no bodies
        request = AWSRequest("POST", f"http://{HOST}/", headers={"Host": HOST}, data=body)
        if credentials is not None:
            token = getattr(credentials, "session_token", None)
            given = Credentials(credentials.access_key_id, credentials.secret_access_key, token)
            now = datetime.fromtimestamp(self.clock.now(), UTC)
            with patch("botocore.auth.get_current_datetime", return_value=now):
                (SigV4QueryAuth if query else SigV4Auth)(given, "dynamodb", "us-east-1").add_auth(request)
        parts = urlsplit(request.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else "/"
        pairs = [(name.encode(), str(value).encode()) for name, value in request.headers.items()]
        return self.checkpoint.handle(Request("POST", target.encode(), Headers(pairs), changed or body))


def test_a_function_without_a_way_hangs_and_is_explained() -> None:
    async def main() -> None:
        border = Border()
        session = border.session()
        session.trace = border.traces.open("lambda", "the-invocation")
        for query in (False, True):
            hanging = border.ask(session, query=query)
            assert isinstance(hanging, asyncio.Future)
            assert not hanging.done()
        assert border.passed == []
        told = session.trace.children[0]
        assert told.refusal is not None
        assert told.refusal["reason"].startswith("asked for dynamodb; the connection hangs")
        assert told.refusal["function"] == FUNCTION
        border.clock.advance(HANGING_SECONDS)
        assert hanging.done()

    run(main())


def test_another_service_may_have_a_way() -> None:
    border = Border()
    session = border.session()
    session.placement = Cell(opened="dynamodb")
    assert border.ask(session).status == 200


def test_functions_outside_and_people_pass() -> None:
    border = Border()
    outside = border.session("arn:aws:lambda:us-east-1:123456789012:function:other")
    for credentials in (outside, border.access.owner_credentials()):
        assert border.ask(credentials).status == 200
    assert border.ask().status == 200  # no signature: the service refuses it


def test_another_role_is_no_way_out() -> None:
    async def main() -> None:
        border = Border()
        caller = border.access.caller_of(border.session())
        for _ in range(3):  # however long the chain
            taken = border.access.tokens.assume_role(caller, border.role, "again")
            assert isinstance(border.ask(taken), asyncio.Future)
            caller = border.access.caller_of(taken)

    run(main())


def test_a_version_of_a_function_stands_where_it_stands() -> None:
    assert Border().session(f"{FUNCTION}:7").placement is not None


def test_forged_signatures_go_to_the_service_that_refuses_them() -> None:
    border = Border()
    session = border.session()
    assert border.ask(session, changed=b'{"other": 1}').status == 200
    stolen = SimpleNamespace(access_key_id=border.access.owner_credentials().access_key_id, secret_access_key="guess")
    assert border.ask(stolen).status == 200
    for request in border.passed:
        with pytest.raises(AwsError):
            border.access.authenticate(request, "dynamodb")


@dataclass
class Function:
    """A resolved function."""

    properties: dict[str, Any]
    type: str = "AWS::Lambda::Function"
    logical_id: str = "F"
    physical_id: str = "f"

    @property
    def attributes(self) -> dict[str, str]:
        return {"Arn": FUNCTION}


def test_the_start_says_how_far_the_model_goes() -> None:
    access = Border().access
    access.sites.clear()
    assert place_functions(access, [Function({"VpcConfig": {"SubnetIds": []}})]) == ()
    assert access.sites == {}
    notes = place_functions(access, [Function({"VpcConfig": {"SubnetIds": ["subnet-elsewhere"]}})])
    assert "as their routes, endpoints and security groups allow" in notes[-1]
    assert list(access.sites) == [FUNCTION]


def test_policies_see_the_endpoint() -> None:
    border = Border()
    caller = border.access.caller_of(border.session())
    needs = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    ]}  # fmt: skip
    border.access.put_role({"RoleName": "r", "AssumeRolePolicyDocument": TRUST,
                            "Policies": [{"PolicyName": "all", "PolicyDocument": needs}]})  # fmt: skip
    border.access.authorize(caller, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/T")
