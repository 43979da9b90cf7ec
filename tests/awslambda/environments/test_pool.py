"""The pool's decisions, with environments that do nothing and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeResponse
from trine.awslambda import limits
from trine.awslambda.environments.lifecycle import State
from trine.awslambda.environments.pool import Pool
from trine.awslambda.errors import AccessDenied, ServiceFault, TooManyRequests
from trine.awslambda.fault import Fault, fault
from trine.awslambda.function import Function
from trine.awslambda.invocation import Invocation
from trine.clock import ManualClock
from trine.trace import Trace

F = Function("f", "arn", "", "python3.11", "a.b", Path("/"), revision="1")


class FakeEnvironment:
    """Does what an environment's owner can see of it."""

    def __init__(self, pool: Pool, phase: str, kept: bool = False) -> None:
        self.pool, self.init_phase, self.is_kept = pool, phase, kept
        self.function = pool.function
        self.session = None
        self.state = State.INIT
        self.idle_since = 0.0
        self.last_ns = 0
        self.running_since_ns = 0
        self.is_finishing = False
        self.invocation: Invocation | None = None
        self.ended = False
        self.polls = 0
        self.can_be_polled = True
        self.was_alone = False
        self.answers_when_polled = False

    @property
    def is_alive(self) -> bool:
        return self.state not in (State.ENDING, State.ENDED)

    def become_ready(self) -> None:
        self.state = State.IDLE
        self.pool.ready(self)  # type: ignore[arg-type]

    def invoke(self, invocation: Invocation, *, alone: bool = False) -> None:
        assert self.state is State.IDLE
        self.was_alone = alone
        self.state, self.invocation = State.INVOKE, invocation

    def poll(self) -> None:
        self.polls += 1
        if self.answers_when_polled and self.invocation is not None:
            self.finish(last_ns=50_000)

    def finish(self, last_ns: int = 10**9) -> None:
        assert self.invocation is not None
        self.invocation.succeed(b"1")
        self.invocation, self.state, self.last_ns = None, State.IDLE, last_ns
        self.pool.idle(self)  # type: ignore[arg-type]

    def fail_waiting(self, invocation: Invocation, found: Fault) -> None:
        invocation.fail(found)

    def fail_init(self) -> None:
        self.state = State.ENDED
        self.pool.ended(self, fault("Oh.No", "no"))  # type: ignore[arg-type]

    def end(self) -> None:
        self.state, self.ended = State.ENDED, True
        self.pool.ended(self, None)  # type: ignore[arg-type]


class Scene:
    """A pool with fake environments."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.made: list[FakeEnvironment] = []
        self.refusal: AwsError | None = None
        self.pool = Pool(F, self.clock, self._start, 60)

    def _start(self, pool: Pool, phase: str, kept: bool) -> Any:
        if self.refusal is not None:
            raise self.refusal
        self.made.append(FakeEnvironment(pool, phase, kept))
        return self.made[-1]

    def submit(self) -> asyncio.Future[InvokeResponse]:
        answer: asyncio.Future[InvokeResponse] = asyncio.get_running_loop().create_future()
        trace = Trace.begun("lambda", "r", self.clock)
        self.pool.submit(Invocation("r", F, b"", trace, answer, lambda invocation, status: None))
        return answer


def played(scene: Callable[[Scene], None]) -> Callable[[], None]:
    """Run a scene on an event loop."""

    def test() -> None:
        async def inside() -> None:
            scene(Scene())

        asyncio.run(inside())

    return test


@played
def test_latest_used_is_used_first(scene: Scene) -> None:
    answers = [scene.submit() for _ in range(3)]
    for environment in scene.made:
        environment.become_ready()
    for environment in scene.made:
        environment.finish()
    assert all(answer.done() for answer in answers)
    scene.submit()
    assert scene.made[2].state is State.INVOKE


@played
def test_waiting_is_first_come_first_served(scene: Scene) -> None:
    first, second, third = scene.submit(), scene.submit(), scene.submit()
    scene.made[0].become_ready()
    scene.made[0].finish()
    assert (first.done(), second.done(), third.done()) == (True, False, False)
    scene.made[0].finish()
    assert (second.done(), third.done()) == (True, False)


@played
def test_no_more_start_at_once_than_allowed(scene: Scene) -> None:
    for _ in range(limits.STARTS_AT_ONCE_MAX + 5):
        scene.submit()
    assert len(scene.made) == limits.STARTS_AT_ONCE_MAX


@played
def test_a_quick_function_waits_a_moment_before_it_grows(scene: Scene) -> None:
    scene.submit()
    scene.made[0].become_ready()
    scene.made[0].finish(last_ns=50_000)
    for _ in range(40):
        scene.submit()
    few = len(scene.made)
    assert few < 10
    scene.clock.advance(0.1)
    assert len(scene.made) > few


def _warm(scene: Scene, last_ns: int) -> FakeEnvironment:
    scene.submit()
    made = scene.made[-1]
    made.become_ready()
    made.finish(last_ns)
    return made


@played
def test_a_lone_call_of_a_function_that_does_next_to_nothing_is_answered_on_the_spot(scene: Scene) -> None:
    scene.pool._haste._is_possible = True
    made = _warm(scene, last_ns=50_000)
    made.answers_when_polled = True
    assert scene.submit().done()
    assert made.was_alone
    assert made.polls == 1


@played
def test_callers_that_come_together_and_slow_functions_are_not_waited_for(scene: Scene) -> None:
    scene.pool._haste._is_possible = True
    made = _warm(scene, last_ns=50_000)
    made.answers_when_polled = True
    first, second = scene.submit(), scene.submit()  # in one round of the event loop
    assert (first.done(), second.done(), made.polls, made.was_alone) == (True, False, 1, False)
    slow = Scene()
    slow.pool._haste._is_possible = True
    made = _warm(slow, last_ns=5_000_000)
    made.answers_when_polled = True
    assert not slow.submit().done()
    assert made.polls == 0


@played
def test_other_peoples_runtimes_are_not_waited_for(scene: Scene) -> None:
    scene.pool._haste._is_possible = True
    made = _warm(scene, last_ns=50_000)
    made.can_be_polled = False
    scene.submit()
    assert (made.polls, made.was_alone) == (0, False)


@played
def test_an_answer_that_does_not_come_is_waited_for_once_and_then_not_for_a_while(scene: Scene) -> None:
    scene.pool._haste._is_possible = True
    made = _warm(scene, last_ns=50_000)
    answer = scene.submit()
    looks = made.polls
    assert looks > 1
    assert not answer.done()
    made.finish(last_ns=50_000)
    scene.submit()
    assert (made.polls, made.was_alone) == (looks, False)


@played
def test_what_has_been_answered_meanwhile_takes_the_next_call_in_the_same_round(scene: Scene) -> None:
    scene.pool._haste._is_possible = False
    made = _warm(scene, last_ns=50_000)
    first = scene.submit()
    made.answers_when_polled = True
    scene.clock.advance(0.001)
    second = scene.submit()
    assert (first.done(), second.done(), made.invocation is not None) == (True, False, True)
    assert len(scene.made) == 1


@played
def test_idle_environments_retire_the_oldest_first(scene: Scene) -> None:
    scene.submit()
    scene.submit()
    for environment in list(scene.made):
        environment.become_ready()
    scene.made[0].finish()
    scene.clock.advance(30)
    scene.made[1].finish()
    scene.clock.advance(31)
    assert (scene.made[0].ended, scene.made[1].ended) == (True, False)
    scene.clock.advance(60)
    assert scene.made[1].ended


@played
def test_a_failed_init_is_tried_once_more_and_then_told(scene: Scene) -> None:
    answer = scene.submit()
    scene.made[0].fail_init()
    assert scene.made[1].init_phase == "invoke"
    assert not answer.done()
    scene.made[1].fail_init()
    assert answer.result().function_error == "Unhandled"
    assert len(scene.made) == 2


@played
def test_what_cannot_be_started_is_refused(scene: Scene) -> None:
    scene.refusal = AccessDenied("no")
    answer = scene.submit()
    assert isinstance(answer.exception(), AccessDenied)


@played
def test_a_new_configuration_ends_idle_and_then_busy_environments(scene: Scene) -> None:
    scene.submit()
    scene.submit()
    for environment in list(scene.made):
        environment.become_ready()
    scene.made[0].finish()
    scene.pool.replace(Function("f", "arn", "", "python3.11", "a.b", Path("/"), revision="2"))
    assert (scene.made[0].ended, scene.made[1].ended) == (True, False)
    scene.made[1].finish()
    assert scene.made[1].ended


@played
def test_closing_refuses_what_waits_and_tells_when_nothing_is_left(scene: Scene) -> None:
    answer = scene.submit()
    empty: list[bool] = []
    scene.pool.close(lambda: empty.append(True))
    assert isinstance(answer.exception(), ServiceFault)
    assert empty


@pytest.mark.parametrize("state", list(State))
def test_nothing_follows_the_end(state: State) -> None:
    from trine.awslambda.environments.lifecycle import TABLE

    assert State.ENDED not in TABLE[State.ENDED]
    assert (State.ENDED in TABLE[state]) == (state is not State.ENDED)


@played
def test_provisioned_environments_do_not_retire_and_are_replaced_with_growing_pauses(scene: Scene) -> None:
    scene.pool.keep_ready(2)
    assert [made.is_kept for made in scene.made] == [True, True]
    for made in scene.made:
        made.become_ready()
    scene.clock.advance(10_000)
    assert scene.pool.provisioned_state() == (2, 2, False)
    scene.made[0].end()
    scene.made[2].fail_init()
    assert len(scene.made) == 3
    scene.clock.advance(1.1)
    scene.made[3].fail_init()
    scene.clock.advance(1.1)
    assert (len(scene.made), scene.pool.provisioned_state()) == (4, (1, 1, True))
    scene.clock.advance(1)
    scene.made[4].become_ready()
    assert scene.pool.provisioned_state() == (2, 2, False)
    scene.pool.keep_ready(0)
    assert not any(made.is_alive for made in scene.made)


@played
def test_a_thousand_environments_and_a_hundred_more_each_second(scene: Scene) -> None:
    for _ in range(limits.SCALING_ENVIRONMENTS):
        scene.submit()
        scene.made[-1].become_ready()
    refused = scene.submit()
    error = refused.exception()
    assert isinstance(error, TooManyRequests)
    scene.clock.advance(0.02)
    scene.submit()
    made = len(scene.made)
    assert made == limits.SCALING_ENVIRONMENTS + 1
