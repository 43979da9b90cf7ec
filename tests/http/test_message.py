"""Requests, responses and headers as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.http.message import Headers, Request, Response

names = st.sampled_from([b"Host", b"host", b"HOST", b"X-A", b"x-a", b"X-B"])


@given(st.lists(st.tuples(names, st.binary(max_size=4))))
def test_look_up_finds_the_first_and_all(pairs: list[tuple[bytes, bytes]]) -> None:
    headers = Headers(pairs)
    for wanted in (b"host", b"x-a", b"x-b"):
        values = [value for name, value in pairs if name.lower() == wanted]
        assert headers.all(wanted) == values
        assert headers.get(wanted) == (values[0] if values else None)
    assert list(headers) == pairs
    assert len(headers) == len(pairs)


def test_a_target_is_cut_once() -> None:
    request = Request("GET", b"/a%20b?c=%3F?&d", Headers())
    assert (request.path, request.query) == (b"/a%20b", b"c=%3F?&d")
    assert (request.body, request.peer_host, request.version) == (b"", "127.0.0.1", "1.1")


def test_a_response_keeps_order_and_spelling() -> None:
    response = Response(200, ((name, b"v") for name in (b"B", b"a")))
    assert response.headers == [(b"B", b"v"), (b"a", b"v")]
    assert (response.body, response.head) == (b"", b"")


def test_pairs_are_made_of_what_is_known_when_they_are_asked_for() -> None:
    headers = Headers((), {b"host": b"one", b"x-two": b"2"}, [b"Host", b"X-Two"])
    assert headers.get(b"host") == b"one"
    assert headers.pairs == [(b"Host", b"one"), (b"X-Two", b"2")]
    assert headers.pairs is headers.pairs
    assert (len(headers), headers.all(b"x-two"), headers.repeats) == (2, [b"2"], False)
    assert Headers([(b"A", b"1"), (b"a", b"2")]).repeats
    with pytest.raises(AttributeError):
        _ = headers.nothing  # type: ignore[attr-defined]
