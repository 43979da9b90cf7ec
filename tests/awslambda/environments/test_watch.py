"""Memory and processes beyond the function's limits end the environment with AWS's error; the rest is left alone."""

from __future__ import annotations

import json
import os
import platform
import time
from typing import Any

import pytest

from trine.aws.invoke import InvokeRequest


def test_an_allocation_beyond_the_memory_ends_the_environment(lab: Any) -> None:
    lab.put("attacks.allocate", "bomb", MemorySize=128, Timeout=20)
    response = lab.invoke("bomb", {"mb": 4_000}, tail_log=True)
    error = json.loads(response.payload)
    assert error["errorType"] == "Runtime.OutOfMemory"
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert b"Error Type: Runtime.OutOfMemory" in response.log_tail
    assert lab.call("app.hello") == {"hello": "world"}


def test_what_fits_is_left_alone_and_reported(lab: Any) -> None:
    lab.put("attacks.allocate", "fits", MemorySize=512, Timeout=20)
    response = lab.invoke("fits", {"mb": 150}, tail_log=True)
    assert json.loads(response.payload) == 150
    used = response.log_tail.decode().rpartition("Max Memory Used: ")[2].split()[0]
    assert 150 < int(used) < 512


@pytest.mark.slow
def test_a_fork_bomb_is_ended(lab: Any) -> None:
    lab.put("attacks.fork_children", "forks", MemorySize=10_240, Timeout=60)
    error = json.loads(lab.invoke("forks", {"count": 1_500}).payload)
    assert error == "EAGAIN" or error["errorType"] == "Runtime.ExitError"
    assert lab.call("app.hello") == {"hello": "world"}


def _counts_by_namespace() -> bool:
    release = [int(part) for part in platform.release().split("-")[0].split(".")[:2]]
    return release >= [6, 14] or (release >= [5, 14] and os.geteuid() != 0)


@pytest.mark.slow
@pytest.mark.skipif(
    not _counts_by_namespace(), reason="this kernel bounds no processes by namespace: it would hurt others"
)
def test_a_bomb_whose_children_fork_too_is_ended(lab: Any) -> None:
    if not lab.service.machinery.isolation()["namespaces"]:
        pytest.skip("without namespaces nothing bounds a bomb in time: it would hurt others")
    lab.put("attacks.bomb", "bomb", MemorySize=1_024, Timeout=3)
    lab.put("app.hello", "hello")

    async def beside_it() -> tuple[float, float]:
        # The longest that a neighbour waited, and how long the bomb lasted.
        begun = time.monotonic()
        longest = 0.0
        bomb = lab.service.invoke(InvokeRequest("bomb", b"{}"))
        while not bomb.done():
            called = time.monotonic()
            assert (await lab.service.invoke(InvokeRequest("hello", b"{}"))).payload == b'{"hello": "world"}'
            longest = max(longest, time.monotonic() - called)
        assert json.loads(bomb.result().payload)["errorType"] in ("Runtime.ExitError", "Sandbox.Timedout")
        return longest, time.monotonic() - begun

    longest, lasted = lab.run(beside_it())
    assert longest < lasted / 2


def test_forks_that_share_their_memory_are_not_counted_twice(lab: Any) -> None:
    assert lab.call("attacks.fork_children", {"count": 20, "seconds": 0.3}, MemorySize=160, Timeout=20) == 20
