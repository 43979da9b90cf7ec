"""Faults of a function as the answer its caller gets: AWS's error types and sentences, as JSON bytes.

Pure. These are the faults that the service finds (timeout, exit, size); those that a runtime reports come from it as
they are.
"""

from __future__ import annotations

import os
import signal
import time
from typing import NamedTuple

import orjson

from trine.aws.errors import AwsError
from trine.awslambda import limits
from trine.awslambda.errors import SnapStartFailed, SnapStartTimeout


class Fault(NamedTuple):
    """One fault: its type, its sentence, and the whole payload for the caller."""

    error_type: str
    message: str
    payload: bytes


def fault(error_type: str, message: str) -> Fault:
    """A fault with the two members that every payload has."""
    return Fault(error_type, message, orjson.dumps({"errorType": error_type, "errorMessage": message}))


def reported(payload: bytes, error_type: str | None) -> Fault:
    """A fault that a runtime posted: its payload goes to the caller untouched."""
    return Fault(error_type or "Unhandled", "", payload)


def instant(now: float) -> str:
    """`2026-11-23T16:00:00.123Z`."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z"


def timed_out(request_id: str, timeout_seconds: int) -> Fault:
    """The function ran into its timeout."""
    return for_invocation(
        init_fault("Sandbox.Timedout", f"Task timed out after {timeout_seconds:.2f} seconds"), request_id
    )


def init_fault(error_type: str, message: str) -> Fault:
    """A fault of an init phase: it has no payload before an invocation is failed with it."""
    return Fault(error_type, message, b"")


def runs_again(init_phase: str, found: Fault) -> bool:
    """Whether an init that failed is run once more within the invocation, as AWS does it. Of a restore: when it failed
    by itself, and not by the function's own hooks or the time that they took."""
    if init_phase == "restore":
        return found.error_type not in ("Runtime.AfterRestoreError", "Sandbox.Timedout")
    return init_phase == "init"


def not_restored(found: Fault) -> AwsError:
    """What the caller hears when no environment could be restored (API reference, Invoke, errors)."""
    if found.error_type == "Sandbox.Timedout":
        return SnapStartTimeout("Lambda couldn't restore the snapshot within the timeout limit.")
    return SnapStartFailed(f"The afterRestore() runtime hook encountered an error. {reason_of(found)}")


def for_invocation(found: Fault, request_id: str) -> Fault:
    """An init's fault as the answer of the invocation that waited for it."""
    if found.payload:
        return found
    return fault(found.error_type, f"RequestId: {request_id} Error: {found.message}")


def reason_of(found: Fault) -> str:
    """The sentence of a fault, also of one that a runtime reported."""
    if found.message:
        return found.message
    try:
        return str(orjson.loads(found.payload)["errorMessage"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return found.error_type


def exited(request_id: str, status: int | None, *, truncated: bool = False) -> Fault:
    """The process ended during an invocation, or (`truncated`) in the middle of its streamed answer; `status` as
    waitpid gives it, None when unknown."""
    error_type = "Runtime.TruncatedResponse" if truncated else "Runtime.ExitError"
    return fault(error_type, f"RequestId: {request_id} Error: {exit_sentence(status)}")


def exit_sentence(status: int | None) -> str:
    """AWS's words for how a runtime ended."""
    if status is None:
        return "Runtime exited with error: signal: killed"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        words = signal.strsignal(number) or f"signal {number}"
        return f"Runtime exited with error: signal: {words.lower()}"
    code = os.waitstatus_to_exitcode(status)
    return f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"


def response_too_large(size_bytes: int, limit_bytes: int = limits.RESPONSE_MAX_BYTES) -> Fault:
    """The answer is larger than an invocation may return."""
    assert size_bytes > limit_bytes
    return fault(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes).",
    )
