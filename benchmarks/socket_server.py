"""A WebSocket API whose messages a MOCK integration answers at once: `python -m benchmarks.socket_server PORT`."""

from __future__ import annotations

import asyncio
import gc
import sys

from msgspec import Struct

from benchmarks.gateway_server import Instant
from trine.apigateway.build import build_apis
from trine.apigateway.gateway import Gateway
from trine.apigateway.websocket.door import SocketDoor
from trine.aws.arn import Place
from trine.aws.ids import SystemIds
from trine.clock import SystemClock
from trine.http.limits import Limits
from trine.http.loop import run
from trine.http.server import serve
from trine.iam.access import Access
from trine.trace import TraceBook

CONNECTIONS = 11_000
PREFIX = "AWS::ApiGatewayV2::"


class Resource(Struct, frozen=True):
    """One resource of the template."""

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, object]


def resources() -> list[Resource]:
    """An API with the route `echo`, which says something back, and one stage."""
    api = {"ApiId": "sock01"}
    request, response = {"$default": '{"statusCode": 200}'}, {"$default": "$context.connectionId"}
    return [
        Resource("Api", PREFIX + "Api", "sock01", {"ProtocolType": "WEBSOCKET", "Name": "bench"}),
        Resource("I", PREFIX + "Integration", "int1", {**api, "IntegrationType": "MOCK", "RequestTemplates": request}),
        Resource("IR", PREFIX + "IntegrationResponse", "ir1", {**api, "IntegrationId": "int1",
                 "IntegrationResponseKey": "$default", "ResponseTemplates": response}),
        Resource("R", PREFIX + "Route", "route1", {**api, "RouteKey": "echo", "Target": "integrations/int1",
                 "RouteResponseSelectionExpression": "$default"}),
        Resource("S", PREFIX + "Stage", "prod", {**api, "StageName": "prod"}),
    ]  # fmt: skip


async def main(port: int) -> None:
    """Serve until the process is ended."""
    clock, ids, place = SystemClock(), SystemIds(), Place()
    traces, apis = TraceBook(clock), build_apis(resources())
    access = Access(clock, ids)
    gateway = Gateway(apis, Instant(), clock, ids, place, traces, access=access)
    door = SocketDoor(gateway, apis, access, clock, ids, place, traces)
    await serve(door.handle, "127.0.0.1", port, clock=clock, limits=Limits(connections=CONNECTIONS))
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
