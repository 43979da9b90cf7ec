"""What access logs of WebSocket APIs tell of time: an event's authorizer and its integration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from trine.apigateway.websocket.exchange import SocketExchange
from trine.clock import ManualClock
from trine.trace import Trace


def test_latencies_of_an_event() -> None:
    clock = ManualClock()
    exchange = SocketExchange.__new__(SocketExchange)
    exchange.trace = Trace.begun("websocket", "r", clock)
    route: Any = SimpleNamespace(
        payer=None, trace_detail={"route": "$connect"}, integration=SimpleNamespace(type="MOCK")
    )
    exchange.enter(route)
    assert (exchange.authorizer_latency_ms, exchange.integration_latency_ms) == (0, 0)
    clock.advance(0.020)
    exchange.trace.step("apigateway.authorizer")
    exchange.made_event({"bytes": 1})
    clock.advance(0.250)
    exchange.integrated()
    assert (exchange.authorizer_latency_ms, exchange.integration_latency_ms) == (20, 250)
    assert [step.room for step in exchange.trace.steps] == [
        "apigateway.router", "apigateway.authorizer", "apigateway.event", "apigateway.integration"
    ]  # fmt: skip
