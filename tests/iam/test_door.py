"""The corridor that all control planes share: its order, its refusals, its last resort."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.aws.protocol import ServiceModel
from trine.clock import ManualClock
from trine.http.message import Headers, Request, Response
from trine.iam import door
from trine.iam.access import Access
from trine.iam.door import Right, ServiceApi, ServiceCall, ServiceDoor
from trine.trace import Trace, TraceBook

TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
MODEL = ServiceModel("sns", frozenset({"CreateTopic", "DeleteTopic", "ListTopics"}))


class Bench:
    """An API of three operations behind a door; `seen` is what happened, in order."""

    def __init__(self, access: Access, clock: ManualClock, sign: Callable[..., Request]) -> None:
        self.access, self.sign, self.seen = access, sign, list[str]()
        self.traces = TraceBook(clock)
        api = ServiceApi(
            service="sns",
            model_of=lambda _: MODEL,
            operations={"CreateTopic": self._create, "DeleteTopic": self._delete, "ListTopics": self._list},
            rights=self._rights,
            internal=AwsError("We are sorry.", code="InternalError"),
            unsigned=frozenset({"ListTopics"}),
            subject=lambda call: str(call.input.get("Name", "")),
            restate=lambda error: AwsError("Not here", code="NotFound", status=404) if error.code == "Lost" else error,
            settled=self._settled,
        )
        self.door = ServiceDoor(api, access, SeededIds(5), self.traces)
        self.key = access.owner_credentials()

    def _rights(self, call: ServiceCall) -> list[Right]:
        self.seen.append("rights")
        return [Right(f"sns:{call.operation}", TOPIC)]

    async def _create(self, call: ServiceCall) -> dict[str, Any]:
        self.seen.append("operation")
        call.request_id = "its-own-id"
        return {"TopicArn": TOPIC}

    def _delete(self, call: ServiceCall) -> dict[str, Any]:
        if call.input["TopicArn"] == "lost":
            raise AwsError("?", code="Lost")
        raise RuntimeError("a bug")

    def _list(self, call: ServiceCall) -> dict[str, Any]:
        assert call.caller is None
        return {"Topics": [{"TopicArn": TOPIC}]}

    async def _settled(self) -> None:
        self.seen.append("settled")

    def ask(self, action: str, key: Any = None, *, signed: bool = True, **members: str) -> tuple[Response, Trace]:
        """Answer and trace of one call, signed by the owner or with `key`."""
        body = urlencode({"Action": action, "Version": "2010-03-31", **members}).encode()
        request = Request("POST", b"/", Headers(), body)
        if signed:
            held = self.key if key is None else key
            token = getattr(held, "session_token", None)
            request = self.sign(
                held.access_key_id, held.secret_access_key, token, service="sns", headers={"Host": "h"}, body=body
            )
        response = asyncio.run(self.door.handle(request))
        (trace,) = self.traces.latest("sns", 1)
        assert trace.outcome == response.status
        return response, trace


@pytest.fixture
def bench(access: Access, clock: ManualClock, sign: Any) -> Bench:
    return Bench(access, clock, sign)


def test_the_rooms_come_in_their_order(bench: Bench) -> None:
    response, trace = bench.ask("CreateTopic", Name="news")
    assert response.status == 200
    assert isinstance(response.body, bytes)
    assert TOPIC.encode() in response.body
    assert response.headers[0] == (b"x-amzn-RequestId", b"its-own-id")
    assert bench.seen == ["rights", "operation", "settled"]
    assert [step.room for step in trace.steps] == ["iam.signature", "sns.shape", "iam.policy", "sns.operation"]
    assert trace.title == "sns:CreateTopic news"


def test_what_needs_no_signature_asks_for_no_right(bench: Bench) -> None:
    response, trace = bench.ask("ListTopics", signed=False)
    assert response.status == 200
    assert bench.seen == ["settled"]
    assert [step.room for step in trace.steps] == ["sns.shape", "sns.operation"]


@pytest.mark.parametrize(
    ("action", "signed", "members", "status", "code", "room"),
    [
        ("Nonsense", True, {}, 400, b"InvalidAction", "sns.dispatch"),
        ("CreateTopic", False, {"Name": "news"}, 403, b"MissingAuthenticationToken", "iam.signature"),
        ("CreateTopic", True, {}, 400, b"ValidationError", "sns.shape"),
        ("DeleteTopic", True, {"TopicArn": "lost"}, 404, b"NotFound", "sns.operation"),
        ("DeleteTopic", True, {"TopicArn": TOPIC}, 500, b"InternalError", "sns.operation"),
    ],
)
def test_a_refusal_names_its_room(
    bench: Bench, action: str, signed: bool, members: dict[str, str], status: int, code: bytes, room: str
) -> None:
    response, trace = bench.ask(action, signed=signed, **members)
    assert response.status == status
    assert isinstance(response.body, bytes)
    assert b"<Code>" + code + b"</Code>" in response.body
    assert trace.refusal is not None
    assert (trace.refusal["room"], trace.refusal["code"]) == (room, code.decode())


def test_who_has_no_right_reaches_no_operation(bench: Bench, give_role: Callable[..., Any]) -> None:
    session = give_role({"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}).session
    response, trace = bench.ask("CreateTopic", session, Name="news")
    assert response.status == 403
    assert bench.seen == ["rights"]
    assert trace.refusal is not None
    assert trace.refusal["room"] == "iam.policy"


def test_a_call_hangs_under_what_caused_it_and_trees_do_not_grow_for_ever(
    bench: Bench, give_role: Callable[..., Any]
) -> None:
    session = give_role({"Effect": "Allow", "Action": "*", "Resource": "*"}).session
    session.trace = first = bench.traces.open("lambda", "first")
    for _ in range(2 * door.CAUSES_MAX_COUNT):
        _, trace = bench.ask("CreateTopic", session, Name="news")
        session.trace = trace
    depth, tree = 0, first
    while tree.children:
        depth, tree = depth + 1, tree.children[0]
    assert depth == door.CAUSES_MAX_COUNT
    assert trace.parent is not None, "a new tree has begun"
