"""The platform's own log lines of one environment: INIT_START, START, END, REPORT, and what became of an init.

Enters the moments of an environment's life, leaves events in the function's log and in an invocation's tail.
"""

from __future__ import annotations

import math

from trine.awslambda import limits
from trine.awslambda.environments.memory import usage
from trine.awslambda.fault import Fault, instant
from trine.awslambda.function import Function
from trine.awslambda.guest_apis.extensions import Extensions
from trine.awslambda.invocation import Invocation
from trine.clock import Clock
from trine.logs.group import LogGroup

_SAMPLE_NS = 1_000_000_000
"""Memory is looked at most once a second between invocations; the watcher looks more often at what runs long."""
_DROPPED = "(further output of this invocation was dropped: more than {} bytes)\n"


class Report:
    """Writes the platform's lines of one environment."""

    __slots__ = ("_arm", "_clock", "_function", "_is_restored", "_log", "_logged_bytes", "_max_bytes", "_sampled_ns",
                 "_stream", "_tail_line", "_tmp_extra_mb", "is_kept_ready")  # fmt: skip

    def __init__(self, function: Function, log: LogGroup, stream: str, clock: Clock) -> None:
        self._function = function
        self._log = log
        self._stream = stream
        self._clock = clock
        self._max_bytes = 0
        self._sampled_ns = 0
        self._arm = "arm64" in (function.properties.get("Architectures") or ())
        self._tmp_extra_mb = function.tmp_mb - limits.TMP_DEFAULT_MB
        self.is_kept_ready = False
        """The environment belongs to provisioned concurrency, whose time has a price of its own."""
        self._logged_bytes = 0
        """Written and on no invocation's account yet: lines outside of invocations go on that of the next one."""
        self._is_restored = False
        self._tail_line = f"\tMemory Size: {function.memory_mb} MB\tMax Memory Used: "

    def _write(self, invocation: Invocation | None, line: str) -> None:
        self._logged_bytes += len(line) if line.isascii() else len(line.encode())
        if invocation is None:
            self._log.append(self._stream, "", line)
            return
        self._log.append(self._stream, invocation.request_id, line)
        if invocation.tail is not None:
            invocation.note(line)

    def output(self, invocation: Invocation | None, line: str) -> None:
        """A line of the function itself; a flood is cut off."""
        if invocation is not None:
            kept = invocation.kept_bytes
            invocation.kept_bytes = kept + len(line)
            if kept > limits.LOG_INVOCATION_MAX_BYTES:
                return
            if invocation.kept_bytes > limits.LOG_INVOCATION_MAX_BYTES:
                line = _DROPPED.format(limits.LOG_INVOCATION_MAX_BYTES)
        self._write(invocation, line)

    def note(self, line: str) -> None:
        """A line that belongs to no invocation and to no output of the function."""
        self._write(None, line)

    def init_start(self, phase: str) -> None:
        """The environment is being started, or restored."""
        self._is_restored = phase == "restore"
        what = "RESTORE_START" if self._is_restored else "INIT_START"
        self._write(None, f"{what} Runtime Version: {self._function.runtime}\n")

    def initialized(self, init_ms: float, phase: str, extensions: Extensions | None = None) -> None:
        """The runtime is ready. A normal init stands in the first REPORT; one that was run again within an invocation,
        a snapshot's and a restore are reported by themselves."""
        for line in () if extensions is None else extensions.lines():
            self._write(None, line)
        if phase == "restore":
            self._write(None, f"RESTORE_REPORT Restore Duration: {init_ms:.2f} ms\n")
        elif phase != "init":
            shown = "init" if phase == "snapshot" else phase
            self._write(None, f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {shown}\tStatus: success\n")

    def init_failed(self, init_ms: float, phase: str, found: Fault) -> None:
        """The init failed or took too long."""
        status = "timeout" if found.error_type == "Sandbox.Timedout" else "error"
        if phase == "restore":
            line = f"RESTORE_REPORT Restore Duration: {init_ms:.2f} ms\tStatus: {status}"
        else:
            shown = "init" if phase == "snapshot" else phase
            line = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {shown}\tStatus: {status}"
        self._write(None, f"{line}\n" if status == "timeout" else f"{line}\tError Type: {found.error_type}\n")

    def start(self, invocation: Invocation) -> None:
        """An invocation begins."""
        line = f"START RequestId: {invocation.request_id} Version: {self._function.version}\n"
        self._logged_bytes += len(line)
        self._log.append(self._stream, invocation.request_id, line)
        if invocation.tail is not None:
            invocation.note(line)

    def end(self, invocation: Invocation, found: Fault | None, memory_mb: int) -> None:
        """An invocation is over, well or not."""
        request_id = invocation.request_id
        elapsed_ms = (self._clock.monotonic_ns() - invocation.started_ns) / 1e6
        status = ""
        if found is not None and found.message:
            status = self._fault_status(invocation, found)
            if found.error_type == "Sandbox.Timedout":
                elapsed_ms = max(elapsed_ms, float(self._function.limit_milliseconds))
        init = ""
        billed_ms = elapsed_ms
        if invocation.init_ms is not None:
            init = f"\tInit Duration: {invocation.init_ms:.2f} ms"
            if self._is_restored:
                billed = math.ceil(invocation.init_ms)
                init = f"\tRestore Duration: {invocation.init_ms:.2f} ms\tBilled Restore Duration: {billed} ms"
            billed_ms += invocation.init_ms
        billed_whole_ms = math.ceil(billed_ms)
        end = f"END RequestId: {request_id}\n"
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {elapsed_ms:.2f} ms\tBilled Duration: {billed_whole_ms} ms"
            f"{self._tail_line}{memory_mb} MB{init}\t{status}\n"
        )
        self._logged_bytes += len(end) + len(report)
        self._log.append(self._stream, request_id, end, report)
        self._charge(invocation, elapsed_ms, billed_whole_ms)
        if invocation.tail is not None:
            invocation.note(end)
            invocation.note(report)

    def _charge(self, invocation: Invocation, elapsed_ms: float, billed_ms: int) -> None:
        """Say what an invocation took, as `metering.usage.FunctionUse`; its last line is written."""
        invocation.trace.usage = (self._function.memory_mb, elapsed_ms, billed_ms, invocation.init_ms or 0.0, self._arm,
                                  self._tmp_extra_mb, self.is_kept_ready, self._logged_bytes,
                                  invocation.streamed_bytes)  # fmt: skip
        self._logged_bytes = 0

    def _fault_status(self, invocation: Invocation, found: Fault) -> str:
        # Faults that the service found are told here; those of the runtime it has logged itself.
        if found.error_type == "Sandbox.Timedout":
            sentence = found.message.partition(" Error: ")[2]  # the log has it with a time, the caller without
            self._write(invocation, f"{instant(self._clock.now())} {invocation.request_id} {sentence}\n\n")
            return "Status: timeout"
        self._write(invocation, f"{found.message}\n{found.error_type}\n")
        return f"Status: error\tError Type: {found.error_type}"

    def note_memory(self, resident_bytes: int) -> None:
        """The processes were seen holding this much."""
        self._max_bytes = max(self._max_bytes, resident_bytes)

    def memory_mb(self, pid: int | None) -> int:
        """Most memory seen, in MB; looks again when the last look is old."""
        now_ns = self._clock.monotonic_ns()
        if pid is not None and (self._max_bytes == 0 or now_ns - self._sampled_ns > _SAMPLE_NS):
            self._sampled_ns = now_ns
            self._max_bytes = max(self._max_bytes, usage(pid)[0])
        return math.ceil(self._max_bytes / 1_048_576)
