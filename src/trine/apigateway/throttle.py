"""Token buckets: a request takes one token; an empty bucket answers 429.

Buckets stand at the account, at each method (REST) or route (HTTP) of a stage, and at each key of a usage plan (see
`usage_plans`). They are refilled by the Clock, in the moment they are asked. `Buckets` makes them: of this process
alone, or, over a file of `Counters`, of all processes of the machine that name the same file. Source: "Throttle
requests to your REST APIs": "API Gateway throttles requests using the token bucket algorithm, where a token counts for
a request".
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping

from trine.apigateway.api import Stage, Throttle, method_setting
from trine.apigateway.counters import Counters
from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.errors import THROTTLED, GatewayError
from trine.clock import Clock

ROOM = "apigateway.throttle"


class TokenBucket:
    """Holds at most `burst` tokens, gains `rate` a second."""

    __slots__ = ("_clock", "_tokens", "_updated_ns", "burst", "name", "rate")

    def __init__(self, name: str, rate: float, burst: float, clock: Clock) -> None:
        self.name = name
        self.rate = max(0.0, rate)
        self.burst = max(0.0, burst)
        self._clock = clock
        self._tokens = self.burst
        self._updated_ns = clock.monotonic_ns()

    @property
    def tokens(self) -> float:
        """Tokens at the last look."""
        return self._tokens

    def take(self) -> bool:
        """Take one token; False when there is none."""
        now_ns = self._clock.monotonic_ns()
        tokens = self._tokens + (now_ns - self._updated_ns) * 1e-9 * self.rate
        self._updated_ns = now_ns
        tokens = min(tokens, self.burst)
        # A hair below one counts as one: refilling in many small steps must not lose a token to rounding.
        if tokens >= 1.0 - 1e-9:
            self._tokens = tokens - 1.0
            return True
        self._tokens = tokens
        return False

    def give_back(self) -> None:
        """Undo one `take`: another bucket refused the request."""
        self._tokens = min(self._tokens + 1.0, self.burst)

    def refusal(self) -> GatewayError:
        """The 429 of this bucket."""
        return GatewayError(
            THROTTLED,
            f"the token bucket of {self.name} is empty",
            room=ROOM,
            bucket=self.name,
            ratePerSecond=self.rate,
            burst=self.burst,
            tokens=round(self._tokens, 3),
        )


BUCKET = struct.Struct("<dq")
"""A bucket's record: tokens, and when they were counted, in nanoseconds of the machine's monotonic clock."""


class SharedBucket(TokenBucket):
    """A bucket whose tokens lie in a record of `Counters`: all processes that share the file take from it."""

    __slots__ = ("_counters", "_record")

    def __init__(self, key: str, name: str, rate: float, burst: float, clock: Clock, counters: Counters) -> None:
        super().__init__(name, rate, burst, clock)
        self._counters = counters
        full = (self._tokens, self._updated_ns)

        def fill(buffer: mmap.mmap, offset: int) -> None:
            BUCKET.pack_into(buffer, offset, *full)

        self._record = counters.record(key, first=fill)

    def _read(self) -> None:
        tokens, updated_ns = BUCKET.unpack_from(self._record.buffer, self._record.offset)
        now_ns = self._clock.monotonic_ns()
        self._tokens = min(max(tokens, 0.0), self.burst)
        self._updated_ns = min(updated_ns, now_ns)  # the clock began anew with the machine

    def _write(self) -> None:
        BUCKET.pack_into(self._record.buffer, self._record.offset, self._tokens, self._updated_ns)

    def take(self) -> bool:
        """Take one token; False when there is none."""
        with self._counters:
            self._read()
            taken = super().take()
            self._write()
        return taken

    def give_back(self) -> None:
        """Undo one `take`: another bucket refused the request."""
        with self._counters:
            self._read()
            super().give_back()
            self._write()


class Buckets:
    """Makes the buckets of a gateway."""

    def __init__(self, clock: Clock, counters: Counters | None = None) -> None:
        self._clock, self._counters = clock, counters

    def bucket(self, key: str, name: str, rate: float, burst: float) -> TokenBucket:
        """The bucket `key`, called `name` before people; one and the same for all who share the counters."""
        if self._counters is None:
            return TokenBucket(name, rate, burst, self._clock)
        return SharedBucket(key, name, rate, burst, self._clock, self._counters)

    def of(self, key: str, name: str, throttle: Throttle | None, default: Throttle) -> TokenBucket | None:
        """A bucket of `throttle`, with the missing half of it from `default`; None when nothing is set."""
        if throttle is None or (throttle.rate is None and throttle.burst is None):
            return None
        rate = throttle.rate if throttle.rate is not None else default.rate
        burst = throttle.burst if throttle.burst is not None else default.burst
        return self.bucket(key, name, rate or 0.0, burst or 0)


def _setting(stage: Stage, route: DeployedRoute, *, rest: bool) -> Throttle | None:
    """The limit of a REST method, by `method_setting`; of an HTTP route its own, else the stage's default."""
    settings: Mapping[str, Throttle] = stage.throttles
    if not rest:
        return settings.get(route.key) or settings.get("")
    return method_setting(settings, route.route.method, route.route.path)


class StageThrottle:
    """The buckets of one stage, its canary's requests included: one for each route that has a limit."""

    def __init__(
        self, stage: Stage, routes: list[DeployedRoute], account: TokenBucket, buckets: Buckets, *, rest: bool
    ) -> None:
        self._account = account
        default = Throttle(account.rate, int(account.burst))
        self._buckets: dict[str, TokenBucket] = {}
        for route in routes:
            name = f"{route.api.name}/{stage.name} {route.key}"
            key = f"{route.api.id}/{stage.name} {route.key}"
            bucket = buckets.of(key, name, _setting(stage, route, rest=rest), default)
            if bucket is not None:
                self._buckets[route.key] = bucket

    def take(self, route: DeployedRoute) -> None:
        """Take a token from the route's bucket, then from the account's. GatewayError 429 when one is empty."""
        bucket = self._buckets.get(route.key)
        if bucket is not None and not bucket.take():
            raise bucket.refusal()
        if not self._account.take():
            if bucket is not None:
                bucket.give_back()
            raise self._account.refusal()
