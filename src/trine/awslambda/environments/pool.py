"""The environments of one function: taken last-in first-out, grown with concurrency, retired when idle.

Enters invocations that hold a unit of concurrency already, leaves each to an environment: a warm one at once, else the
first that becomes free or ready. Waiting is fair (first come, first served) and bounded by the concurrency limits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from trine.awslambda import limits
from trine.awslambda.concurrency import Allowance
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.haste import QUICK_NS, Haste, cores
from trine.awslambda.environments.launch import credentials_last
from trine.awslambda.environments.lifecycle import State
from trine.awslambda.errors import ServiceFault, TooManyRequests
from trine.awslambda.fault import Fault, runs_again
from trine.awslambda.function import Function
from trine.awslambda.invocation import Invocation
from trine.clock import Clock, Timer

StartEnvironment = Callable[["Pool", str, bool], Environment]
"""Starts an environment for a pool: the init phase (`init` or `invoke`), and whether it is kept ready (provisioned
concurrency). May raise AwsError."""

_UNKNOWN_NS = 1 << 60
_QUICK_NS = int(limits.QUICK_SECONDS * 1e9)
_WIDTH = max(2, cores())
_WARM = {"environment": "warm"}
_FREED = {"environment": "warm", "waited": "until one was free"}
_COLD = {"environment": "cold"}


class Pool:
    """The environments of `function`."""

    def __init__(
        self,
        function: Function,
        clock: Clock,
        start: StartEnvironment,
        idle_seconds: float = limits.IDLE_SECONDS,
        on_work: Callable[[], None] = lambda: None,
        haste: Haste | None = None,
    ) -> None:
        self.function = function
        self._clock = clock
        self._start = start
        self._idle_seconds = idle_seconds
        self._on_work = on_work
        """Called whenever something starts to run."""
        self._idle: list[Environment] = []
        self._waiting: deque[Invocation] = deque()
        self._starting: set[Environment] = set()
        self.environments: set[Environment] = set()
        self._growth: Timer | None = None
        self._sweep: Timer | None = None
        self._running: set[Environment] = set()
        self._floor_ns = _UNKNOWN_NS
        self._scaling = Allowance(clock.now())
        self._ready_wanted = 0
        """How many environments are kept ready: provisioned concurrency."""
        self._ready_faults = 0
        """Inits of those that failed one after the other."""
        self._ready_again: Timer | None = None
        self._closed = False
        self._haste = haste or Haste(clock)
        self._on_empty: Callable[[], None] | None = None

    # -- invocations -------------------------------------------------------------------------------------------------

    def submit(self, invocation: Invocation) -> None:
        """Run `invocation` in a warm environment, or as soon as there is one."""
        running = self._running
        hasty = self._floor_ns < QUICK_NS
        if hasty and running:
            due_ns = self._clock.monotonic_ns() - (self._floor_ns >> 1)
            for busy in tuple(running):
                if busy.running_since_ns <= due_ns:
                    busy.poll()  # what it has answered meanwhile frees it now, not in the loop's next round
        patient = self._floor_ns < _QUICK_NS and len(running) + len(self._starting) >= (2 if hasty else _WIDTH)
        if not patient and not self._waiting:
            environment = self._take_idle()
            if environment is not None:
                invocation.place(_WARM)
                alone = hasty and not running and environment.can_be_polled and self._haste.pays()
                self._run(environment, invocation, alone=alone)
                if alone:
                    self._haste.wait(environment, running)
                return
        invocation.queued_ns = self._clock.monotonic_ns()
        self._waiting.append(invocation)
        if not patient and not any(environment.is_finishing for environment in running):
            self._grow(len(self._waiting))
        elif self._growth is None:
            # A quick function (with every core busy for it, waiting costs less than waking one more process), or one
            # of its environments is about to be free.
            self._growth = self._clock.call_later(limits.GROWTH_PATIENCE_SECONDS, self._grow_late)

    def _run(self, environment: Environment, invocation: Invocation, *, alone: bool = False) -> None:
        self._running.add(environment)
        environment.invoke(invocation, alone=alone)
        self._on_work()

    def _is_quick(self) -> bool:
        return self._floor_ns < _QUICK_NS

    def _width(self) -> int:
        # How many environments of a quick function run at once before calls wait for one of them: as many as there are
        # cores; two, where an event takes less time than this process needs to hand over the next.
        return 2 if self._floor_ns < QUICK_NS else _WIDTH

    def _take_idle(self) -> Environment | None:
        idle = self._idle
        while idle:
            environment = idle.pop()
            if environment.state is not State.IDLE:
                continue
            if environment.function.revision != self.function.revision or not credentials_last(
                environment.session, self.function, self._clock.now()
            ):
                environment.end()
                continue
            return environment
        return None

    def _grow_late(self) -> None:
        self._growth = None
        waiting = self._waiting
        now_ns = self._clock.monotonic_ns()
        late_ns = now_ns - int(limits.GROWTH_PATIENCE_SECONDS * 0.9e9)
        # As long as the running ones come and go quickly, the cores are what is short, and more processes only cost.
        stuck_ns = now_ns - int(limits.GROWTH_PATIENCE_SECONDS * 2e9)
        moving = sum(1 for environment in self._running if environment.running_since_ns > stuck_ns)
        if moving + len(self._starting) >= self._width():
            late_ns = now_ns - int(limits.QUEUE_PATIENCE_SECONDS * 1e9)
        while waiting and waiting[0].queued_ns <= late_ns:
            environment = self._take_idle()
            if environment is None:
                late = sum(1 for invocation in waiting if invocation.queued_ns <= late_ns)
                self._grow(min(late, max(1, len(self.environments))))  # doubling: a mere hiccup starts few
                break
            invocation = waiting.popleft()
            invocation.place({"waited": "patience"})
            self._run(environment, invocation)
        if waiting:
            self._growth = self._clock.call_later(limits.GROWTH_PATIENCE_SECONDS, self._grow_late)

    def _grow(self, wanted: int) -> None:
        # Until `wanted` environments are being started, but never more in all than could run at once.
        while wanted > len(self._starting) < limits.STARTS_AT_ONCE_MAX and not self._closed:
            if self.function.debug is not None and self.environments:
                return  # a debugger looks at one environment; the others wait for it
            if len(self.environments) >= len(self._waiting) + len(self._running) or not self._start_one("init"):
                return

    def _start_one(self, phase: str, *, kept: bool = False) -> bool:
        try:
            per_second = limits.SCALING_ENVIRONMENTS / limits.SCALING_SECONDS
            if not kept and not self._scaling.take(self._clock.now(), per_second, limits.SCALING_ENVIRONMENTS):
                raise TooManyRequests("FunctionInvocationRateLimitExceeded")  # AWS does not document which reason
            environment = self._start(self, phase, kept)
        except Exception as error:
            if kept or not self._waiting:
                return False
            self._waiting.popleft().refuse_because(error)
            return False
        self._starting.add(environment)
        self.environments.add(environment)
        self._on_work()
        return True

    # -- reports of environments -------------------------------------------------------------------------------------

    def ready(self, environment: Environment) -> None:
        """A new environment can take its first invocation."""
        if environment.is_kept:
            self._ready_faults = 0
        self._starting.discard(environment)
        self._offer(environment, _COLD)
        if self._waiting and not self._is_quick():
            self._grow(len(self._waiting))

    def idle(self, environment: Environment) -> None:
        """An environment has finished an invocation."""
        self._running.discard(environment)
        # The quickest of late, forgotten slowly: with many at once, most are slow only because they share the cores.
        self._floor_ns = min(environment.last_ns, self._floor_ns + (self._floor_ns >> 11) + 64)
        self._offer(environment, _FREED)

    def _offer(self, environment: Environment, how: Mapping[str, str]) -> None:
        stale = environment.function.revision != self.function.revision or self._closed
        if stale or not credentials_last(environment.session, self.function, self._clock.now()):
            environment.end()
            return
        if self._waiting:
            invocation = self._waiting.popleft()
            invocation.place(how)
            self._run(environment, invocation)
            return
        if environment.is_kept and self._kept_count() > self._ready_wanted:
            environment.end()  # begun for a number that has been lowered since
            return
        environment.idle_since = self._clock.now()
        self._idle.append(environment)
        if self._sweep is None:
            self._sweep = self._clock.call_later(self._idle_seconds, self._retire)

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        """Nothing is left of an environment."""
        self.environments.discard(environment)
        self._running.discard(environment)
        was_starting = environment in self._starting
        self._starting.discard(environment)
        if (
            was_starting
            and init_fault is not None
            and self._waiting
            and environment.function.revision == self.function.revision
        ):
            if runs_again(environment.init_phase, init_fault):
                self._start_one("invoke")  # AWS runs a failed init once more, within the invocation
            else:
                environment.fail_waiting(self._waiting.popleft(), init_fault)
        if self._waiting:
            self._grow(len(self._waiting))
        if environment.is_kept:
            self._keep_up(init_fault)
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
            if environment.is_kept and self._kept_count() <= self._ready_wanted:
                kept.append(environment)
            elif now - environment.idle_since >= self._idle_seconds - 0.001:
                environment.end()
            else:
                kept.append(environment)
        self._idle = kept
        mortal = [environment.idle_since for environment in kept if not environment.is_kept]
        if mortal:
            left_seconds = self._idle_seconds - (now - min(mortal))
            self._sweep = self._clock.call_later(max(0.01, left_seconds), self._retire)

    def replace(self, function: Function) -> None:
        """From now on run `function`; idle environments of the old one end now, busy ones after their invocation."""
        self.function = function
        self._floor_ns = _UNKNOWN_NS
        idle, self._idle = self._idle, []
        for environment in idle:
            environment.end()

    # -- provisioned concurrency -------------------------------------------------------------------------------------

    def keep_ready(self, units: int) -> None:
        """From now on hold `units` initialised environments; 0 lets them retire like all others."""
        self._ready_wanted, self._ready_faults = units, 0
        surplus = self._kept_count() - units
        idle = [each for each in self._idle if each.is_kept and each.state is State.IDLE]
        for environment in idle[: max(0, surplus)]:
            environment.end()
        self._keep_up(None)

    def _kept_count(self) -> int:
        return sum(1 for each in self.environments if each.is_kept and each.is_alive)

    def _keep_up(self, init_fault: Fault | None) -> None:
        # Start what is missing; after failed inits with growing pauses.
        failed = init_fault is not None
        missing = self._ready_wanted - self._kept_count()
        while missing > 0 and not (failed or self._closed or self._ready_again is not None):
            failed = not self._start_one("init", kept=True)
            missing -= 1
        if failed and self._ready_again is None and not self._closed:
            self._ready_faults += 1
            pause_seconds = min(2.0 ** (self._ready_faults - 1), limits.PROVISIONED_RETRY_MAX_SECONDS)
            self._ready_again = self._clock.call_later(pause_seconds, self._keep_up_late)

    def _keep_up_late(self) -> None:
        self._ready_again = None
        self._keep_up(None)

    def provisioned_state(self) -> tuple[int, int, bool]:
        """(initialised environments that are kept ready, those of them that are idle, whether their init fails)."""
        ready = [each for each in self.environments if each.is_kept and each.is_alive and each not in self._starting]
        idle = sum(1 for each in ready if each.state is State.IDLE)
        return len(ready), idle, self._ready_faults > 0

    def working(self) -> Iterator[Environment]:
        """Environments that start or run an invocation."""
        yield from self._starting
        yield from self._running

    def busy(self) -> int:
        """Environments that run an invocation."""
        return len(self._running)

    def close(self, on_empty: Callable[[], None]) -> None:
        """Kill everything; `on_empty` is called when nothing is left."""
        self._closed = True
        self._on_empty = on_empty
        for timer in (self._growth, self._sweep, self._ready_again):
            if timer is not None:
                timer.cancel()
        while self._waiting:
            self._waiting.popleft().refuse(ServiceFault("The server is shutting down"))
        for environment in tuple(self.environments):
            environment.end()
        if not self.environments:
            on_empty()
