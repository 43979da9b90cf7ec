"""How many invocations may run at once: the account's limit and each function's reserved share.

Counts only. Enters a function, leaves nothing or `TooManyRequests` with AWS's reason.
"""

from __future__ import annotations

from collections.abc import Mapping

from trine.awslambda import limits
from trine.awslambda.errors import TooManyRequests
from trine.awslambda.function import Function


class Concurrency:
    """The counters of one account and region."""

    def __init__(self, account_limit: int = limits.CONCURRENCY_ACCOUNT) -> None:
        self.account_limit = account_limit
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

    def take(self, function: Function) -> None:
        """Count one more invocation. Raises TooManyRequests when its limit is reached."""
        name = function.name
        running = self._running.get(name, 0)
        reserved = self._reserved.get(name) if self._reserved else None
        if reserved is not None:
            if running >= reserved:
                raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
        else:
            if self._unreserved_running >= (self.unreserved_limit if self._reserved else self.account_limit):
                raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            self._unreserved_running += 1
        self._running[name] = running + 1

    def give_back(self, name: str) -> None:
        """One invocation of `name` is over."""
        running = self._running[name]
        assert running > 0
        self._running[name] = running - 1
        if name not in self._reserved:
            self._unreserved_running -= 1
