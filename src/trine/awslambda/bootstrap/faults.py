"""A function's faults as AWS's runtime reports them: error values with type, message stack trace; their log line."""

from __future__ import annotations

import os
import traceback
from types import TracebackType
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NO_BREAK_SPACE = "\u00a0"


class Fault(Exception):
    """A fault that the runtime finds, not the handler: `Runtime.HandlerNotFound` and its like."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace or []


def error_value(error: BaseException, request_id: str = "") -> dict[str, Any]:
    """The error as the JSON value that goes to the caller.

    Raises what `str(error)` raises, which ends AWS's runtime, too.
    """
    if isinstance(error, Fault):
        return {
            "errorMessage": error.message,
            "errorType": error.error_type,
            "requestId": request_id,
            "stackTrace": error.trace,
        }
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": stack_trace(error.__traceback__),
    }


def stack_trace(trace: TracebackType | None) -> list[str]:
    """The frames of the function's own code, formatted; those of the runtime in front of them left out."""
    frames = traceback.extract_tb(trace)
    first = next((n for n, frame in enumerate(frames) if not frame.filename.startswith(_HERE)), 0)
    return traceback.format_list([(f.filename, f.lineno or 0, f.name, f.line) for f in frames[first:]])


def log_text(error: dict[str, Any]) -> str:
    """The lines that AWS's runtime writes for an error: one log event, its lines parted by carriage returns."""
    lines = ["[ERROR]"]
    if error["errorType"]:
        lines[0] += f" {error['errorType']}"
    if error["errorMessage"]:
        lines[0] += f"{':' if error['errorType'] else ''} {error['errorMessage']}"
    lines.append("Traceback (most recent call last):")
    for element in error["stackTrace"]:
        for line in element.splitlines():
            stripped = line.lstrip(" ")
            lines.append(_NO_BREAK_SPACE * (len(line) - len(stripped)) + stripped)
    return "\r".join(lines) + "\n"
