"""No process is left: after shutdown, after `kill -9` of the server, after the zygote is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.own_runtime import OWN_RUNTIME
from tests.waiting import is_running, still_running, until, wait_until

HANDLERS = Path(__file__).parents[1] / "handlers"
SERVER = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from trine.aws.arn import Place
    from trine.aws.ids import SystemIds
    from trine.aws.invoke import InvokeRequest
    from trine.awslambda.service import Service
    from trine.clock import SystemClock
    from trine.iam.access import Access
    from trine.trace import TraceBook

    async def main():
        clock, ids = SystemClock(), SystemIds()
        service = Service(clock, ids, Access(clock, ids), Place(), TraceBook(clock), Path(sys.argv[2]), "http://x")
        service.start()
        for handler in ("leave_children", "loop_for_ever"):
            service.deployment.put_function(
                {"FunctionName": handler, "Handler": "app." + handler, "Runtime": sys.argv[3], "Timeout": 60},
                Path(sys.argv[1]),
            )
        answer = await service.invoke(InvokeRequest("leave_children", b"{}"))
        asyncio.ensure_future(service.invoke(InvokeRequest("loop_for_ever", b"{}")))
        print(answer.payload.decode(), flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
    """
)


def descendants(pid: int) -> set[int]:
    """All process ids below `pid`."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                found |= {int(child)} | descendants(int(child))
    return found


def states(lab: Any, function: str) -> list[str]:
    """The states of a function's environments."""
    return [each["state"] for each in lab.service.registry.describe_environments(function)]


def test_kill_9_of_the_server_leaves_no_orphan(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(HANDLERS), str(tmp_path), OWN_RUNTIME]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        left = json.loads(server.stdout.readline())
        assert left["child"]
        # zygote, two supervisors, two workers, a child, a daemon
        family = wait_until(lambda: found if len(found := descendants(server.pid)) >= 7 else set(), "all of them")
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert still_running(family) == set()


def test_close_leaves_nothing(own_lab: Any) -> None:
    own_lab.call("app.leave_children")
    own_lab.put("app.loop_for_ever", "busy", Timeout=60)

    async def end() -> set[int]:
        running = asyncio.ensure_future(own_lab.send("busy"))
        await until(lambda: states(own_lab, "busy") == ["invoke"], "the invocation")
        zygote = own_lab.service.machinery.interpreters.own._popen.pid
        family = {zygote} | descendants(zygote)
        await own_lab.service.close(grace_seconds=0.1)
        running.cancel()
        return family

    family = own_lab.run(end())
    assert len(family) >= 4
    assert still_running(family) == set()
    assert not list((own_lab.state / "tmp").glob("*"))


def test_running_invocations_may_end_within_the_grace_time(own_lab: Any) -> None:
    own_lab.put("app.sleep", "graceful")

    async def end() -> Any:
        running = asyncio.ensure_future(own_lab.send("graceful", {"seconds": 0.3}))
        await until(lambda: states(own_lab, "graceful") == ["invoke"], "the invocation")
        await own_lab.service.close(grace_seconds=10)
        return await running

    assert own_lab.run(end()).function_error is None


def test_a_killed_zygote_is_replaced(own_lab: Any) -> None:
    own_lab.call("app.hello", name="before")
    zygote = own_lab.service.machinery.interpreters.own._popen
    os.kill(zygote.pid, signal.SIGKILL)
    assert own_lab.call("app.hello", name="after") == {"hello": "world"}
    assert own_lab.call("app.hello", name="before") == {"hello": "world"}
    assert own_lab.service.machinery.interpreters.own._popen.pid != zygote.pid


def test_a_stopped_supervisor_is_killed_with_all_it_owns(own_lab: Any) -> None:
    own_lab.put("app.loop_for_ever", "stopped", Timeout=1)

    async def stop() -> Any:
        running = asyncio.ensure_future(own_lab.send("stopped"))
        await until(lambda: states(own_lab, "stopped") == ["invoke"], "the invocation")
        (environment,) = own_lab.service.registry.get("stopped").pool.environments
        supervisor = environment._process.pid
        family = descendants(supervisor) | {supervisor}
        os.kill(supervisor, signal.SIGSTOP)
        answer = await running
        await until(lambda: not any(is_running(pid) for pid in family), "the kernel to end them all")
        return answer

    answer = own_lab.run(stop())
    assert b"Sandbox.Timedout" in answer.payload
    own_lab.run(until(lambda: own_lab.service.registry.describe_environments("stopped") == [], "its end"))
