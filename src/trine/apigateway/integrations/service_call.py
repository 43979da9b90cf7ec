"""A call that the gateway itself makes to a service of the stack, in the name of an integration's role.

Enters the parts of a request; leaves a future of the endpoint's answer. The endpoint verifies the signature and asks
the role's policies as it does for everyone.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from typing import NamedTuple

from trine.apigateway.exchange import Exchange
from trine.apigateway.roles import Roles
from trine.clock import Clock
from trine.http.message import Handler, Headers, Request, Response
from trine.iam.signing import HeaderPairs, sign


class Call(NamedTuple):
    """One request to a service. `target` is path and query, percent-encoded; `headers` hold `host`."""

    service: str
    """The name the service signs with."""
    region: str
    method: str
    target: bytes
    headers: HeaderPairs
    body: bytes


class ServiceDoor:
    """The endpoint of one service, called with a role's credentials."""

    __slots__ = ("_clock", "_endpoint", "_role", "_roles")

    def __init__(self, endpoint: Handler, role: str, roles: Roles, clock: Clock) -> None:
        self._endpoint, self._role, self._roles, self._clock = endpoint, role, roles, clock

    def call(self, exchange: Exchange, call: Call) -> Future[Response]:
        """Sign the request and hand it in. GatewayError when the role cannot be assumed."""
        session = self._roles.session(self._role)
        headers = sign(session, *call, self._clock.now())
        exchange.made_event({"bytes": len(call.body), "service": call.service})
        exchange.sent = f"https://{call.service}.{call.region}.amazonaws.com{call.target.decode('latin-1')}", call.body
        session.trace = exchange.trace  # the endpoint reads it as it begins, before it first waits
        answer = self._endpoint(Request(call.method, call.target, Headers(headers), call.body, exchange.source_ip))
        if isinstance(answer, Response):
            future: Future[Response] = asyncio.get_running_loop().create_future()
            future.set_result(answer)
            return future
        return asyncio.ensure_future(answer)


def all_headers(answer: Response) -> HeaderPairs:
    """The headers of an endpoint's answer, those among them that it has rendered beforehand."""
    pairs = list(answer.headers)
    for line in answer.head.split(b"\r\n"):
        name, found, value = line.partition(b":")
        if found:
            pairs.append((name, value.strip()))
    return pairs
