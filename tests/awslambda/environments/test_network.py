"""Networks of environments' own, as the server holds them: packets read, names asked on, and systems that have none."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.awslambda.environments.network import Attempt, attempt_of, machine_resolvers
from trine.awslambda.environments.resolver import PATIENCE_SECONDS, Resolver
from trine.awslambda.environments.zygote import Zygote
from trine.clock import ManualClock, SystemClock

SYN = bytes.fromhex("4500003cfe4a4000400622580a00000a08080808cfae01bb3ce9b28300000000a002ffd71a480000")
DATAGRAM = bytes.fromhex("4500001d0ccf4000401111e60a00000a09090909e0f6003500091c3678")


def test_packets_tell_where_they_were_to_go() -> None:
    assert attempt_of(SYN) == Attempt("tcp", "8.8.8.8", 443)
    assert attempt_of(DATAGRAM) == Attempt("udp", "9.9.9.9", 53)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_left(packet: bytes) -> None:
    found = attempt_of(packet)
    assert found is None or (found.protocol in ("tcp", "udp") and 0 <= found.port < 65_536)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nameserver 10.0.0.2\n", ("10.0.0.2",)),
        ("# c\nnameserver fe80::1\nnameserver 127.0.0.53\nnameserver 127.0.0.53\noptions edns0\n", ("127.0.0.53",)),
        ("".join(f"nameserver 9.0.0.{n}\n" for n in range(5)), ("9.0.0.0", "9.0.0.1", "9.0.0.2")),
        ("nameserver\nnameserver x\n", ()),
    ],
)  # fmt: skip
def test_the_machines_resolvers(tmp_path: Path, text: str, found: tuple[str, ...]) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(text)
    assert machine_resolvers(file) == found
    assert machine_resolvers(tmp_path / "none") == ()


def _datagrams() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def test_questions_of_names_go_to_the_machines_resolver_and_come_back() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        inside, upstream, asker = _datagrams(), _datagrams(), _datagrams()
        end = await Resolver.answer(inside, upstream.getsockname(), SystemClock())
        await loop.sock_sendto(asker, b"question", inside.getsockname())
        async with asyncio.timeout(30):
            asked, address = await loop.sock_recvfrom(upstream, 100)
            await loop.sock_sendto(upstream, asked + b" answered", address)
            assert await loop.sock_recv(asker, 100) == b"question answered"
        await end()
        upstream.close()
        asker.close()

    asyncio.run(scenario())


def test_a_question_without_an_answer_is_given_up() -> None:
    async def scenario() -> None:
        loop, clock = asyncio.get_running_loop(), ManualClock()
        inside, upstream, asker = _datagrams(), _datagrams(), _datagrams()
        resolver = Resolver(upstream.getsockname(), clock)
        await loop.create_datagram_endpoint(lambda: resolver, sock=inside)
        await loop.sock_sendto(asker, b"question", inside.getsockname())
        async with asyncio.timeout(30):
            await loop.sock_recvfrom(upstream, 100)
        assert resolver.open_questions == 1
        clock.advance(PATIENCE_SECONDS)
        assert resolver.open_questions == 0
        await resolver.close()
        upstream.close()
        asker.close()

    asyncio.run(scenario())


def test_without_namespaces_there_are_no_own_networks() -> None:
    async def scenario() -> None:
        zygote = Zygote(SystemClock(), sandboxed=False, tries_networks=True)
        zygote.start()
        async with asyncio.timeout(60):
            await zygote.ready()
        assert zygote.own_networks is False
        await zygote.close()

    asyncio.run(scenario())
