"""One environment's states, with a connection that only remembers and a clock that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from trine.aws.invoke import InvokeResponse
from trine.awslambda import limits
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.lifecycle import TABLE, State
from trine.awslambda.environments.process import Exit
from trine.awslambda.fault import Fault
from trine.awslambda.function import Function
from trine.awslambda.guest_apis.runtime_api import Call
from trine.awslambda.invocation import Invocation
from trine.clock import ManualClock
from trine.logs.store import LogStore
from trine.trace import Trace

F = Function("f", "arn:aws:lambda:us-east-1:123456789012:function:f", "", "python3.11", "a.b", Path("/"))
NEXT = Call("next", "", b"", b"")


class Wire:
    """A connection that remembers what was sent."""

    can_be_polled = True

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False
        self.unread: list[Callable[[], object]] = []
        """What the runtime has sent and nobody has read yet."""

    def poll(self) -> None:
        if self.unread:
            self.unread.pop(0)()

    def reply(self, data: bytes, *, hold: bool = False) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    @property
    def status(self) -> int:
        """Status of the latest answer."""
        return int(self.sent[-1][9:12])


class Scene:
    """An environment, its owner's notes, and its log."""

    def __init__(self, phase: str = "init") -> None:
        self.clock = ManualClock()
        self.log = LogStore(self.clock, None).group("g")
        self.reports: list[str] = []
        self.init_fault: Fault | None = None
        self.wire = Wire()
        self.environment = Environment("e", F, None, "stream", self.log, self.clock, self, phase)

    def ready(self, environment: Environment) -> None:
        self.reports.append("ready")

    def idle(self, environment: Environment) -> None:
        self.reports.append("idle")

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        self.reports.append("ended")
        self.init_fault = init_fault

    def call(self, kind: str, request_id: str = "", body: bytes = b"", head: bytes = b"") -> int:
        """One call of the runtime; the status of the answer, 0 without one."""
        before = len(self.wire.sent)
        self.environment.call(Call(kind, request_id, head, body), self.wire)
        return self.wire.status if len(self.wire.sent) > before else 0

    def invoke(self, request_id: str = "id") -> asyncio.Future[InvokeResponse]:
        """Run one invocation."""
        answer: asyncio.Future[InvokeResponse] = asyncio.get_running_loop().create_future()
        trace = Trace.begun("lambda", request_id, self.clock)
        self.environment.invoke(Invocation(request_id, F, b'{"a":1}', trace, answer, lambda invocation, status: None))
        return answer

    def text(self) -> str:
        """The whole log."""
        return "".join(event.message for event in self.log.events())


def played(scene: Callable[[Scene], None]) -> Callable[[], None]:
    """Run a scene on an event loop."""

    def test() -> None:
        async def inside() -> None:
            scene(Scene())
            await asyncio.sleep(0)

        asyncio.run(inside())

    return test


@played
def test_an_invocation_from_next_to_next(scene: Scene) -> None:
    scene.call("next")
    assert scene.reports == ["ready"]
    answer = scene.invoke()
    head, _, body = scene.wire.sent[-1].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert b"Lambda-Runtime-Deadline-Ms: 1800000003000" in head
    assert scene.call("response", "id", b"2") == 202
    assert answer.result().payload == b"2"
    scene.call("next")
    assert (scene.reports, scene.environment.state) == (["ready", "idle"], State.IDLE)


@played
def test_the_trace_says_what_a_runtime_reported(scene: Scene) -> None:
    scene.call("next")
    answer: asyncio.Future[InvokeResponse] = asyncio.get_running_loop().create_future()
    trace = Trace.begun("lambda", "id", scene.clock)
    scene.environment.invoke(Invocation("id", F, b"{}", trace, answer, lambda invocation, status: None))
    assert scene.call("error", "id", b'{"errorType": "KeyError", "errorMessage": "no name"}') == 202
    assert trace.refusal is not None
    assert "no name" in trace.refusal["message"]


@played
def test_calls_out_of_order_are_refused_as_the_runtime_api_does(scene: Scene) -> None:
    assert scene.call("response", "id", b"1") == 403
    scene.call("next")
    assert scene.call("next") == 403
    assert scene.call("init_error", "", b"{}") == 403
    scene.invoke()
    assert scene.call("next") == 403
    assert scene.call("response", "other", b"1") == 400
    assert scene.call("unknown") == 404
    assert scene.call("response", "id", b"1") == 202
    assert scene.call("error", "id", b"{}") == 403


@played
def test_a_too_large_answer_is_413_and_the_callers_fault(scene: Scene) -> None:
    scene.call("next")
    answer = scene.invoke()
    assert scene.call("response", "id", bytes(limits.RESPONSE_MAX_BYTES + 1)) == 413
    assert json.loads(answer.result().payload)["errorType"] == "Function.ResponseSizeTooLarge"


@played
def test_an_error_goes_to_the_caller_untouched(scene: Scene) -> None:
    scene.call("next")
    answer = scene.invoke()
    scene.call("error", "id", b'{"errorMessage":"x"}', b"\r\nLambda-Runtime-Function-Error-Type: Mine")
    assert (answer.result().function_error, answer.result().payload) == ("Unhandled", b'{"errorMessage":"x"}')


@played
def test_the_timeout_comes_at_its_time_and_not_before(scene: Scene) -> None:
    scene.call("next")
    for number in range(3):
        answer = scene.invoke(str(number))
        scene.clock.advance(2.9)
        assert not answer.done()
        scene.call("response", str(number), b"1")
        scene.call("next")
    late = scene.invoke("late")
    scene.clock.advance(2.999)
    assert not late.done()
    scene.clock.advance(0.002)
    assert (
        json.loads(late.result().payload)["errorMessage"] == "RequestId: late Error: Task timed out after 3.00 seconds"
    )
    assert scene.environment.state is State.ENDING
    assert "Status: timeout" in scene.text()


@played
def test_an_idle_environment_knows_no_timeout(scene: Scene) -> None:
    scene.call("next")
    scene.clock.advance(3600)
    assert scene.environment.state is State.IDLE


@played
def test_an_init_may_take_ten_seconds(scene: Scene) -> None:
    scene.clock.advance(9.9)
    assert scene.environment.state is State.INIT
    scene.clock.advance(0.2)
    assert scene.environment.state is State.ENDING
    assert "Phase: init\tStatus: timeout" in scene.text()


@played
def test_a_process_that_ends_fails_what_it_ran(scene: Scene) -> None:
    scene.call("next")
    answer = scene.invoke()
    scene.environment.exited(Exit(1 << 8, 50_000))
    assert json.loads(answer.result().payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: id Error: Runtime exited with error: exit status 1",
    }
    assert scene.reports == ["ready", "ended"]
    assert scene.wire.closed
    assert "Max Memory Used: 49 MB" in scene.text()


@played
def test_an_answer_counts_even_when_the_end_of_its_process_is_seen_first(scene: Scene) -> None:
    scene.call("next")
    answer = scene.invoke()
    scene.wire.unread = [lambda: scene.call("response", "id", b"2"), lambda: scene.call("next")]
    scene.environment.exited(Exit(1 << 8, 50_000))
    assert answer.result().payload == b"2"
    assert scene.reports == ["ready", "ended"]  # and nobody gives its next event to what is gone


@played
def test_the_reason_of_a_failed_init_counts_even_when_the_end_of_its_process_is_seen_first(scene: Scene) -> None:
    scene.environment.connected(scene.wire)
    head = b"\r\nLambda-Runtime-Function-Error-Type: Runtime.HandlerNotFound"
    scene.wire.unread = [lambda: scene.call("init_error", "", b'{"errorMessage": "nowhere"}', head)]
    scene.environment.exited(Exit(1 << 8, 50_000))
    assert scene.init_fault is not None
    assert scene.init_fault.error_type == "Runtime.HandlerNotFound"


def test_other_peoples_runtimes_are_heard_to_the_end_by_the_loop() -> None:
    async def inside() -> None:
        scene = Scene()
        scene.wire.can_be_polled = False
        scene.call("next")
        answer = scene.invoke()
        scene.environment.exited(Exit(0, 0))
        asyncio.get_running_loop().call_soon(scene.call, "response", "id", b"2")
        assert (await answer).payload == b"2"
        await until(lambda: scene.reports == ["ready", "ended"], "the end")

    asyncio.run(inside())


@played
def test_a_process_that_ends_before_it_was_ready_is_an_init_fault(scene: Scene) -> None:
    scene.environment.exited(Exit(0, 0))
    assert scene.init_fault is not None
    assert scene.init_fault.message == "Runtime exited without providing a reason"
    answer: asyncio.Future[InvokeResponse] = asyncio.get_running_loop().create_future()
    waiting = Invocation("w", F, b"", Trace.begun("lambda", "w", scene.clock), answer, lambda invocation, status: None)
    scene.environment.fail_waiting(waiting, scene.init_fault)
    assert json.loads(answer.result().payload)["errorMessage"] == (
        "RequestId: w Error: Runtime exited without providing a reason"
    )


@pytest.mark.parametrize("state", list(State))
def test_the_table_leads_to_the_end_and_nowhere_else(state: State) -> None:
    reached, seen = {state}, set()
    while reached:
        at = reached.pop()
        seen.add(at)
        reached |= TABLE[at] - seen
    assert State.ENDED in seen
    assert State.INIT not in TABLE[state]


def test_what_the_table_does_not_allow_is_a_broken_promise() -> None:
    async def scene() -> None:
        made: Any = Scene().environment
        with pytest.raises(AssertionError):
            made._move(State.INVOKE)

    asyncio.run(scene())
