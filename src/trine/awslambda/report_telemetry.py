"""An environment's moments for extensions that subscribed to them, beside the lines in its log.

Enters what a `Report` enters, leaves the log's lines as before and events to a `Telemetry`. Source: developer guide,
"Telemetry API event schema reference".
"""

from __future__ import annotations

from typing import Any

from trine.awslambda.fault import Fault
from trine.awslambda.guest_apis.extensions import Extensions
from trine.awslambda.guest_apis.telemetry import Telemetry, event_of
from trine.awslambda.invocation import Invocation
from trine.awslambda.report import Report
from trine.awslambda.report_json import JsonReport


class _Events(JsonReport):
    """The events themselves."""

    __slots__ = ("telemetry",)

    telemetry: Telemetry

    def _tell(self, invocation: Invocation | None, kind: str, level: str, record: dict[str, Any]) -> None:
        self.telemetry.tell("platform", event_of(self._clock.now(), f"platform.{kind}", record))

    def _charge(self, invocation: Invocation, elapsed_ms: float, billed_ms: int) -> None:
        """The report beside it, which writes the log, has charged the invocation."""

    def initialized(self, init_ms: float, phase: str, extensions: Extensions | None = None) -> None:
        shown = "invoke" if phase == "invoke" else "init"
        done = {"initializationType": self._kind, "phase": shown, "status": "success"}
        self._tell(None, "initRuntimeDone", "INFO", done)
        super().initialized(init_ms, phase, extensions)
        if phase == "init":
            self._init_report(init_ms, phase, "success", None)


class TelemetryReport(Report):
    """Writes the log as `report` does and tells `telemetry` the same moments. It takes the place of `report`."""

    __slots__ = ("_events", "_report", "telemetry")

    def __init__(self, report: Report, telemetry: Telemetry, phase: str) -> None:
        super().__init__(report._function, report._log, report._stream, report._clock)
        self._report = report
        self.telemetry = telemetry
        self._events = _Events(report._function, report._log, report._stream, report._clock)
        self._events.telemetry = telemetry
        self._events.init_start(phase)  # the log has its line already

    def output(self, invocation: Invocation | None, line: str) -> None:
        """A line of the function itself."""
        self._report.output(invocation, line)
        self.telemetry.line("function", line, is_json=self._function.json_logs)

    def note(self, line: str) -> None:
        """A line that is nobody's event."""
        self._report.note(line)

    def initialized(self, init_ms: float, phase: str, extensions: Extensions | None = None) -> None:
        """The runtime is ready."""
        self._report.initialized(init_ms, phase, extensions)
        self._events.initialized(init_ms, phase, extensions)

    def init_failed(self, init_ms: float, phase: str, found: Fault) -> None:
        """The init failed or took too long."""
        self._report.init_failed(init_ms, phase, found)
        self._events.init_failed(init_ms, phase, found)

    def start(self, invocation: Invocation) -> None:
        """An invocation begins."""
        self._report.start(invocation)
        self._events.start(invocation)

    def end(self, invocation: Invocation, found: Fault | None, memory_mb: int) -> None:
        """An invocation is over, well or not."""
        self._report.end(invocation, found, memory_mb)
        self._events.end(invocation, found, memory_mb)
