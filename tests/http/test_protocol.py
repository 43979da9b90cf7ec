"""The parser alone: bytes in, requests or a refusal out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trine.http.errors import RequestRefused
from trine.http.limits import Limits
from trine.http.message import Request
from trine.http.protocol import BETWEEN, RequestParser


def parse(*pieces: bytes, **limits: int) -> list[tuple[Request, bool]]:
    requests: list[tuple[Request, bool]] = []
    parser = RequestParser(
        Limits(**limits), lambda request, keep_alive: requests.append((request, keep_alive)), lambda: None, ("peer", 7)
    )
    for piece in pieces:
        parser.feed(piece)
    return requests


def told(request: Request) -> tuple[object, ...]:
    return request.method, request.target, request.headers.pairs, request.body, request.version


STREAM = (
    b"GET /a?b=%20&b HTTP/1.1\r\nHost: one\r\nX-Two:  spaced \t\r\nx-two: again\r\n\r\n"
    b"\r\n"
    b"POST /b HTTP/1.1\r\nhost: one\r\nContent-Length: 11\r\n\r\nhello world"
    b"PUT /c HTTP/1.1\r\nHost: two\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nHost: evil\r\n\r\n"
    b"GET http://three:80/d?e HTTP/1.1\r\nHost: lie\r\n\r\n"
    b"GET /w HTTP/1.1\r\nHost: one\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    b"POST /last HTTP/1.1\r\nHost: one\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
)


def test_a_request_is_read_as_it_stands() -> None:
    ((request, keep_alive),) = parse(STREAM[: STREAM.index(b"POST")])
    assert (request.method, request.path, request.query) == ("GET", b"/a", b"b=%20&b")
    assert request.headers.pairs == [(b"Host", b"one"), (b"X-Two", b"spaced"), (b"x-two", b"again")]
    assert request.headers.get(b"x-two") == b"spaced"
    assert request.headers.all(b"x-two") == [b"spaced", b"again"]
    assert (request.peer_host, request.peer_port, request.version, keep_alive) == ("peer", 7, "1.1", True)


def test_a_stream_of_requests() -> None:
    requests = parse(STREAM)
    assert [request.target for request, _ in requests] == [b"/a?b=%20&b", b"/b", b"/c", b"/d?e", b"/w", b"/last"]
    assert [request.body for request, _ in requests] == [b"", b"hello world", b"hello!", b"", b"", b"x"]
    assert [keep_alive for _, keep_alive in requests] == [True, True, True, True, True, False]
    assert requests[2][0].headers.get(b"host") == b"two", "a trailer must not change the request"
    assert requests[3][0].headers.all(b"host") == [b"three:80"], "the target's authority replaces Host"


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_split_gives_the_same_requests(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    assert [told(request) for request, _ in parse(*pieces)] == [told(request) for request, _ in parse(STREAM)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_what_is_told_of_a_heads_size_holds_or_nothing_is_told(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    for request, _ in parse(*[STREAM[start:end] for start, end in itertools.pairwise(edges)]):
        size = len(request.target) + sum(len(name) + len(value) for name, value in request.headers.pairs)
        assert request.head_bytes == 0 or request.head_bytes >= size


def test_a_head_that_came_in_one_piece_tells_its_size() -> None:
    ((request, _),) = parse(STREAM[: STREAM.index(b"POST")])
    assert request.head_bytes == STREAM.index(b"POST")


def test_byte_by_byte() -> None:
    pieces = [STREAM[index : index + 1] for index in range(len(STREAM))]
    assert [told(request) for request, _ in parse(*pieces)] == [told(request) for request, _ in parse(STREAM)]


@given(st.integers(1, len(STREAM) - 1))
@example(STREAM.index(b"POST /b") - 2)  # only the empty line that some clients send between requests
def test_between_requests_nothing_is_under_way_however_they_came(cut: int) -> None:
    # SDKs send head and body apart: a parser that took the end of the body for a new head let idle clients time out.
    ends = {STREAM.index(b"POST /b"), STREAM.index(b"PUT"), STREAM.index(b"GET http")}
    parser = RequestParser(Limits(), lambda request, keep_alive: None, lambda: None, ("peer", 7))
    edges = sorted({0, cut, *ends})
    for start, end in itertools.pairwise(edges):
        parser.feed(STREAM[start:end])
        if end in ends:
            assert parser.phase == BETWEEN


@given(st.binary(max_size=300))
def test_any_bytes_are_requests_or_a_refusal(data: bytes) -> None:
    statuses = []
    for prefix in (
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        try:
            parse(prefix + data)
        except RequestRefused as refusal:
            statuses.append(refusal.status)
    assert all(400 <= status <= 505 for status in statuses)


def test_what_follows_the_last_request_is_not_read() -> None:
    last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert len(parse(last + b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")) == 1
    assert len(parse(last, b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")) == 1


UPGRADE = b"GET /w HTTP/1.1\r\nHost: one\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def test_upgrades_are_ignored_however_many_come() -> None:
    assert len(parse(UPGRADE * 3_000)) == 3_000
    assert len(parse(UPGRADE, UPGRADE, UPGRADE)) == 3
    with pytest.raises(RequestRefused) as caught:
        parse(UPGRADE + b"GET / HTTP/1.1\r\n\r\n")
    assert caught.value.status == 400, "a fault behind an upgrade keeps its own name"


def test_http_1_0_needs_no_host_and_closes() -> None:
    ((request, keep_alive),) = parse(b"GET / HTTP/1.0\r\n\r\n")
    assert (request.version, keep_alive) == ("1.0", False)
    ((request, keep_alive),) = parse(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert (request.version, keep_alive) == ("1.0", True)


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET / HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        # two ways to say where a request ends: smuggling
        (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
        (POST + b"Content-Length: +3\r\n\r\nabc", 400),
        (POST + b"Content-Length: -3\r\n\r\nabc", 400),
        (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
        (POST + b"Content-Length: \r\n\r\nabc", 400),
        (POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc", 400),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: identity\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        # crooked chunks
        (POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n", 400),
        # crooked heads
        (GET + b"Host: a\r\nX: a\r\n  folded\r\n\r\n", 400),
        (GET + b"Host : a\r\n\r\n", 400),
        (GET + b" Host: a\r\n\r\n", 400),
        (GET + b"Host: a\nX: b\r\n\r\n", 400),
        (GET + b"Host: a\rX: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (GET + b"Host: a\0b\r\n\r\n", 400),
        (GET + b"Ho\0st: a\r\n\r\n", 400),
        (GET + b"Host: a\x01b\r\n\r\n", 400),
        (GET + b": a\r\n\r\n", 400),
        (GET + b"Host\r\n\r\n", 400),
        (GET + b"\r\n", 400),
        (GET + b"Host: a\r\nHost: a\r\n\r\n", 400),
        (GET + b"Host: a b\r\n\r\n", 400),
        (GET + b"Host: a/b\r\n\r\n", 400),
        # crooked request lines
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"NOTAMETHOD / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\n", 417),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse(data)
    assert caught.value.status == status
    with pytest.raises(RequestRefused) as caught:
        parse(*(data[index : index + 1] for index in range(len(data))))
    assert caught.value.status in (status, 400), "one byte at a time it may be seen earlier, never taken"


def test_options_of_the_whole_server() -> None:
    ((request, _),) = parse(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    assert request.target == b"*"


def test_an_absolute_target_without_host_or_path() -> None:
    ((request, _),) = parse(b"GET http://h?x=1 HTTP/1.1\r\n\r\n")
    assert request.target == b"/?x=1"
    assert request.headers.get(b"host") == b"h"


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("data", "limits", "status"),
    [
        (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {"request_line_bytes": 100}, 414),
        (GET + b"Host: a\r\nX: " + b"a" * 300 + b"\r\n\r\n", {"head_bytes": 200}, 431),
        (GET + b"Host: a\r\n" + b"X: 1\r\n" * 20 + b"\r\n", {"headers_count": 20}, 431),
        (POST + b"Content-Length: 101\r\n\r\n", {"body_bytes": 100}, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101, {"body_bytes": 100}, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"32\r\n" + b"x" * 50 + b"\r\n33\r\n" + b"x" * 51,
         {"body_bytes": 100}, 413),
    ],
)  # fmt: skip
def test_limits(data: bytes, limits: dict[str, int], status: int, whole: bool) -> None:
    pieces = [data] if whole else [data[index : index + 1] for index in range(len(data))]
    with pytest.raises(RequestRefused) as caught:
        parse(*pieces, **limits)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("start", "endless", "limits", "status"),
    [
        (b"GET /", b"a" * 50, {"request_line_bytes": 100}, 414),
        (GET + b"X: ", b"a" * 50, {"head_bytes": 200}, 431),
        (GET + b"X", b"a" * 50, {"head_bytes": 200}, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 50, {"chunk_overhead_bytes": 200}, 400),
        (
            POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: " + b"a" * 50 + b"\r\n",
            {"chunk_overhead_bytes": 200},
            400,
        ),
        (
            POST + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1;" + b"a" * 50 + b"\r\nx\r\n",
            {"chunk_overhead_bytes": 200},
            400,
        ),
    ],
)
def test_nothing_grows_without_end(start: bytes, endless: bytes, limits: dict[str, int], status: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse(start, *[endless] * 200, **limits)
    assert caught.value.status == status


@pytest.mark.parametrize("before", [b"", GET + b"Host: a\r\n\r\n"])
@pytest.mark.parametrize("cut", [60, 150, 210])
def test_a_head_in_two_pieces_has_no_more_room_than_in_one(before: bytes, cut: int) -> None:
    head = GET + b"Host: a\r\nX: " + b"a" * 190 + b"\r\n\r\n"
    limits = {"head_bytes": 200, "request_line_bytes": 200}
    with pytest.raises(RequestRefused) as caught:
        parse(before + head[:cut], head[cut:], **limits)
    assert caught.value.status == 431


def test_what_just_fits_is_taken() -> None:
    small = {
        "request_line_bytes": 100,
        "head_bytes": 200,
        "headers_count": 3,
        "body_bytes": 100,
        "chunk_overhead_bytes": 50,
    }
    target = b"/" + b"a" * 99
    request = b"POST " + target + b" HTTP/1.1\r\nHost: a\r\nX: 1\r\nContent-Length: 100\r\n\r\n" + b"x" * 100
    chunks = POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100 + b"0\r\n\r\n"
    stream = (request + chunks) * 3
    for size in (1, 7, len(stream)):
        pieces = [stream[index : index + size] for index in range(0, len(stream), size)]
        assert [len(request.body) for request, _ in parse(*pieces, **small)] == [100] * 6
