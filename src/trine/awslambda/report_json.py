"""The platform's own log lines where the function's `LogFormat` is JSON: `platform.start`, `platform.report`, ….

Enters the moments of an environment's life, leaves JSON events as far as `SystemLogLevel` lets them through. Source:
developer guide, "Working with structured JSON logs", system log event types and their levels.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

from trine.awslambda.fault import Fault, instant
from trine.awslambda.guest_apis.extensions import Extensions
from trine.awslambda.invocation import Invocation
from trine.awslambda.report import Report

_ORDER = ("DEBUG", "INFO", "WARN")


class JsonReport(Report):
    """Writes the platform's lines of one environment as JSON."""

    __slots__ = ("_kind",)

    def _tell(self, invocation: Invocation | None, kind: str, level: str, record: dict[str, Any]) -> None:
        if _ORDER.index(level) < _ORDER.index(self._function.system_log_level):
            return
        line = orjson.dumps({"time": instant(self._clock.now()), "type": f"platform.{kind}", "record": record})
        self._write(invocation, line.decode() + "\n")

    def init_start(self, phase: str) -> None:
        """The environment is being started, or restored."""
        self._is_restored = phase == "restore"
        self._kind = "snap-start" if phase in ("snapshot", "restore") else "on-demand"
        function = self._function
        self._tell(
            None,
            "restoreStart" if self._is_restored else "initStart",
            "INFO",
            {
                "initializationType": self._kind,
                "phase": "init",
                "runtimeVersion": function.runtime,
                "functionName": function.name,
                "functionVersion": function.version,
            },
        )

    def initialized(self, init_ms: float, phase: str, extensions: Extensions | None = None) -> None:
        """The runtime is ready."""
        for name, events in () if extensions is None else extensions.ready():
            self._tell(None, "extension", "INFO", {"name": name, "state": "Ready", "events": list(events)})
        if phase != "init":
            self._init_report(init_ms, phase, "success", None)

    def init_failed(self, init_ms: float, phase: str, found: Fault) -> None:
        """The init failed or took too long."""
        status = "timeout" if found.error_type == "Sandbox.Timedout" else "error"
        self._init_report(init_ms, phase, status, found.error_type if status == "error" else None)

    def _init_report(self, init_ms: float, phase: str, status: str, error_type: str | None) -> None:
        record: dict[str, Any] = {
            "initializationType": self._kind,
            "phase": "init" if phase in ("snapshot", "restore") else phase,
            "status": status,
            "metrics": {"durationMs": round(init_ms, 3)},
        }
        if error_type is not None:
            record["errorType"] = error_type
        kind = "restoreReport" if phase == "restore" else "initReport"
        self._tell(None, kind, "INFO" if status == "success" else "WARN", record)

    def start(self, invocation: Invocation) -> None:
        """An invocation begins."""
        record = {"requestId": invocation.request_id, "version": self._function.version}
        self._tell(invocation, "start", "INFO", record)

    def end(self, invocation: Invocation, found: Fault | None, memory_mb: int) -> None:
        """An invocation is over, well or not."""
        elapsed_ms = (self._clock.monotonic_ns() - invocation.started_ns) / 1e6
        status = "success" if found is None else "timeout" if found.error_type == "Sandbox.Timedout" else "error"
        if status == "timeout":
            elapsed_ms = max(elapsed_ms, float(self._function.limit_milliseconds))
        level = "INFO" if status == "success" else "WARN"
        done: dict[str, Any] = {
            "requestId": invocation.request_id,
            "status": status,
            "metrics": {"durationMs": round(elapsed_ms, 3)},
        }
        if found is not None and status == "error":
            done["errorType"] = found.error_type
        self._tell(invocation, "runtimeDone", "DEBUG" if status == "success" else "WARN", done)
        billed_ms = math.ceil(elapsed_ms + (invocation.init_ms or 0.0))
        metrics: dict[str, Any] = {
            "durationMs": round(elapsed_ms, 3),
            "billedDurationMs": billed_ms,
            "memorySizeMB": self._function.memory_mb,
            "maxMemoryUsedMB": memory_mb,
        }
        if invocation.init_ms is not None:
            metrics["restoreDurationMs" if self._is_restored else "initDurationMs"] = round(invocation.init_ms, 3)
            if self._is_restored:
                metrics["billedRestoreDurationMs"] = math.ceil(invocation.init_ms)
        self._tell(invocation, "report", level, {**done, "metrics": metrics})
        self._charge(invocation, elapsed_ms, billed_ms)
