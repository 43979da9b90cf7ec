"""The front door of a stack that has WebSocket APIs: which requests are theirs, and which are the gateway's.

Enters any request of the front port; hands it to `Gateway`, or to the WebSocket APIs, whose rooms (and the `websockets`
package) are loaded with the first request that means them, or by `warm` when the stack has told that it is ready.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING

from trine.apigateway.api import Api
from trine.apigateway.gateway import Gateway
from trine.apigateway.websocket.directory import Directory
from trine.apigateway.websocket.integration import prepare
from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.trace import TraceBook

if TYPE_CHECKING:
    from trine.apigateway.websocket.management import Management
    from trine.apigateway.websocket.sockets import Sockets


class SocketDoor:
    """Serves APIs of all kinds on one port. `handle` is its `http.Handler`."""

    def __init__(
        self,
        gateway: Gateway,
        apis: Iterable[Api],
        access: Access,
        clock: Clock,
        ids: Ids,
        place: Place,
        traces: TraceBook,
    ) -> None:
        self._gateway = gateway
        self._directory = Directory(apis, place)
        self._access, self._clock, self._ids, self._place, self._traces = access, clock, ids, place, traces
        self._rooms: tuple[Sockets, Management] | None = None
        found = [prepare(stage, gateway.parts.runners) for stage in self._directory.stages.values()]
        self.problems = tuple(dict.fromkeys(problem for problems in found for problem in problems))
        """What integrations ask for that this stack does not have, in words for people."""

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request."""
        target = self._directory.find(request)
        if target is None:
            return self._gateway.handle(request)
        sockets, management = self.warm()
        if target.connection_id is not None:
            return management.answer(request, target)
        return sockets.connect(request, target)

    def manage(self, request: Request) -> Response:
        """Answer a call of the management API on the AWS port."""
        return self.warm()[1].handle(request)

    def warm(self) -> tuple[Sockets, Management]:
        """The rooms of the WebSocket APIs, made when first asked for."""
        if self._rooms is None:
            from trine.apigateway.websocket.management import Management
            from trine.apigateway.websocket.sockets import SocketParts, Sockets

            shared = self._gateway.parts
            parts = SocketParts(shared, self._gateway.usage)
            sockets = Sockets(self._directory, parts, self._clock, self._ids, self._traces)
            management = Management(
                self._directory, sockets, self._access, shared.account, self._ids, self._place, self._traces
            )
            self._rooms = (sockets, management)
        return self._rooms

    async def close(self) -> None:
        """Wait for goodbyes that are still on their way to functions."""
        if self._rooms is not None:
            await self._rooms[0].close()
