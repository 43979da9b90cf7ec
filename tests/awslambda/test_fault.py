"""The sentences of faults."""

from __future__ import annotations

import json
import signal

import pytest

from trine.awslambda import fault


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (0, "Runtime exited without providing a reason"),
        (1 << 8, "Runtime exited with error: exit status 1"),
        (255 << 8, "Runtime exited with error: exit status 255"),
        (int(signal.SIGKILL), "Runtime exited with error: signal: killed"),
        (int(signal.SIGSEGV), "Runtime exited with error: signal: segmentation fault"),
        (None, "Runtime exited with error: signal: killed"),
    ],
)
def test_how_a_runtime_ended(status: int | None, sentence: str) -> None:
    assert fault.exit_sentence(status) == sentence


def test_a_timeout_names_the_request_and_the_limit() -> None:
    found = fault.timed_out("id", 3)
    assert json.loads(found.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id Error: Task timed out after 3.00 seconds",
    }


def test_an_inits_fault_is_told_with_the_waiting_request() -> None:
    reported = fault.reported(b'{"errorType":"X"}', "X")
    assert fault.for_invocation(reported, "id") is reported
    exited = fault.for_invocation(fault.init_fault("Runtime.ExitError", "gone"), "id")
    assert json.loads(exited.payload)["errorMessage"] == "RequestId: id Error: gone"
    late = fault.for_invocation(fault.init_fault("Sandbox.Timedout", "Task timed out after 9.00 seconds"), "id")
    assert late.message == "RequestId: id Error: Task timed out after 9.00 seconds"
