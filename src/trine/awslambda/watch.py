"""The watch over memory and processes: looks at what runs long enough to matter, more often near its limit.

Enters the environments that run or start, ends those that exceed their function's memory or Lambda's process limit. It
sleeps while nothing runs, and does not look at invocations that are over within milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trine.awslambda import limits
from trine.awslambda.environment import Environment
from trine.awslambda.memory import shared_out_bytes, usage
from trine.clock import Clock, Timer

_TICK_SECONDS = 0.01
_PATIENCE_NS = 8_000_000
"""Younger invocations are not looked at."""
_COST_SHARE = 20
_SLOWEST_NS, _FASTEST_NS = 100_000_000, 4_000_000
_GROWTH_BYTES_PER_NS = 4.0
"""The fastest growth expected (4 GB a second): the time to the next look follows from it."""


class Watch:
    """One watch for all environments of a service."""

    def __init__(self, clock: Clock, watched: Callable[[], Iterable[Environment]]) -> None:
        self._clock = clock
        self._watched = watched
        self._timer: Timer | None = None
        self._next_look_ns: dict[Environment, int] = {}

    def wake(self) -> None:
        """Something runs. Cheap when the watch is awake already."""
        if self._timer is None:
            self._timer = self._clock.every(_TICK_SECONDS, self._tick)

    def close(self) -> None:
        """Stop for good."""
        self._sleep()

    def _sleep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now_ns = self._clock.monotonic_ns()
        running = tuple(self._watched())
        kept: dict[Environment, int] = {}
        for environment in running:
            if now_ns - environment.running_since_ns < _PATIENCE_NS:
                continue
            next_look_ns = self._next_look_ns.get(environment, 0)
            kept[environment] = next_look_ns if now_ns < next_look_ns else now_ns + self._look(environment)
        self._next_look_ns = kept
        if not running:
            self._sleep()

    def _look(self, environment: Environment) -> int:
        # Nanoseconds until the next look.
        pid = environment.supervisor_pid
        if pid is None:
            return _FASTEST_NS
        begun_ns = self._clock.monotonic_ns()
        resident_bytes, processes = usage(pid)
        cost_ns = self._clock.monotonic_ns() - begun_ns
        environment.saw_memory(resident_bytes if processes == 1 else 0)
        limit_bytes = environment.function.memory_mb * 1_048_576
        if processes > limits.PROCESSES_MAX:
            environment.end_for(
                "Runtime.ExitError", f"Runtime exited with error: more than {limits.PROCESSES_MAX} processes"
            )
        elif resident_bytes > limit_bytes and (processes == 1 or shared_out_bytes(pid) > limit_bytes):
            environment.exceeded_memory()
        # Many processes are slow to look at: the watch itself must not become the load.
        return max(
            _FASTEST_NS,
            cost_ns * _COST_SHARE,
            min(_SLOWEST_NS, int((limit_bytes - resident_bytes) / _GROWTH_BYTES_PER_NS)),
        )
