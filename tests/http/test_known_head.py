"""Heads like one that was read before: whatever differs, the parser that knows them answers as one that does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.http.errors import RequestRefused
from trine.http.known_head import CREDIT_COUNT, HEAD_MAX_BYTES, HEADS_MAX_COUNT, KnownHeads
from trine.http.limits import Limits
from trine.http.message import Headers, Request
from trine.http.protocol import RequestParser

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature="


def signed(body: bytes, *, operation: str = "PutItem", signature: str = "ab" * 32, second: int = 10) -> bytes:
    """A request as SDKs send it."""
    head = (
        "POST / HTTP/1.1\r\nHost: localhost:8000\r\nX-Amz-Target: DynamoDB_20120810." + operation + "\r\n"
        f"X-Amz-Date:20261128T1010{second}Z\r\nAuthorization: {SIGNED}{signature}\r\n"
        f"amz-sdk-invocation-id: 6f1c0000-0000-4000-8000-0000000000{second}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


Told = tuple[object, ...]


def told(request: Request) -> Told:
    headers = request.headers
    return (
        (request.method, request.target, request.path, request.query, headers.pairs, headers.by_name, request.body),
        (request.version, request.peer_host, request.peer_port),
    )


class Reader:
    """A parser, what it has delivered, and how many requests of it had a known head."""

    def __init__(self, **limits: int) -> None:
        self.requests: list[tuple[Told, bool]] = []
        self.head_bytes: list[int] = []
        self.known = 0
        self.parser = RequestParser(Limits(**limits), self._take, lambda: None, ("peer", 7))

    def _take(self, request: Request, keep_alive: bool) -> None:
        self.requests.append((told(request), keep_alive))
        self.head_bytes.append(request.head_bytes)

    def feed(self, data: bytes) -> int | None:
        """The status of a refusal."""
        credit = self.parser._known._credit
        try:
            self.parser.feed(data)
        except RequestRefused as refusal:
            return refusal.status
        self.known += self.parser._known._credit > credit
        return None


def test_a_head_that_differs_where_heads_differ_is_known() -> None:
    reader = Reader()
    reader.feed(signed(b'{"a":1}'))
    assert reader.known == 0
    other = signed(b'{"b":2}', operation="GetItem", signature="01" * 32, second=11)
    reader.feed(other)
    fresh = Reader()
    fresh.feed(other)
    assert reader.known == 1
    assert reader.requests[1:] == fresh.requests
    assert reader.head_bytes[1] == len(other) - len(b'{"b":2}')


def test_each_request_has_headers_of_its_own() -> None:
    requests: list[Request] = []
    parser = RequestParser(Limits(), lambda request, keep_alive: requests.append(request), lambda: None, ("peer", 7))
    for _ in range(3):
        parser.feed(signed(b"{}"))
    requests[1].headers.pairs.clear()
    requests[1].headers.by_name.clear()
    requests[0].headers.by_name.clear()
    assert requests[2].headers.by_name[b"host"] == b"localhost:8000"
    parser.feed(signed(b"{}"))
    assert told(requests[3]) == told(requests[2])


@pytest.mark.parametrize(
    "change",
    [
        (b"Content-Length: 7", b"Content-Length: 8"),
        (b"Content-Length: 7", b"Content-Length: x"),
        (b"Content-Length: 7", b"Content-Length:+7"),
        (b"localhost:8000", b"localhost:8001"),
        (b"localhost:8000", b"local host:800"),
        (b"PutItem", b"Put\0tem"),
        (b"PutItem", b"Put\ntem"),
        (b"PutItem", b"Put\xe9tem"),
        (b"20261128T10", b"20261128 10"),
        (b"POST / ", b"PUT  / "),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"\r\n\r\n{", b"\r\n\r {"),
        (b'{"a":1}', b'{"a":1}{'),
        (b'{"a":1}', b'{"a":1'),
        (b'{"a":1}', b""),
    ],
)
def test_a_head_that_differs_elsewhere_goes_through_the_parser(change: tuple[bytes, bytes]) -> None:
    usual = signed(b'{"a":1}')
    other = usual.replace(*change)
    assert other != usual
    reader, fresh = Reader(), Reader()
    reader.feed(usual)
    assert (reader.feed(other), reader.requests[1:]) == (fresh.feed(other), fresh.requests)
    assert reader.known == 0


@given(st.data())
def test_any_change_is_answered_as_if_nothing_were_known(data: st.DataObject) -> None:
    usual = signed(b'{"a":1}')
    other = bytearray(data.draw(st.sampled_from([usual, signed(b'{"a":12345}'), signed(b"{}", operation="Query")])))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(other) - 1))
        other[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    reader, fresh = Reader(), Reader()
    fresh.feed(usual)
    fresh.parser._known = KnownHeads(("peer", 7))
    reader.feed(usual)
    assert reader.feed(bytes(other)) == fresh.feed(bytes(other))
    assert reader.requests == fresh.requests
    assert reader.parser.phase == fresh.parser.phase


def test_two_requests_in_one_piece_are_both_read() -> None:
    reader = Reader()
    reader.feed(signed(b"{}"))
    reader.feed(signed(b"{}") + signed(b"{}"))
    assert len(reader.requests) == 3
    assert reader.known == 0


@pytest.mark.parametrize(
    "line", [b"Connection: close", b"Expect: 100-continue", b"Upgrade: h2c", b"x-amz-date: again", b"X-Brace: {"]
)
def test_unusual_heads_are_not_learned(line: bytes) -> None:
    reader = Reader()
    data = signed(b"{}").replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")
    reader.feed(data)
    reader.feed(data)
    assert reader.known == 0


def test_a_body_beyond_the_limit_is_refused() -> None:
    reader = Reader(body_bytes=12)
    assert reader.feed(signed(b'{"abcdef":1}')) is None
    assert reader.feed(signed(b'{"abcdef":12}')) == 413


def test_what_ends_a_connection_still_ends_it() -> None:
    reader = Reader()
    reader.feed(signed(b"{}"))
    reader.feed(signed(b"{}").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    reader.feed(signed(b"{}"))
    assert [keep_alive for _, keep_alive in reader.requests] == [True, False]


def test_a_half_request_is_waited_for_and_the_next_one_known() -> None:
    reader = Reader()
    data = signed(b'{"a":1}')
    reader.feed(data)
    reader.feed(data[:-3])
    assert len(reader.requests) == 1
    reader.feed(data[-3:])
    reader.feed(data)
    assert len(reader.requests) == 3
    assert reader.known == 1


def plain(line: bytes = b"GET /hello?a=1 HTTP/1.1", more: bytes = b"") -> bytes:
    """A request without a body, as browsers and curl send it."""
    return line + b"\r\nHost: localhost:3000\r\nAccept: */*\r\nConnection: keep-alive\r\n" + more + b"\r\n"


@pytest.mark.parametrize("line", [b"GET /users/7 HTTP/1.1", b"DELETE /a%2Fb?x=%00&y HTTP/1.1", b"HEAD / HTTP/1.1"])
def test_without_a_body_the_first_line_may_be_another_one(line: bytes) -> None:
    reader, fresh = Reader(), Reader()
    reader.feed(plain())
    reader.feed(plain(line))
    fresh.feed(plain(line))
    assert reader.known == 1
    assert reader.requests[1:] == fresh.requests
    assert reader.head_bytes[1:] == fresh.head_bytes
    reader.feed(plain(line))
    assert reader.requests[2:] == fresh.requests


@pytest.mark.parametrize(
    "data",
    [
        plain(b"POST /hello HTTP/1.1"),
        plain(b"GET /hello HTTP/1.0"),
        plain(b"GET  /hello HTTP/1.1"),
        plain(b"GET /hel lo HTTP/1.1"),
        plain(b"GET /hello#part HTTP/1.1"),
        plain(b"GET http://other/ HTTP/1.1"),
        plain(b"GET * HTTP/1.1"),
        plain("GET /hé HTTP/1.1".encode()),
        plain(b"GET /a\0b HTTP/1.1"),
        plain(b"\r\nGET /hello HTTP/1.1"),
        plain(b"GET /{a} HTTP/1.1"),
        plain(b"GET /" + b"a" * 900 + b" HTTP/1.1"),
        plain() + plain(),
        plain() + b"x",
        plain()[:-1],
        plain(more=b"Content-Length: 0\r\n"),
        plain(more=b"Host: another\r\n"),
    ],
)
def test_without_a_body_everything_else_goes_through_the_parser(data: bytes) -> None:
    reader, fresh = Reader(request_line_bytes=800), Reader(request_line_bytes=800)
    reader.feed(plain())
    assert (reader.feed(data), reader.requests[1:]) == (fresh.feed(data), fresh.requests)
    assert reader.parser.phase == fresh.parser.phase
    assert reader.known == 0


@pytest.mark.parametrize(
    "more",
    [
        b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n", b"X-Brace: {\r\n",
    ],
)  # fmt: skip
def test_heads_that_say_more_about_the_connection_are_not_learned(more: bytes) -> None:
    data = plain(more=more).replace(b"Connection: keep-alive\r\n", b"")
    if b"chunked" in data:
        data += b"0\r\n\r\n"
    reader = Reader()
    for _ in range(3):
        reader.feed(data)
    assert reader.known == 0


@given(st.data())
def test_without_a_body_any_change_is_answered_as_if_nothing_were_known(data: st.DataObject) -> None:
    other = bytearray(plain(data.draw(st.sampled_from([b"GET / HTTP/1.1", b"DELETE /a?b HTTP/1.1"]))))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(other) - 1))
        other[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    reader, fresh = Reader(), Reader()
    fresh.feed(plain())
    fresh.parser._known = KnownHeads(("peer", 7))
    reader.feed(plain())
    assert reader.feed(bytes(other)) == fresh.feed(bytes(other))
    assert reader.requests == fresh.requests
    assert reader.parser.phase == fresh.parser.phase


@pytest.mark.parametrize("more", [0, 1])
def test_long_heads_are_not_remembered(more: int) -> None:
    padding = HEAD_MAX_BYTES - len(signed(b"")) - len("X-Pad: \r\n") + more - 1  # content-length has a digit more
    reader = Reader()
    data = signed(b'{"a": 1234}').replace(b"\r\n\r\n", b"\r\nX-Pad: " + b"x" * padding + b"\r\n\r\n")
    assert data.index(b"{") == HEAD_MAX_BYTES + more
    reader.feed(data)
    reader.feed(data)
    assert reader.known == 1 - more


def learned(known: KnownHeads, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        head = b"POST /%b HTTP/1.1\r\nContent-Length: 2\r\n\r\n" % (b"x" * number)
        target = b"/" + b"x" * number
        known.learn(head + b"{}", Request("POST", target, Headers([(b"Content-Length", b"2")]), b"{}"))


def test_there_are_no_more_heads_than_a_few() -> None:
    known = KnownHeads(("peer", 7))
    learned(known, HEADS_MAX_COUNT - 2)
    assert len(known._heads) == HEADS_MAX_COUNT - 2
    known._credit = CREDIT_COUNT
    learned(known, 3, HEADS_MAX_COUNT)
    assert len(known._heads) == 1


def test_who_never_says_the_same_twice_pays_for_a_few_attempts_only() -> None:
    known = KnownHeads(("peer", 7))
    learned(known, CREDIT_COUNT)
    assert not known._heads
    assert known._credit <= 0
