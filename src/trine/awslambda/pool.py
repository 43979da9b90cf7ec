"""The environments of one function: taken last-in first-out, grown with concurrency, retired when idle.

Enters invocations that hold a unit of concurrency already, leaves each to an environment: a warm one at once, else the
first that becomes free or ready. Waiting is fair (first come, first served) and bounded by the concurrency limits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from trine.awslambda import limits
from trine.awslambda.environment import Environment, State
from trine.awslambda.errors import ServiceFault
from trine.awslambda.fault import Fault
from trine.awslambda.function import Function
from trine.awslambda.invocation import Invocation
from trine.awslambda.launch import credentials_last
from trine.clock import Clock, Timer

StartEnvironment = Callable[["Pool", str], Environment]
"""Starts an environment for a pool; the text is the init phase (`init` or `invoke`). May raise AwsError."""


class Pool:
    """The environments of `function`."""

    def __init__(
        self, function: Function, clock: Clock, start: StartEnvironment, idle_seconds: float = limits.IDLE_SECONDS
    ) -> None:
        self.function = function
        self._clock = clock
        self._start = start
        self._idle_seconds = idle_seconds
        self._idle: list[Environment] = []
        self._waiting: deque[Invocation] = deque()
        self._starting: set[Environment] = set()
        self.environments: set[Environment] = set()
        self._growth: Timer | None = None
        self._sweep: Timer | None = None
        self._quick = False
        self._closed = False
        self._on_empty: Callable[[], None] | None = None

    # -- invocations -------------------------------------------------------------------------------------------------

    def submit(self, invocation: Invocation) -> None:
        """Run `invocation` in a warm environment, or as soon as there is one."""
        environment = self._take_idle()
        if environment is not None:
            invocation.trace.step("awslambda.pool")
            environment.invoke(invocation)
            return
        invocation.queued_ns = self._clock.monotonic_ns()
        self._waiting.append(invocation)
        if self._quick and len(self._starting) < len(self.environments):
            # A busy environment will likely be free long before a new one could be started.
            if self._growth is None:
                self._growth = self._clock.call_later(limits.GROWTH_PATIENCE_SECONDS, self._grow_late)
        else:
            self._grow()

    def _take_idle(self) -> Environment | None:
        idle = self._idle
        while idle:
            environment = idle.pop()
            if environment.state is not State.IDLE:
                continue
            if environment.function is not self.function or not credentials_last(
                environment.session, self.function, self._clock.now()
            ):
                environment.end()
                continue
            return environment
        return None

    def _grow_late(self) -> None:
        self._growth = None
        if not self._waiting:
            return
        waited_seconds = (self._clock.monotonic_ns() - self._waiting[0].queued_ns) / 1e9
        if waited_seconds >= limits.GROWTH_PATIENCE_SECONDS * 0.9:
            self._grow()
        if self._waiting:
            self._growth = self._clock.call_later(limits.GROWTH_PATIENCE_SECONDS, self._grow_late)

    def _grow(self) -> None:
        while len(self._waiting) > len(self._starting) < limits.STARTS_AT_ONCE_MAX and not self._closed:
            if not self._start_one("init"):
                return

    def _start_one(self, phase: str) -> bool:
        try:
            environment = self._start(self, phase)
        except Exception as error:
            if not self._waiting:
                return False
            self._waiting.popleft().refuse_because(error)
            return False
        self._starting.add(environment)
        self.environments.add(environment)
        return True

    # -- reports of environments -------------------------------------------------------------------------------------

    def ready(self, environment: Environment) -> None:
        """A new environment can take its first invocation."""
        self._starting.discard(environment)
        self._offer(environment, "cold")

    def idle(self, environment: Environment) -> None:
        """An environment has finished an invocation."""
        self._quick = True
        self._offer(environment, "warm")

    def _offer(self, environment: Environment, how: str) -> None:
        stale = environment.function is not self.function or self._closed
        if stale or not credentials_last(environment.session, self.function, self._clock.now()):
            environment.end()
            return
        if self._waiting:
            invocation = self._waiting.popleft()
            invocation.trace.step("awslambda.pool", {"waited": how})
            environment.invoke(invocation)
            return
        environment.idle_since = self._clock.now()
        self._idle.append(environment)
        if self._sweep is None:
            self._sweep = self._clock.call_later(self._idle_seconds, self._retire)

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        """Nothing is left of an environment."""
        self.environments.discard(environment)
        was_starting = environment in self._starting
        self._starting.discard(environment)
        if was_starting and init_fault is not None and self._waiting and environment.function is self.function:
            if environment.init_phase == "init":
                self._start_one("invoke")  # AWS runs a failed init once more, within the invocation
            else:
                self._waiting.popleft().fail_init(init_fault)
        if self._waiting:
            self._grow()
        if not self.environments and self._on_empty is not None:
            self._on_empty()

    # -- retirement --------------------------------------------------------------------------------------------------

    def _retire(self) -> None:
        self._sweep = None
        now = self._clock.now()
        kept: list[Environment] = []
        for environment in self._idle:
            if environment.state is not State.IDLE:
                continue
            if now - environment.idle_since >= self._idle_seconds - 0.001:
                environment.end()
            else:
                kept.append(environment)
        self._idle = kept
        if kept:
            left_seconds = self._idle_seconds - (now - min(e.idle_since for e in kept))
            self._sweep = self._clock.call_later(max(0.01, left_seconds), self._retire)

    def replace(self, function: Function) -> None:
        """From now on run `function`; idle environments of the old one end now, busy ones after their invocation."""
        self.function = function
        self._quick = False
        idle, self._idle = self._idle, []
        for environment in idle:
            environment.end()

    def busy(self) -> int:
        """Environments that run an invocation."""
        return sum(1 for environment in self.environments if environment.state is State.INVOKE)

    def close(self, on_empty: Callable[[], None]) -> None:
        """Kill everything; `on_empty` is called when nothing is left."""
        self._closed = True
        self._on_empty = on_empty
        for timer in (self._growth, self._sweep):
            if timer is not None:
                timer.cancel()
        while self._waiting:
            self._waiting.popleft().refuse(ServiceFault("The server is shutting down"))
        for environment in tuple(self.environments):
            environment.end()
        if not self.environments:
            on_empty()
