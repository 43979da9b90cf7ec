"""Whatever comes in, something valid goes out: fuzzed requests, path tricks, bombs."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trine.http.message import Headers, Request, Response

TOKEN = st.text(alphabet="abcXYZ-0189_", min_size=1, max_size=12)
VALUE = st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b""))
KNOWN = st.sampled_from(
    ["Host", "Cookie", "Content-Type", "Accept", "Authorization", "X-Api-Key", "Origin", "X-Amzn-Trace-Id",
     "X-Forwarded-For", "Content-Encoding", "Access-Control-Request-Method", "Cache-Control", "Content-Length"]
)  # fmt: skip
TARGET = st.one_of(
    st.binary(max_size=60).map(lambda raw: b"/" + raw),
    st.text(alphabet="/.%2Fcfgabc{}+?&=;$~*", max_size=40).map(lambda text: ("/" + text).encode()),
    st.sampled_from([b"*", b"", b"http://x/users", b"/_apis/", b"/_apis/rest01", b"/users/%00", b"/../../etc/passwd"]),
)


@given(
    method=st.sampled_from(["GET", "POST", "OPTIONS", "HEAD", "DELETE", "BREW", ""]),
    target=TARGET,
    headers=st.lists(st.tuples(st.one_of(TOKEN, KNOWN), VALUE), max_size=8),
    body=st.binary(max_size=60),
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_request_is_answered(
    rest_door: Any, http_door: Any, method: str, target: bytes, headers: list[tuple[str, bytes]], body: bytes
) -> None:
    async def call(door: Any) -> Response:
        pairs = [(name.encode(), value) for name, value in headers]
        answer = door.gateway.handle(Request(method, target, Headers(pairs), body))
        return answer if isinstance(answer, Response) else await answer

    for door in (rest_door, http_door):
        response = asyncio.run(call(door))
        assert 200 <= response.status < 600
        assert response.status != 500, door.refusal()
        for name, value in response.headers:
            assert b"\n" not in name + value
        for request in door.invoker.requests:
            orjson.loads(request.payload)
        door.invoker.requests.clear()


@pytest.mark.parametrize(
    "target",
    ["/users/..", "/users/%2e%2e/x", "/users//7", "//users", "/users/7/", "/users/%2F", "/users/%252F", "/users/a;b=c"],
)
def test_path_tricks_reach_no_other_route(rest_door: Any, http_door: Any, target: str) -> None:
    for door in (rest_door, http_door):
        response = door.call("GET", target)
        assert response.status in (200, 403, 404)
        if response.status == 200:
            event = door.invoker.event
            assert event.get("resource", event.get("routeKey")) in (
                "/users",
                "/users/{id}",
                "GET /users",
                "GET /users/{id}",
            )


def test_query_bombs_are_bounded_by_the_target(rest_door: Any) -> None:
    assert len(rest_door.event("GET", "/users?" + "&" * 8_000 + "a=1")["queryStringParameters"]) == 1
    event = rest_door.event("GET", "/users?" + "a&" * 4_000)
    assert event["multiValueQueryStringParameters"] == {"a": [""] * 4_000}
    assert rest_door.call("GET", "/users?" + "a=1&" * 4_000).status == 414


def test_deep_json_from_a_function(rest_door: Any, http_door: Any) -> None:
    bomb = b"[" * 200_000
    rest_door.invoker.answer = http_door.invoker.answer = bomb
    assert rest_door.call("GET", "/users").status == 502
    assert http_door.call("GET", "/users").status == 500
