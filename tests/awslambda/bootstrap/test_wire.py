"""The guest end of the link: messages whole however they come; looking before sleeping while events come quickly."""

from __future__ import annotations

import socket

import pytest

from trine.awslambda.bootstrap import wire
from trine.awslambda.guest_apis.runtime_api import ACCEPTED

EVENT = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nContent-Length: 2\r\n\r\n{}"


class Ends:
    """Stands for a connection: what each receive gives, and how it was asked for."""

    def __init__(self, *gives: bytes | None) -> None:
        self.gives = list(gives)
        self.ways: list[str] = []

    def recv(self, count: int, flags: int = 0) -> bytes:
        """None among the gifts: there is nothing yet."""
        self.ways.append("look" if flags & socket.MSG_DONTWAIT else "sleep")
        given = self.gives.pop(0)
        if given is None:
            raise BlockingIOError
        return given

    def sendall(self, data: bytes) -> None:
        raise AssertionError("nothing is sent here")


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The clock's hand in nanoseconds; it moves by 50 µs with each look at it."""
    hand = [0]

    def tick() -> int:
        hand[0] += 50_000
        return hand[0]

    monkeypatch.setattr(wire, "_tick", tick)
    monkeypatch.setattr(wire, "_MAY_LOOK", True)
    return hand


def link_to(connection: Ends) -> wire.Link:
    return wire.Link(connection)  # type: ignore[arg-type]


def test_a_message_is_whole_wherever_it_was_cut(ticks: list[int]) -> None:
    for cut in range(1, len(EVENT)):
        status, headers, body = link_to(Ends(EVENT[:cut], None, EVENT[cut:])).read()
        assert (status, headers["lambda-runtime-aws-request-id"], body) == (200, "1", b"{}")


REFUSED = b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 3\r\n\r\nbig"


@pytest.mark.parametrize("said", [ACCEPTED, REFUSED])
def test_what_is_said_to_an_answer_is_passed_over_wherever_it_was_cut(ticks: list[int], said: bytes) -> None:
    whole = said + EVENT
    for cut in range(1, len(whole)):
        link = link_to(Ends(whole[:cut], whole[cut:]))
        link.skip()
        assert link.read()[2] == b"{}"


def test_the_acknowledgement_is_known_as_the_owner_writes_it() -> None:
    assert wire._ACCEPTED == ACCEPTED


def test_after_a_short_wait_the_next_event_is_looked_for(ticks: list[int]) -> None:
    connection = Ends(EVENT, None, None, EVENT)
    link = link_to(connection)
    link.read()
    link.read()
    assert connection.ways == ["sleep", "look", "look", "look"]


def test_looking_ends_and_is_not_begun_again_after_a_long_wait(ticks: list[int]) -> None:
    connection = Ends(EVENT, *[None] * 9, EVENT, EVENT)
    link = link_to(connection)
    for _ in range(3):
        link.read()
    assert connection.ways == ["sleep", *["look"] * 9, "sleep", "sleep"]


def test_with_one_processor_nobody_looks(ticks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MAY_LOOK", False)
    connection = Ends(EVENT, EVENT)
    link = link_to(connection)
    link.read()
    link.read()
    assert connection.ways == ["sleep", "sleep"]


def test_the_end_of_the_link_is_an_end_either_way(ticks: list[int]) -> None:
    slept, looked = link_to(Ends(b"")), link_to(Ends(EVENT, b""))
    looked.read()
    for link in (slept, looked):
        with pytest.raises(wire.LinkClosed):
            link.read()
