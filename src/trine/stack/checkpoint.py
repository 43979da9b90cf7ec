"""The way from a function in a VPC to the AWS ports: open, or a connection on which nothing ever comes back.

Stands before the ports' handlers where the template puts functions into a VPC. Who calls is told by the signature, once
the verifier that the service behind asks too has found it true: what is not signed, or wrongly, goes on and is refused
there. A function has no keys but those that carry its place: its own, and those of roles that it assumes with them.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from trine.aws.ids import Ids
from trine.aws.resource import ResourceLike
from trine.clock import Clock
from trine.ec2.build import build_network
from trine.ec2.site import site_of
from trine.http.message import Handler, Request, Response
from trine.iam.access import Access
from trine.iam.placement import Way
from trine.iam.principal import Session
from trine.trace import TraceBook

HANGING_SECONDS = 900.0
"""How long a call without a way hangs at most: no function runs longer."""
FUNCTION = "AWS::Lambda::Function"
BOUNDS = (
    "functions with VpcConfig reach AWS services as their routes, endpoints and security groups allow (docs/vpc.md)"
)
SHUT_IN = "nothing leads from %s to the Internet: own networks without a way out"
LEFT_OPEN = (
    "nothing leads from %s to the Internet, but this system gives functions no networks of their own: it stays open"
)
"""What the start says of the model's reach."""
KIND, ROOM = "ec2", "ec2.route"
NO_ANSWER = 504
"""The status on the trace of a call that got no answer."""


class PlacedResource(ResourceLike, Protocol):
    """A resource of the template, whose attributes tell its ARN."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What `Fn::GetAtt` gives."""


def place_functions(access: Access, resources: Iterable[PlacedResource]) -> tuple[str, ...]:
    """Tell `access` where the template's functions stand; what of their networks cannot be modelled, in words."""
    everything = list(resources)
    configs = {
        str(each.attributes.get("Arn")): each.properties.get("VpcConfig")
        for each in everything
        if each.type == FUNCTION and each.properties.get("VpcConfig")
    }
    if not configs:
        return ()
    network = build_network(everything)
    for arn, config in configs.items():
        site = site_of(network, config) if isinstance(config, dict) else None
        if site is not None:
            access.sites[arn] = site
    return (*network.problems, *([BOUNDS] if access.sites else ()))


def shut_in(access: Access) -> list[str]:
    """The names of the functions from which nothing leads to the Internet."""
    return sorted(arn.rpartition(":")[2] for arn, site in access.sites.items() if site.is_shut_in)


class Checkpoint:
    """Lets calls through to `inner`, or lets them hang. `session`: that of the only environment that can knock here."""

    def __init__(
        self,
        inner: Handler,
        service_of: Callable[[Request], str | None],
        access: Access,
        clock: Clock,
        ids: Ids,
        traces: TraceBook,
        session: Session | None = None,
    ) -> None:
        self._inner, self._service_of, self._access = inner, service_of, access
        self._clock, self._ids, self._traces = clock, ids, traces
        self._known = session

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Hand over to the port's own handler when there is a way."""
        service = self._service_of(request) or "dynamodb"
        session = self._known or self._access.session_of(request, service)
        if session is None or session.placement is None:
            return self._inner(request)
        way = session.placement.way(service)
        if way.open:
            if session.trace is not None:
                session.trace.step(ROOM, {"service": service, "way": way.reason})
            return self._inner(request)
        return self._hang(request, session, service, way)

    def _hang(self, request: Request, session: Session, service: str, way: Way) -> Future[Response]:
        target = (request.headers.get(b"x-amz-target") or b"").decode("latin-1").rpartition(".")[2]
        title = f"{service}:{target} has no way" if target else f"{service} has no way"
        _tell(self._traces, self._ids, session, title, way)
        hanging: Future[Response] = asyncio.get_running_loop().create_future()
        self._clock.call_later(HANGING_SECONDS, _give_up, hanging)
        return hanging


def tell_attempt(traces: TraceBook, ids: Ids, session: Session, protocol: str, host: str, port: int) -> None:
    """A packet to `host` went nowhere: the environment of `session` has a network without a way out."""
    assert session.placement is not None
    _tell(traces, ids, session, f"{protocol} {host}:{port} has no way", session.placement.way_out())


def _tell(traces: TraceBook, ids: Ids, session: Session, title: str, way: Way) -> None:
    trace = traces.open(KIND, ids.uuid(), session.trace)
    trace.title = title
    facts: dict[str, Any] = {**way.facts, "function": session.source_arn}
    trace.refuse(ROOM, f"{way.reason}; the connection hangs, as on AWS", **facts)
    traces.close(trace, NO_ANSWER)


def _give_up(hanging: Future[Response]) -> None:
    if not hanging.done():
        hanging.set_result(Response(NO_ANSWER))
