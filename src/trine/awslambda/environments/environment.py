"""One execution environment: a state table, a link to a runtime, a log pipe, and at most one invocation at a time.

Enters calls of the runtime, invocations of the pool, the process's end and the clock; leaves finished invocations and
the three reports to its owner (`ready`, `idle`, `ended`). What the table does not allow is refused as AWS refuses it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from trine.awslambda import fault, limits
from trine.awslambda.environments.lifecycle import TABLE, Connection, Owner, State
from trine.awslambda.environments.output import OutputPipe
from trine.awslambda.environments.process import Exit, Process
from trine.awslambda.fault import Fault
from trine.awslambda.function import Function
from trine.awslambda.guest_apis.extensions import Extensions
from trine.awslambda.guest_apis.runtime_api import HASTE_HEADER, event_head
from trine.awslambda.guest_apis.runtime_calls import RuntimeCalls
from trine.awslambda.invocation import Invocation
from trine.awslambda.report import Report
from trine.awslambda.report_json import JsonReport
from trine.clock import Clock, Timer
from trine.iam.principal import Session
from trine.logs.group import LogGroup

_LAST_WORDS_MAX = 4
"""Reads from the link of a runtime that has ended; the socket holds no more."""


class Environment:
    """An execution environment of `function`."""

    __slots__ = ("_asks", "_calls", "_clock", "_connection", "_fixed_head", "_init_fault", "_is_gone",
                 "_output", "_owner", "_patience_seconds", "_process", "_timer", "answered", "call",
                 "deadline_at", "extensions", "function", "id", "idle_since", "init_ms", "init_phase",
                 "invocation", "is_kept", "last_ns", "report", "responded", "session", "started_ns",
                 "state", "stream", "uses")  # fmt: skip

    def __init__(
        self,
        identifier: str,
        function: Function,
        session: Session | None,
        stream: str,
        log: LogGroup,
        clock: Clock,
        owner: Owner,
        init_phase: str,
    ) -> None:
        self.id = identifier
        self.function = function
        self.session = session
        self.stream = stream
        self.init_phase = init_phase
        """`init`; `invoke` when the init is run again within an invocation; `snapshot` and `restore` for SnapStart."""
        self.state = State.INIT
        self.started_ns = clock.monotonic_ns()
        self.init_ms = 0.0
        self.is_kept = False
        """It is held ready for provisioned concurrency."""
        self.extensions: Extensions | None = None
        """Programs beside the runtime that are waited for too."""
        self._asks = False
        """The runtime has asked for its next event."""
        self.idle_since = 0.0
        self.uses = 0
        self.last_ns = 0
        """How long the latest invocation ran."""
        self._clock = clock
        self._owner = owner
        self._output: OutputPipe | None = None
        self._process: Process | None = None
        self._connection: Connection | None = None
        self.invocation: Invocation | None = None
        """The one under way, until the runtime asks for the next."""
        self.responded = True
        """The invocation under way has been answered."""
        self._calls = RuntimeCalls(self)
        self.call = self._calls.serve
        """Serves one call of the Runtime API: takes it and the connection it came on."""
        self.answered = self._calls.answered
        """Serves a response with the wish for the next event behind it."""
        self._init_fault: Fault | None = None
        self._is_gone = False
        """No process of it is left."""
        self.report: Report = (JsonReport if function.json_logs else Report)(function, log, stream, clock)
        seconds = limits.init_seconds(init_phase, function.patience_seconds, is_debugged=function.debug is not None)
        self.deadline_at = clock.now() + seconds
        self._timer: Timer | None = clock.call_later(seconds, self._due)
        self._patience_seconds = function.patience_seconds
        self._fixed_head = f"Lambda-Runtime-Invoked-Function-Arn: {function.arn}\r\n".encode()
        self.report.init_start(init_phase)

    def attach(self, process: Process) -> None:
        """The process that runs this environment."""
        self._process = process
        self._output = OutputPipe(process.log, self._write_line)

    def connected(self, connection: Connection) -> None:
        """The link to its runtime, before that has said anything."""
        self._connection = connection

    # -- invocations -------------------------------------------------------------------------------------------------

    def invoke(self, invocation: Invocation, *, alone: bool = False) -> None:
        """Give the waiting runtime its next event. `alone`: it is the only one under way, and soon over."""
        assert self.state is State.IDLE  # the table allows nothing else
        self.state = State.INVOKE
        connection = self._connection
        assert connection is not None
        clock = self._clock
        now = clock.now()
        invocation.started_ns = clock.monotonic_ns()
        self.invocation = invocation
        self.responded = self._asks = False
        self.deadline_at = deadline_at = now + self._patience_seconds
        if self._timer is None:
            self._timer = clock.call_later(self._patience_seconds, self._due)
        if self.uses == 0 and not self.is_kept:
            invocation.init_ms = self.init_ms
        self.uses += 1
        if self.session is not None:
            self.session.trace = invocation.trace
        self.report.start(invocation)
        payload = invocation.payload
        fixed = self._fixed_head
        if invocation.invoked_arn is not None:
            fixed = f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n".encode()
        if alone:
            fixed += HASTE_HEADER
        head = event_head(
            fixed,
            invocation.request_id,
            int(deadline_at * 1000),
            invocation.trace_header,
            invocation.client_context,
            len(payload),
        )
        if self.extensions is not None:
            self.extensions.invoke(invocation, int(deadline_at * 1000))
        connection.reply(head + payload)

    def complete(self, found: Fault | None, payload: bytes) -> None:
        """The invocation under way is over: with a fault, or with what the function returned."""
        invocation = self.invocation
        assert invocation is not None
        self.responded = True
        self.last_ns = self._clock.monotonic_ns() - invocation.started_ns
        output, process, session = self._output, self._process, self.session
        if output is not None:
            output.drain()  # what the function wrote before its answer lies in the pipe already: it belongs before END
        self.report.end(invocation, found, self.report.memory_mb(None if process is None else process.pid))
        if session is not None:
            session.trace = None
        if found is None:
            invocation.succeed(payload)
        else:
            invocation.fail(found)

    @property
    def can_be_polled(self) -> bool:
        """Its runtime's answer can be looked for: it is one of Trine's own clients."""
        return self._connection is not None and self._connection.can_be_polled

    def poll(self) -> None:
        """Look whether the runtime has answered; what it has sent is served now, not when the event loop sees it."""
        if self._connection is not None:
            self._connection.poll()

    @property
    def running_since_ns(self) -> int:
        """When the invocation under way, or the init, began (monotonic)."""
        return self.started_ns if self.invocation is None else self.invocation.started_ns

    @property
    def supervisor_pid(self) -> int | None:
        """The process below which all of this environment's processes are, once it is known."""
        return None if self._process is None else self._process.pid

    def saw_memory(self, resident_bytes: int) -> None:
        """The watch saw the processes hold this much."""
        self.report.note_memory(resident_bytes)

    @property
    def is_alive(self) -> bool:
        """Its end has not begun."""
        return self.state is not State.ENDING and self.state is not State.ENDED

    @property
    def is_finishing(self) -> bool:
        """It has answered its invocation and will ask for the next one at any moment."""
        return self.state is State.INVOKE and self.responded

    # -- what the runtime says ---------------------------------------------------------------------------------------

    def asks(self, connection: Connection) -> None:
        """The runtime asks for its next event on `connection`. It may, or this is not called."""
        if self._is_gone:
            return  # it asked, and ended before that was heard
        self._connection, self._asks = connection, True
        if self.extensions is None or self.extensions.is_ready:
            self.all_wait()

    def is_free(self, connection: Connection) -> None:
        """The runtime asks for its next event, the one under way is answered, and it has no extensions: `asks` for
        nearly all events, on the shortest way."""
        if self._is_gone:
            return
        self._connection, self._asks, self.invocation = connection, True, None
        self.state = State.IDLE  # from INVOKE: the table allows it
        self._owner.idle(self)

    def all_wait(self) -> None:
        """The runtime and its extensions wait for their next event, once the runtime does too: a phase is over."""
        if not self._asks:
            return
        if self.state is State.INIT:
            self.init_ms = (self._clock.monotonic_ns() - self.started_ns) / 1e6
            self._move(State.IDLE)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._drain_log()
            self.report.initialized(self.init_ms, self.init_phase, self.extensions)
            self._owner.ready(self)
        elif self.state is State.INVOKE:
            self.invocation = None
            self._move(State.IDLE)
            self._owner.idle(self)

    # -- ends --------------------------------------------------------------------------------------------------------

    def _due(self) -> None:
        # One timer for many invocations: it is set when none runs and looks at the deadline of the day when it rings.
        self._timer = None
        if self.state is State.IDLE or self.state is State.ENDED:
            return
        left_seconds = self.deadline_at - self._clock.now()
        if left_seconds > 0.0005:
            self._timer = self._clock.call_later(left_seconds, self._due)
        elif self.state is State.INIT:
            seconds = limits.init_seconds(self.init_phase, self.function.timeout_seconds)
            self.fail_init(fault.init_fault("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds"))
        elif self.state is State.INVOKE:
            if not self.responded:
                invocation = self.invocation
                assert invocation is not None
                seconds = self.function.timeout_seconds
                self.complete(fault.timed_out(invocation.request_id, seconds), b"")
            self.end("timeout")

    def exceeded_memory(self) -> None:
        """The processes hold more than the function's memory: end them as AWS does."""
        self.end_for("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")

    def end_for(self, error_type: str, message: str) -> None:
        """End the processes; that is the fault of the invocation under way, or of the init."""
        self.fail(fault.init_fault(error_type, message))

    def fail(self, found: Fault) -> None:
        """As `end_for`, with the fault itself."""
        if self.state is State.INVOKE and not self.responded:
            assert self.invocation is not None
            self.complete(fault.for_invocation(found, self.invocation.request_id), b"")
        elif self.state is State.INIT:
            self.fail_init(found)
        self.end("failure")

    def fail_init(self, found: Fault) -> None:
        """The init failed, for this reason: end."""
        self._drain_log()
        self._init_fault = found
        self.report.init_failed((self._clock.monotonic_ns() - self.started_ns) / 1e6, self.init_phase, found)
        self.end()

    def fail_waiting(self, invocation: Invocation, init_fault: Fault) -> None:
        """Answer an invocation that waited for this environment, whose init failed twice, or whose restore failed."""
        if self.init_phase == "restore":
            invocation.refuse(fault.not_restored(init_fault))
            return
        invocation.started_ns = self._clock.monotonic_ns()
        self.report.start(invocation)
        found = fault.for_invocation(init_fault, invocation.request_id)
        self.report.end(invocation, found, self.report.memory_mb(None))
        invocation.fail(found)

    def end(self, reason: str = "spindown") -> None:
        """Kill the processes; the owner hears of it when nothing is left. Extensions that want it get two seconds."""
        if self.state is State.ENDING or self.state is State.ENDED:
            return
        self._move(State.ENDING)
        deadline_ms = int((self._clock.now() + limits.SHUTDOWN_SECONDS) * 1000)
        if self._process is not None:
            if self.extensions is not None and self.extensions.shutdown(reason, deadline_ms):
                self._process.shut_down(limits.SHUTDOWN_SECONDS)
            else:
                self._process.kill()
        else:
            asyncio.get_running_loop().call_soon(self.exited, Exit(None, 0))

    def disconnected(self) -> None:
        """The runtime closed its link: it has ended or is about to; the process's exit tells how."""
        if self.state is State.IDLE:
            self.end()  # nobody may be given to it any more
        elif self._process is not None and self.state is not State.ENDED and not self._process.ended:
            self._process.watch_exit()

    def exited(self, how: Exit) -> None:
        """No process is left. What the runtime said before counts, also when the loop sees its end first."""
        self._is_gone = True
        connection = self._connection
        if connection is None or not self._is_awaited:
            self._exited(how)
        elif connection.can_be_polled:
            for _ in range(_LAST_WORDS_MAX):
                connection.poll()
            self._exited(how)
        else:  # a whole turn of the loop, in which it reads what lies there
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._exited, how)

    @property
    def _is_awaited(self) -> bool:
        return self.state is State.INIT or (self.state is State.INVOKE and not self.responded)

    def _exited(self, how: Exit) -> None:
        if self.state is State.ENDED:
            return
        if self._output is not None:
            self._output.close()
        init_fault = self._init_fault
        if self.state is State.INIT and init_fault is None:
            if how.reason:
                init_fault = fault.init_fault("Runtime.InvalidEntrypoint", how.reason)
            else:
                init_fault = fault.init_fault("Runtime.ExitError", fault.exit_sentence(how.status))
            elapsed_ms = (self._clock.monotonic_ns() - self.started_ns) / 1e6
            self.report.init_failed(elapsed_ms, self.init_phase, init_fault)
        elif self.state is State.INVOKE and not self.responded:
            assert self.invocation is not None
            self.report.note_memory(how.max_rss_kb * 1024)
            cut = self._calls.is_streaming
            self.complete(fault.exited(self.invocation.request_id, how.status, truncated=cut), b"")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.session = None
        self._move(State.ENDED)
        self._owner.ended(self, init_fault)

    def _move(self, to: State) -> None:
        assert to in TABLE[self.state], f"{self.state} -> {to}"
        self.state = to

    # -- log ---------------------------------------------------------------------------------------------------------

    def log(self, line: str) -> None:
        """Write a line that is not the function's."""
        self.report.note(line)

    def _write_line(self, line: str) -> None:
        self.report.output(self.invocation, line)

    def _drain_log(self) -> None:
        if self._output is not None:
            self._output.drain()

    def describe(self) -> dict[str, Any]:
        """For people: id, state, uses, init time."""
        return {"id": self.id, "state": self.state.value, "uses": self.uses, "initMs": round(self.init_ms, 2)}
