"""What the figures rest on: requests signed as AWS's SDK signs, right answers told from wrong ones, fair medians."""

from __future__ import annotations

import asyncio
import datetime
import json
import random
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import __main__ as command
from benchmarks import gateway_run, gateway_server
from benchmarks.__main__ import renewed
from benchmarks.data import item, same_item
from benchmarks.floor_server import Floor
from benchmarks.floor_server import table as floor_table
from benchmarks.front_run import ROWS as FRONT_ROWS
from benchmarks.identity_run import ACTION, Account, best_microseconds
from benchmarks.load import LoadFailed, _circle
from benchmarks.results import Cell, Row, table
from benchmarks.scenario import Goal
from benchmarks.signing import Call, Key, Signer
from benchmarks.table_run import ROWS
from benchmarks.wire import Wire
from trine.aws.errors import AwsError
from trine.clock import ManualClock, SystemClock
from trine.http.message import Headers, Request, Response
from trine.http.server import serve


@pytest.mark.parametrize("token", ["", "a-session-token"])
def test_requests_are_signed_as_botocore_signs(token: str) -> None:
    call = Call("GetItem", {"TableName": "Orders", "Key": {"pk": {"S": "é"}}})
    head, _, body = Signer(Key("AKIA", "secret", token)).request(call, 8000).partition(b"\r\n\r\n")
    sent = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert body == call.body()
    assert int(sent["content-length"]) == len(body)
    asked = AWSRequest("POST", "http://127.0.0.1:8000/", data=body)
    for name in ("content-type", "host", "x-amz-date", "x-amz-target"):
        asked.headers[name] = sent[name]
    asked.context["timestamp"] = sent["x-amz-date"]
    if token:
        asked.headers["x-amz-security-token"] = token
    oracle = SigV4Auth(Credentials("AKIA", "secret"), "dynamodb", "us-east-1")
    signature = oracle.signature(oracle.string_to_sign(asked, oracle.canonical_request(asked)), asked)
    assert sent["authorization"].endswith(f"Signature={signature}")
    stamp = datetime.datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    assert abs((datetime.datetime.now(datetime.UTC) - stamp).total_seconds()) < 60


PART_ROOMS = {"gateway": "gateway_run", "sockets": "socket_run", "functions": "functions_run", "observing": "observing",
              "identity": "identity_run", "console": "console_run", "bills": "bills"}  # fmt: skip


def test_every_part_runs_what_it_is_named_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {*PART_ROOMS, "table", "front", "all"} == set(command.PARTS)
    for room in PART_ROOMS.values():
        monkeypatch.setattr(getattr(command, room), "run", lambda *given, room=room: f"ran {room}")
    for part, room in PART_ROOMS.items():
        monkeypatch.setattr("sys.argv", ["benchmarks", "--part", part])
        sections = command.measured(command.options(), command.Cache(Path()), [])
        assert [line for line in sections if line.startswith("ran ")] == [f"ran {room}"]
        assert sections[0].startswith("## ")


def test_rows_make_the_same_requests_every_time() -> None:
    for row in ROWS:
        assert [call.body() for call in row.calls()[:50]] == [call.body() for call in row.calls()[:50]]
        assert len(row.calls()) == row.requests
    for front in FRONT_ROWS:
        assert front.paths() == front.paths()


def test_a_circle_of_writes_changes_an_item_with_each_of_them() -> None:
    rows = {row.title: row for row in ROWS}
    for title in ("PutItem", "BatchWriteItem of 25", "TransactWriteItems of 4"):
        items: dict[str, Any] = {}
        for _ in range(2):  # the second time round, what is there is the last of the circle
            unchanged = 0
            for call in rows[title].calls():
                for written in _puts(call.document):
                    key = json.dumps([written["pk"], written["sk"]])
                    unchanged += items.get(key) == written
                    items[key] = written
        assert unchanged == 0, title


def _puts(document: Any) -> list[Any]:
    if "Item" in document:
        return [document["Item"]]
    if "RequestItems" in document:
        return [put["PutRequest"]["Item"] for (puts,) in [document["RequestItems"].values()] for put in puts]
    return [part["Put"]["Item"] for part in document["TransactItems"] if "Put" in part]


def test_wrong_answers_are_not_taken() -> None:
    rows = {row.title: row for row in ROWS}
    get = rows["GetItem"]
    call = get.calls()[0]
    key: Any = call.document["Key"]
    right = {"Item": {**item(1, 1, random.Random(1)), **key}}
    assert get.check(call, right)
    assert not get.check(call, {"Item": {**item(1, 1, random.Random(1)), "pk": {"S": "other"}}})
    query = rows["Query, 10 items of 400 B"]
    assert not query.check(query.calls()[0], {"Items": [], "Count": 0})
    batch = rows["BatchWriteItem of 25"]
    assert not batch.check(batch.calls()[0], {"UnprocessedItems": {"Orders": [{}]}})


def test_items_are_equal_as_dynamodb_sees_them() -> None:
    one = item(1, 1, random.Random(1))
    other = json.loads(json.dumps(one))
    other["tags"]["SS"].reverse()
    other["qty"]["N"] = "3.0"
    assert same_item(one, other)
    other["note"]["S"] += "x"
    assert not same_item(one, other)


def test_medians_ratios_and_failures() -> None:
    fast, slow, broken = Cell(), Cell(), Cell(failure="500 {}")
    for rate in (10.0, 30.0, 20.0):
        fast.add(rate, 1, 2, 3)
        slow.add(rate / 4, 1, 2, 3)
        broken.add(rate * 100, 1, 2, 3)
    row = Row(
        "work", {"Trine": fast, "slow": slow, "broken": broken}, [Goal("Trine", 5.0), Goal("Trine", 4.0, ("slow",))]
    )
    assert row.verdicts() == [
        "Trine 4.00 × slow (goal 5): **missed**",
        "Trine 4.00 × slow (goal 4): reached",
    ]
    assert "failed: 500 {}" in table([row], ["Trine", "slow", "broken"])
    assert Row("none", {}, [Goal("Trine", 1.0)]).verdicts() == ["Trine: not measured"]


def with_server(handler: Any, use: Any) -> Any:
    async def main() -> Any:
        server = await serve(handler, clock=ManualClock())
        try:
            return await asyncio.get_running_loop().run_in_executor(None, use, server.port)
        finally:
            await server.close()

    return asyncio.run(main())


def test_a_wire_reads_every_framing() -> None:
    async def pieces() -> Any:
        yield b'{"a":'
        yield b"1}"

    def handler(request: Request) -> Response:
        return Response(200, (), pieces() if request.path == b"/chunks" else b'{"a":1}')

    def use(port: int) -> list[Any]:
        with Wire(port) as wire:
            lines = (b"GET / HTTP/1.1", b"GET /chunks HTTP/1.1", b"GET / HTTP/1.0", b"GET /chunks HTTP/1.0")
            return [wire.ask_json(line + b"\r\nHost: a\r\n\r\n") for line in lines]

    assert with_server(handler, use) == [(200, {"a": 1})] * 4


def test_load_without_wrk_counts_only_good_answers() -> None:
    def handler(request: Request) -> Response:
        return Response(500 if request.path == b"/bad" else 200, (), b"x" * 100_000)

    def use(port: int) -> Any:
        with pytest.raises(LoadFailed, match="500"):
            _circle(port, [b"GET /bad HTTP/1.1\r\nHost: a\r\n\r\n"], 2, 0.2)
        return _circle(port, [b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"], 2, 0.1)

    delays, size_bytes = with_server(handler, use)
    assert delays
    assert size_bytes > 100_000 * len(delays)


def test_the_rows_of_the_front_door_alone_do_what_they_say() -> None:
    async def run() -> None:
        clock = SystemClock()
        issuer = await gateway_server.issuer(clock)
        server = await serve(gateway_server.door(clock, issuer.port).handle, "127.0.0.1", 0, clock=clock)
        try:
            for title, (request, status) in gateway_run.requests(clock.now()).items():
                for _ in range(2):
                    found, answer = await asyncio.to_thread(_ask, server.port, request)
                assert (found, title) == (status, title), answer
        finally:
            await server.close(0.1)
            await issuer.close(0.1)

    asyncio.run(run())


def _ask(port: int, request: bytes) -> tuple[int, bytes]:
    with Wire(port) as wire:
        return wire.ask(request)


def test_identity_is_measured_on_calls_that_are_allowed_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.identity_run.REQUESTS", 5)
    account = Account()
    plain = account.role("plain", statements=10)
    limited = account.role("limited", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["customer#*"]}})
    for session in (plain, limited):
        requests = account.requests([session])
        assert len(requests) == 5
        assert all(0 < micros < 1e6 for micros in best_microseconds([(account, requests)]))
        requests[0].body += b" "
        with pytest.raises(AwsError, match="signature"):
            account.call(requests[0])
    caller = account.access.authenticate(account.requests([limited])[0], "dynamodb")
    assert caller.needs(ACTION, account.table)
    elsewhere = {"dynamodb:LeadingKeys": ["somebody"]}
    with pytest.raises(AwsError, match="not authorized"):
        account.access.authorize(caller, ACTION, account.table, elsewhere)


def test_a_run_of_one_part_leaves_the_others() -> None:
    old = "# Heading\n\nold words\n\n## The table\n\n| old |\n\n## Growth\n\n| kept |\n"
    new = "# Heading\n\nnew words\n\n## The table\n\n| new |\n\n## Identity\n\n| more |\n"
    assert renewed(old, new) == (
        "# Heading\n\nnew words\n\n## The table\n\n| new |\n\n## Growth\n\n| kept |\n\n## Identity\n\n| more |\n"
    )


def test_the_bare_floor_hands_events_to_runtimes_and_their_answers_back() -> None:
    async def ask(floor: Floor) -> None:
        waits = floor.runtime(Request("GET", b"/2018-06-01/runtime/invocation/next", Headers()))
        answers = [floor.front(Request("GET", b"/users/u%d" % number, Headers())) for number in (3, 4)]
        assert isinstance(waits, asyncio.Future)
        for number, answer in zip((3, 4), answers, strict=True):
            event = await waits if number == 3 else floor.runtime(Request("GET", b"/x/next", Headers()))
            assert isinstance(event, Response)
            assert isinstance(event.body, bytes)
            assert json.loads(event.body)["pathParameters"] == {"id": f"u{number}"}
            path = b"/2018-06-01/runtime/invocation/%b/response" % dict(event.headers)[b"Lambda-Runtime-Aws-Request-Id"]
            floor.runtime(Request("POST", path, Headers(), b'{"body": "yes"}'))
            assert isinstance(answer, asyncio.Future)
            assert (await answer).body == b"yes"
        assert floor.front(Request("GET", b"/nothing", Headers())) is not None

    asyncio.run(ask(Floor()))
    found = floor_table(Request("POST", b"/", Headers(), b'{"TableName": "Users", "Key": {"id": {"S": "u12"}}}'))
    assert json.loads(bytes(found.body)) == {"Item": {"id": {"S": "u12"}, "name": {"S": "Name 12"}}}  # type: ignore[arg-type]
