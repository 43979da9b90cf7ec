"""The Telemetry API and its forerunner, the Logs API: what happens in an environment, told to extensions.

Enters a subscription (types, a destination inside the environment, buffering) and events in AWS's schema, leaves
batches delivered to whoever subscribed (`telemetry_delivery`). Sources: developer guide, "Telemetry API reference" and
"Lambda Logs API".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson

from trine.awslambda.fault import instant
from trine.awslambda.guest_apis.telemetry_delivery import InvalidSubscription, delivery
from trine.clock import Clock, Timer

TELEMETRY, LOGS = "telemetry", "logs"
TYPES = ("platform", "function", "extension")
_SCHEMAS = {TELEMETRY: ("2022-07-01", "2022-12-13", "2025-01-29"), LOGS: ("2020-08-15", "2021-03-18")}
_ITEMS = (1_000, 10_000, 10_000)
_BYTES = (262_144, 1_048_576, 262_144)
_MILLISECONDS = (25, 30_000, 1_000)
"""Lowest, highest and default of `buffering.maxItems`, `maxBytes` and `timeoutMs`."""
_EARLIER_MAX = 1_000
"""Events from before a subscription that are kept for it."""
_WAITING_MAX_BYTES = 4_194_304
"""Not yet delivered to one subscriber; what comes on top is dropped, and told. Trine's own bound."""


class _Subscription:
    """One extension's wish, and what waits to be sent to it."""

    def __init__(self, name: str, wish: dict[str, Any], clock: Clock) -> None:
        self.name = name
        self.types = _types(wish)
        self._delivery = delivery(wish, clock)
        buffering = wish.get("buffering") or {}
        self._max_items = _bounded(buffering, "maxItems", _ITEMS)
        self._max_bytes = _bounded(buffering, "maxBytes", _BYTES)
        self._pause_seconds = _bounded(buffering, "timeoutMs", _MILLISECONDS) / 1000
        self._clock = clock
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._waiting_bytes = 0
        self._dropped = [0, 0]
        self._timer: Timer | None = None
        self._turn = asyncio.Lock()
        self.keep: Callable[[Coroutine[None, None, None]], None]

    def add(self, event: bytes) -> None:
        """Put an event into the batch; a full one is sent."""
        if self._waiting_bytes + len(event) > _WAITING_MAX_BYTES:
            self._dropped[0] += 1
            self._dropped[1] += len(event)
            return
        self._batch.append(event)
        self._batch_bytes += len(event)
        self._waiting_bytes += len(event)
        if len(self._batch) >= self._max_items or self._batch_bytes >= self._max_bytes:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.call_later(self._pause_seconds, self.flush)

    def flush(self) -> None:
        """Send what there is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            batch, self._batch, self._batch_bytes = self._batch, [], 0
            self.keep(self._send(batch))

    async def _send(self, batch: list[bytes]) -> None:
        async with self._turn:  # in order
            size_bytes = sum(map(len, batch))
            try:
                await self._delivery.deliver(batch)
            except OSError:
                self._dropped[0] += len(batch)
                self._dropped[1] += size_bytes
            self._waiting_bytes -= size_bytes
        if any(self._dropped) and self._waiting_bytes < _WAITING_MAX_BYTES // 2:
            records, size_bytes = self._dropped
            self._dropped = [0, 0]
            record = {"reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
                      "droppedRecords": records, "droppedBytes": size_bytes}  # fmt: skip
            self._batch.insert(0, event_of(self._clock.now(), "platform.logsDropped", record))

    def close(self) -> None:
        """Send what is left and take no more."""
        self.flush()
        self.keep(self._finish())

    async def _finish(self) -> None:
        async with self._turn:  # behind the last batch
            await self._delivery.close()


class Telemetry:
    """The subscriptions of one environment, and what happened before there were any."""

    def __init__(
        self, clock: Clock, keep: Callable[[Coroutine[None, None, None]], None], *, is_reachable: bool = True
    ) -> None:
        self._clock = clock
        self._keep = keep
        """Runs a delivery in the background."""
        self._is_reachable = is_reachable
        """Whether this server can open connections into the environment."""
        self._subscriptions: dict[str, _Subscription] = {}
        self._earlier: list[tuple[str, bytes]] = []

    def subscribe(self, name: str, body: bytes, api: str) -> bool:
        """Subscribe the extension `name`; again replaces. False where nothing can be delivered (the API then answers
        202, as AWS's emulator does). Raises InvalidSubscription."""
        try:
            wish = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise InvalidSubscription("the body is not JSON") from None
        if not isinstance(wish, dict):
            raise InvalidSubscription("the body is no JSON object")
        if wish.get("schemaVersion", _SCHEMAS[api][0]) not in _SCHEMAS[api]:
            raise InvalidSubscription(f"schemaVersion must be one of {', '.join(_SCHEMAS[api])}")
        made = _Subscription(name, wish, self._clock)
        if not self._is_reachable:
            return False
        made.keep = self._keep
        self._subscriptions[name] = made
        for kind, event in self._earlier:
            if kind in made.types:
                made.add(event)
        kind = "platform.telemetrySubscription" if api == TELEMETRY else "platform.logsSubscription"
        record = {"name": name, "state": "Subscribed", "types": list(made.types)}
        self.tell("platform", event_of(self._clock.now(), kind, record))
        return True

    def tell(self, kind: str, event: bytes) -> None:
        """Something happened: `platform`, `function` or `extension`."""
        if len(self._earlier) < _EARLIER_MAX:
            self._earlier.append((kind, event))
        for subscription in self._subscriptions.values():
            if kind in subscription.types:
                subscription.add(event)

    def line(self, kind: str, text: str, *, is_json: bool) -> None:
        """A line of the function's or an extension's output."""
        record: Any = text
        if is_json and text.startswith("{"):
            try:
                record = orjson.loads(text)
            except orjson.JSONDecodeError:
                record = text
        self.tell(kind, event_of(self._clock.now(), kind, record))

    def close(self) -> None:
        """Deliver what is left."""
        for subscription in self._subscriptions.values():
            subscription.close()


def event_of(now: float, kind: str, record: Any) -> bytes:
    """One event in the schema of 2022-12-13, which the Logs API's is part of."""
    return orjson.dumps({"time": instant(now), "type": kind, "record": record})


def _types(wish: dict[str, Any]) -> tuple[str, ...]:
    types = wish.get("types")
    if not isinstance(types, list) or not types or any(one not in TYPES for one in types):
        raise InvalidSubscription(f"types must be some of {', '.join(TYPES)}")
    return tuple(types)


def _bounded(buffering: Any, name: str, bounds: tuple[int, int, int]) -> int:
    lowest, highest, default = bounds
    value = buffering.get(name, default) if isinstance(buffering, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidSubscription(f"buffering.{name} must be between {lowest} and {highest}, not {value!r}")
    return value
