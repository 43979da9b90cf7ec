"""The watch over memory and processes: looks at what runs long enough to matter, more often near its limit.

Enters the environments that run or start, ends those that exceed their function's memory or Lambda's process limit. It
sleeps while nothing runs, and does not look at invocations that are over within milliseconds.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from trine.awslambda import limits
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.memory import shared_out_bytes, usage
from trine.clock import Clock, Timer

_TICK_SECONDS = 0.01
_PATIENCE_NS = 8_000_000
"""Younger invocations are not looked at."""
_LONG_NS = 30_000_000
"""From then on an invocation, or an init, counts as one that runs long."""
_COST_SHARE = 20
_SLOWEST_NS, _FASTEST_NS = 100_000_000, 4_000_000
_GROWTH_BYTES_PER_NS = 4.0
"""The fastest growth expected (4 GB a second): the time to the next look follows from it."""
_SCALES = 2
"""Threads that weigh shared memory: the kernel answers once the process looked at lets go of its map, which takes
seconds when a thousand forks share a processor (the event loop stood still for 16 s)."""


class Watch:
    """One watch for all environments of a service."""

    def __init__(
        self, clock: Clock, watched: Callable[[], Iterable[Environment]], on_long: Callable[[Environment], None]
    ) -> None:
        self._clock = clock
        self._watched = watched
        self._on_long = on_long
        """Called, perhaps often, for an environment whose invocation or init runs long."""
        self._timer: Timer | None = None
        self._next_look_ns: dict[Environment, int] = {}
        self._scales: ThreadPoolExecutor | None = None
        self._weighed: dict[Environment, Future[int]] = {}

    def wake(self) -> None:
        """Something runs. Cheap when the watch is awake already."""
        if self._timer is None:
            self._timer = self._clock.every(_TICK_SECONDS, self._tick)

    def close(self) -> None:
        """Stop for good."""
        self._sleep()
        if self._scales is not None:
            self._scales.shutdown(wait=False, cancel_futures=True)

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
            if now_ns - environment.running_since_ns > _LONG_NS:
                self._on_long(environment)
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
        elif resident_bytes > limit_bytes and processes == 1:
            environment.exceeded_memory()
        elif resident_bytes > limit_bytes:
            self._weigh(environment, pid, limit_bytes)
        # Many processes are slow to look at: the watch itself must not become the load.
        return max(
            _FASTEST_NS,
            cost_ns * _COST_SHARE,
            min(_SLOWEST_NS, int((limit_bytes - resident_bytes) / _GROWTH_BYTES_PER_NS)),
        )

    def _weigh(self, environment: Environment, pid: int, limit_bytes: int) -> None:
        # Several processes count what they share more than once: what they hold together is found out beside the loop.
        if environment in self._weighed:
            return
        if self._scales is None:
            self._scales = ThreadPoolExecutor(_SCALES, thread_name_prefix="memory-of-forks")
        weighed = asyncio.get_running_loop().run_in_executor(self._scales, shared_out_bytes, pid)
        self._weighed[environment] = weighed
        weighed.add_done_callback(partial(self._on_weighed, environment, limit_bytes))

    def _on_weighed(self, environment: Environment, limit_bytes: int, weighed: Future[int]) -> None:
        del self._weighed[environment]
        if not weighed.cancelled() and weighed.result() > limit_bytes and environment.is_alive:
            environment.exceeded_memory()
