"""How many invocations may run at once and be asked for in a second: the account's limit and each function's share.

Counts only. Enters a function, leaves nothing or `TooManyRequests` with AWS's reason. Source: developer guide,
"Understanding Lambda function scaling": ten requests per second for each unit of concurrency.
"""

from __future__ import annotations

from collections.abc import Mapping

from trine.awslambda import limits
from trine.awslambda.errors import TooManyRequests
from trine.awslambda.function import Function
from trine.clock import Clock


class Allowance:
    """So many a second, at most a second's worth at once."""

    __slots__ = ("_at", "_spent")

    def __init__(self, now: float) -> None:
        self._at = now
        self._spent = 0.0

    def take(self, now: float, per_second: float, at_once: float | None = None) -> bool:
        """Take one; False when there is none. `at_once` is the most that lies ready, a second's worth by default."""
        spent = self._spent - (now - self._at) * per_second
        self._at = now
        self._spent = spent if spent > 0.0 else 0.0
        if self._spent + 1.0 > (per_second if at_once is None else at_once):
            return False
        self._spent += 1.0
        return True


class Concurrency:
    """The counters of one account and region."""

    def __init__(
        self, account_limit: int = limits.CONCURRENCY_ACCOUNT, clock: Clock | None = None, *, throttling: bool = True
    ) -> None:
        self.account_limit = account_limit
        self._clock = clock if throttling else None
        """None: requests per second are not looked at."""
        self._rates: dict[str, Allowance] = {}
        self._account_rate = Allowance(0.0)
        self._reserved: dict[str, int] = {}
        self._running: dict[str, int] = {}
        self._unreserved_running = 0

    @property
    def unreserved_limit(self) -> int:
        """What functions without a reserved share have together."""
        return max(0, self.account_limit - sum(self._reserved.values()))

    def running(self, name: str) -> int:
        """Invocations of the function `name` that run or wait for an environment now."""
        return self._running.get(name, 0)

    def counts(self) -> Mapping[str, int]:
        """Function → invocations of it that run or wait for an environment now."""
        return self._running

    def reserve(self, name: str, units: int | None) -> None:
        """Set the reserved share of a function (0 stops it), or take it away with None."""
        was = name in self._reserved
        if units is None:
            self._reserved.pop(name, None)
        else:
            self._reserved[name] = units
        if was != (units is not None):
            moved = self._running.get(name, 0)
            self._unreserved_running += moved if units is None else -moved

    def take(self, function: Function, *, asynchronous: bool = False) -> None:
        """Count one more invocation. Raises TooManyRequests when its limit is reached.

        Asynchronous ones are limited by concurrency alone (Quotas, "Invocation requests per function per Region").
        """
        clock = None if asynchronous else self._clock
        name = function.name
        running = self._running.get(name, 0)
        reserved = self._reserved.get(name) if self._reserved else None
        if reserved is not None:
            if running >= reserved:
                raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
            if clock is not None:
                rate = self._rates.setdefault(name, Allowance(clock.now()))
                if not rate.take(clock.now(), reserved * limits.REQUESTS_PER_UNIT_AND_SECOND):
                    raise TooManyRequests("ReservedFunctionInvocationRateLimitExceeded")
        else:
            if self._unreserved_running >= (self.unreserved_limit if self._reserved else self.account_limit):
                raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            if clock is not None:
                per_second = self.unreserved_limit * limits.REQUESTS_PER_UNIT_AND_SECOND
                if not self._account_rate.take(clock.now(), per_second):
                    raise TooManyRequests("FunctionInvocationRateLimitExceeded")
            self._unreserved_running += 1
        self._running[name] = running + 1

    def give_back(self, name: str) -> None:
        """One invocation of `name` is over."""
        running = self._running[name]
        assert running > 0
        self._running[name] = running - 1
        if name not in self._reserved:
            self._unreserved_running -= 1
