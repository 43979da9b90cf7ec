"""The socket to a guest: calls and answers in order, on demand and by the event loop, whole whatever it takes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.waiting import PATIENCE_SECONDS, until
from trine.awslambda.environments.lifecycle import State
from trine.awslambda.guest_apis.guest_link import GuestLink
from trine.awslambda.guest_apis.runtime_api import Call

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"


class Told:
    """Stands for an environment: notes what it is told."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.kinds: list[str] = []
        self.ends = 0
        self.answer = b""

    def call(self, call: Call, connection: Any) -> None:
        self.kinds.append(call.kind)
        if self.answer:
            connection.reply(self.answer, hold=call.kind != "next")

    def connected(self, connection: Any) -> None:
        self.link = connection

    def disconnected(self) -> None:
        self.ends += 1


Scene = Callable[[Told, GuestLink, socket.socket], Coroutine[Any, Any, None]]


def played(scene: Scene) -> Callable[[], None]:
    """Run a scene on an event loop, with the guest's end of the socket."""

    def test() -> None:
        async def inside() -> None:
            ours, theirs = socket.socketpair()
            told = Told()
            link = GuestLink(told, ours)  # type: ignore[arg-type]
            with theirs:
                await scene(told, link, theirs)
            link.close()

        asyncio.run(inside())

    return test


@played
async def test_what_has_come_is_taken_on_demand_and_nothing_is_waited_for(
    told: Told, link: GuestLink, guest: socket.socket
) -> None:
    link.poll()
    assert told.kinds == []
    guest.sendall(NEXT)
    link.poll()
    assert told.kinds == ["next"]


@played
async def test_the_event_loop_takes_what_nobody_asked_for(told: Told, link: GuestLink, guest: socket.socket) -> None:
    guest.sendall(NEXT)
    await until(lambda: told.kinds == ["next"])


@played
async def test_an_answer_larger_than_the_socket_takes_arrives_whole_and_in_order(
    told: Told, link: GuestLink, guest: socket.socket
) -> None:
    large = bytes(range(256)) * 20_000
    link.reply(b"head", hold=True)
    link.reply(large)
    link.reply(b"tail")
    received = b""
    guest.setblocking(False)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(received) < len(large) + 8:
            received += await loop.sock_recv(guest, 65_536)
    assert received == b"head" + large + b"tail"


@played
async def test_a_guest_that_is_held_back_is_read_when_it_may_go_on(
    told: Told, link: GuestLink, guest: socket.socket
) -> None:
    link.hold_back(True)
    link.hold_back(True)
    guest.sendall(NEXT)
    link.poll()
    assert told.kinds == []
    link.hold_back(False)
    await until(lambda: told.kinds == ["next"])


@pytest.mark.parametrize("last", [b"", b"this is no message\r\n\r\n"])
def test_the_end_of_a_guest_and_a_broken_message_are_told_once(last: bytes) -> None:
    @played
    async def scene(told: Told, link: GuestLink, guest: socket.socket) -> None:
        guest.sendall(last)
        guest.shutdown(socket.SHUT_WR)
        await until(lambda: told.ends > 0)
        link.poll()
        link.reply(b"nobody")
        assert told.ends == 1

    scene()


@played
async def test_who_closes_is_not_told_of_it(told: Told, link: GuestLink, guest: socket.socket) -> None:
    link.close()
    link.poll()
    assert told.ends == 0
    assert guest.recv(1) == b""


@played
async def test_a_guest_that_has_gone_takes_no_answer_and_hurts_nobody(
    told: Told, link: GuestLink, guest: socket.socket
) -> None:
    guest.close()
    link.reply(b"x" * 1_000_000)
    await until(lambda: told.ends == 1)
