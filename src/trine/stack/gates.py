"""The gates of a stack: what answers behind each port, on the machine and again in the networks of functions' own.

Enters the wings and the bound ports; leaves running servers. A function that stands in a VPC without a way to the
Internet finds copies of the doors in its own network, at the same addresses: whoever knocks there is that function,
whatever it signs with, so its way is looked at before anything else.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec import Struct

from trine.awslambda.environments.network import Attempt
from trine.awslambda.urls.config import HOST_MARK, PATH_PREFIX
from trine.http.limits import Limits
from trine.http.message import Handler, Request
from trine.http.server import ErrorResponse, Server, plain_error, serve
from trine.iam.principal import Session
from trine.stack.checkpoint import Checkpoint, tell_attempt
from trine.stack.description import url_host
from trine.stack.forwarding import forward
from trine.stack.listeners import AwsPort, FrontDoor, service_of
from trine.stack.ports import Ports
from trine.stack.wings import Wings

FRONT_CONNECTIONS = 16_384
"""Clients of the front door at the same time, idle ones included; each costs some 5 KB."""
FRONT_BODY_BYTES = 10 * 1024 * 1024 + 1
"""One byte more than API Gateway takes: its wing answers 413 in AWS's words, the server cuts what is larger still."""
TABLE_HEAD_BYTES = 16 * 1024
"""Request line and headers that DynamoDB takes; it answers 400 beyond them."""


class Gate(Struct, frozen=True):
    """One port: the handler, and which AWS service each request means to a network."""

    port: socket.socket
    handler: Handler
    service_of: Callable[[Request], str | None]
    limits: Limits
    error_response: ErrorResponse = plain_error


class Gates:
    """Front door, AWS port, DynamoDB's own port. `neighbours` are (host, port) that lie in the functions' VPC."""

    def __init__(
        self,
        wings: Wings,
        ports: Ports,
        console: Handler,
        host: str,
        neighbours: Sequence[tuple[str, int]] = (),
    ) -> None:
        self._wings = wings
        self._host = url_host(host).strip("[]")
        self._doors = (
            Gate(
                ports.front,
                FrontDoor((wings.sockets or wings.gateway).handle, wings.urls).handle,
                service_of_front,
                Limits(body_bytes=FRONT_BODY_BYTES, connections=FRONT_CONNECTIONS),
                wings.gateway.refuse_unread,
            ),
            Gate(ports.aws, AwsPort(wings.endpoints, console, wings.ids).handle, service_of, Limits()),
            Gate(
                ports.dynamodb,
                wings.dynamodb.handle,
                lambda _: "dynamodb",
                Limits(head_bytes=TABLE_HEAD_BYTES),
                wings.dynamodb.error_response,
            ),
        )
        own = self._own_addresses()
        self._neighbours = tuple(each for each in dict.fromkeys(neighbours) if each not in own)

    def _own_addresses(self) -> tuple[tuple[str, int], ...]:
        return tuple((self._host, door.port.getsockname()[1]) for door in self._doors)

    async def listen(self) -> list[Server]:
        """Answer on the machine's ports."""
        front, *others = self._doors
        servers = [await self._serve(front, front.port, front.handler)]
        for door in others:
            handler = self._guard(door).handle if self._wings.access.sites else door.handler
            servers.append(await self._serve(door, door.port, handler))
        return servers

    async def _serve(self, door: Gate, listening: socket.socket, handler: Handler) -> Server:
        return await serve(
            handler, clock=self._wings.clock, sock=listening, limits=door.limits, error_response=door.error_response
        )

    def _guard(self, door: Gate, session: Session | None = None) -> Checkpoint:
        wings = self._wings
        return Checkpoint(door.handler, door.service_of, wings.access, wings.clock, wings.ids, wings.traces, session)

    # -- in the networks of functions ----------------------------------------------------------------------------

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """(host, port) of each door, as functions call them."""
        return (*self._own_addresses(), *self._neighbours)

    async def open(self, number: int, listening: socket.socket, session: Session) -> Callable[[], Awaitable[None]]:
        """Answer on `listening`, door `number` in the network of `session`'s environment; what ends that."""
        if number >= len(self._doors):
            return await forward(listening, self._neighbours[number - len(self._doors)])
        door = self._doors[number]
        server = await self._serve(door, listening, self._guard(door, session).handle)
        return partial(server.close)

    def tried(self, session: Session, attempt: Attempt) -> None:
        """Tell on the trace what the environment tried to reach without a way."""
        tell_attempt(self._wings.traces, self._wings.ids, session, *attempt)


def service_of_front(request: Request) -> str:
    """What a request at the front door means to a network: an API, or the URL of a function."""
    host = request.headers.get(b"host") or b""
    return "lambda-url" if HOST_MARK in host or request.path.startswith(PATH_PREFIX) else "execute-api"
