"""Handlers that misbehave: the caller gets AWS's error, the owner a log line, others are unhurt, no process is left."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.own_runtime import OWN_RUNTIME
from tests.waiting import still_running, until
from trine.awslambda.environments.memory import descendants

HANDLERS = Path(__file__).parent / "handlers"
NODE = {"code": HANDLERS / "node", "Runtime": "nodejs20.x"}
EXITED = "RequestId: {id} Error: Runtime exited with error: {how}"


def scene(lab: Any, handler: str, event: Any, properties: dict[str, Any]) -> tuple[Any, str, str | None]:
    """(the answer, its log, the function error); afterwards a neighbour is called and the function deleted."""
    name = f"{'n-' if properties.get('Runtime') else ''}{handler.replace('.', '-')}-bad"
    lab.put(handler, name, **properties)
    response = lab.invoke(name, event, tail_log=True)
    assert lab.call("app.hello", name="neighbour") == {"hello": "world"}
    lab.run(lab.service.deployment.delete_function(name))
    answer = json.loads(response.payload)
    if isinstance(answer, dict) and "errorMessage" in answer:
        answer["errorMessage"] = answer["errorMessage"].replace(response.request_id, "{id}")
    return answer, response.log_tail.decode(errors="replace"), response.function_error


@pytest.mark.parametrize(
    ("handler", "event", "how"),
    [
        ("bad.interrupt_self", {"signal": "SIGTERM"}, "signal: terminated"),
        ("bad.interrupt_self", {"signal": "SIGABRT"}, "signal: aborted"),
        ("bad.interrupt_self", {"signal": "SIGHUP"}, "signal: hangup"),
        ("bad.crash", {}, "signal: segmentation fault"),
        ("bad.close_everything", {}, None),
        ("bad.close_link", {}, None),
        ("bad.raise_strange", {}, "exit status 1"),
        ("bad.interrupt", {}, "signal: interrupt"),
    ],
)
def test_processes_that_end(lab: Any, handler: str, event: Any, how: str | None) -> None:
    answer, log, fault = scene(lab, handler, event, {"Timeout": 10})
    assert (fault, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert how is None or answer["errorMessage"] == EXITED.replace("{how}", how)
    assert "Status: error\tError Type: Runtime.ExitError" in log


@pytest.mark.parametrize(
    ("handler", "event"),
    [("bad.stop_self", {}), ("bad.babble_on_link", {}), ("bad.flood_for_ever", {}), ("app.loop_for_ever", {})],
)
def test_handlers_that_never_answer(lab: Any, handler: str, event: Any) -> None:
    answer, log, fault = scene(lab, handler, event, {"Timeout": 1})
    assert fault == "Unhandled"
    assert answer["errorType"] in ("Sandbox.Timedout", "Runtime.ExitError")
    assert "Status: timeout" in log or "Status: error" in log


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("bad.unserializable", "Runtime.MarshalError"),
        ("bad.deep", "Runtime.MarshalError"),
        ("bad.generate", "Runtime.MarshalError"),
        ("bad.coroutine", "Runtime.MarshalError"),
        ("bad.break_streams", "ValueError"),
        ("bad.capture_streams", "ValueError"),
        ("app.leave", "Runtime.ExitError"),
        ("app.exit_politely", "Runtime.ExitError"),
    ],
)
def test_results_that_are_none(lab: Any, handler: str, error_type: str) -> None:
    answer, log, fault = scene(lab, handler, {}, {"Timeout": 10})
    assert (fault, answer["errorType"]) == ("Unhandled", error_type)
    assert error_type in log


@pytest.mark.parametrize(
    ("handler", "event", "answer"),
    [
        ("bad.flood_without_newline", {}, "done"),
        ("bad.binary_noise", {}, "done"),
        ("bad.raise_limits", {}, "refused"),
        ("bad.leave_thread_that_speaks", {}, "done"),
        ("bad.spawn_forever", {}, "done"),
        ("bad.fail_later", {}, "done"),
        ("bad.daemonize", {}, "done"),
        ("app.close_streams", {}, "closed"),
    ],
)
def test_what_is_borne(lab: Any, handler: str, event: Any, answer: Any) -> None:
    got, log, fault = scene(lab, handler, event, {"Timeout": 10})
    assert (got, fault) == (answer, None)
    assert "REPORT RequestId" in log


def test_a_lone_surrogate_is_an_answer_of_older_pythons_only(lab: Any) -> None:
    """From python3.12 on AWS's client writes UTF-8 instead of escapes, which has no surrogates."""
    got, _, fault = scene(lab, "bad.not_text", {}, {"Timeout": 10})
    if sys.version_info < (3, 12):
        assert (got, fault) == ("\ud800", None)
    else:
        assert (got["errorType"], fault) == ("Runtime.MarshalError", "Unhandled")


def test_signals_to_the_parent_hurt_nobody_else(lab: Any) -> None:
    for handler, name, properties in (
        ("bad.interrupt_parent", "p-parent", {}),
        ("bad.killParent", "n-parent", NODE),
    ):
        lab.put(handler, name, Timeout=10, **properties)
        response = lab.invoke(name, {"signal": "SIGTERM"})
        assert response.status == 200
        if lab.layers.landlock >= 6:
            assert json.loads(response.payload) == "refused"
        assert lab.call("app.hello", name="neighbour") == {"hello": "world"}


def test_memory_counts_however_it_is_taken(lab: Any) -> None:
    answer, log, fault = scene(lab, "bad.map_memory", {}, {"MemorySize": 256})
    assert (fault, answer["errorType"]) == ("Unhandled", "Runtime.OutOfMemory")
    assert "Runtime.OutOfMemory" in log


def test_tmp_is_as_large_as_it_is_said_to_be(lab: Any) -> None:
    if not lab.layers.namespaces:
        pytest.skip("no /tmp of its own here")
    answer, _, fault = scene(lab, "bad.fill_tmp", {}, {"MemorySize": 3008})
    assert (fault, answer[0]) == (None, "No space left on device")
    assert 500 <= answer[1] <= 512


def test_a_runtime_whose_own_tools_were_replaced_still_ends_as_an_error(lab: Any) -> None:
    _, log, fault = scene(lab, "bad.replace_hooks", {}, {})
    assert fault == "Unhandled"
    assert "Status: error" in log or "[ERROR] ValueError: hooked" in log


def test_descriptors_are_limited(lab: Any) -> None:
    got, _, _ = scene(lab, "bad.open_files", {}, {"Timeout": 10})
    assert 900 < got < 1024


def test_a_second_answer_and_an_answer_for_somebody_else_are_refused(lab: Any) -> None:
    lab.put("bad.answer_twice", "twice", Timeout=3)
    assert [json.loads(lab.invoke("twice").payload), lab.invoke("twice").status] == ["first", 200]
    assert lab.call("app.hello", name="neighbour") == {"hello": "world"}
    lab.put("bad.answer_another", "another", Timeout=3)
    first = lab.invoke("another", {"id": "00000000-0000-4000-8000-000000000000"})
    assert json.loads(first.payload) == "mine" or first.function_error == "Unhandled"
    assert json.loads(lab.invoke("another", {"id": first.request_id}).payload) != "stolen"


def test_neither_environ_nor_memory_of_a_neighbour_can_be_read(lab: Any) -> None:
    lab.put("app.count", "keeper", Environment={"Variables": {"SECRET": "s3cr3t-of-the-keeper"}})
    lab.invoke("keeper")
    lab.put("app.hello", "n-keeper", **NODE, Timeout=10, Environment={"Variables": {"SECRET": "s3cr3t-of-the-keeper"}})
    lab.invoke("n-keeper")
    if lab.layers.namespaces or lab.layers.landlock:
        assert lab.call("bad.environs", {"secret": "s3cr3t-of-the-keeper"}) == []


def test_the_runtime_api_of_a_neighbour_does_not_answer_strangers(lab: Any, tmp_path: Path) -> None:
    script = "#!/bin/sh\necho $AWS_LAMBDA_RUNTIME_API >&2\nexec sleep 60\n"
    (tmp_path / "bootstrap").write_text(script)
    (tmp_path / "bootstrap").chmod(0o755)
    lab.put("x.y", "quiet", tmp_path, Runtime="provided.al2023", Timeout=8)

    async def both() -> tuple[Any, Any]:
        import asyncio

        waiting = asyncio.ensure_future(lab.send("quiet"))
        await until(lambda: "127.0.0.1:" in lab.log("quiet"), "the address of the Runtime API")
        said = lab.log("quiet")
        port = int(said.partition("127.0.0.1:")[2].split()[0])
        lab.service.deployment.put_function(
            {
                "FunctionName": "knocker",
                "Handler": "bad.knock",
                "Runtime": OWN_RUNTIME,
                "Role": lab.role,
                "Timeout": 8,
            },
            Path(__file__).parent / "handlers",
        )
        heard = await lab.send("knocker", {"ports": [port]})
        waiting.cancel()
        return json.loads(heard.payload), None

    heard, _ = lab.run(both())
    assert heard in ([""], ["ConnectionResetError"], ["TimeoutError"])
    lab.run(lab.service.deployment.delete_function("quiet"))


@pytest.mark.parametrize(
    ("handler", "event", "error_type"),
    [
        ("bad.bigint", {}, "Error"),
        ("bad.large", {"size": 7_000_000}, "Function.ResponseSizeTooLarge"),
        ("bad.allocate", {}, "Runtime.OutOfMemory"),
        ("bad.kill", {"signal": "SIGKILL"}, "Runtime.ExitError"),
        ("bad.kill", {"signal": "SIGTERM"}, "Runtime.ExitError"),
        ("bad.abort", {}, "Runtime.ExitError"),
        ("bad.recurse", {}, "RangeError"),
        ("bad.throwsNothing", {}, "string"),
        ("bad.closeLink", {}, "Runtime.ExitError"),
        ("app.exit", {}, "Runtime.ExitError"),
        ("app.uncaught", {}, "Error"),
    ],
)
def test_node_handlers_that_fail(lab: Any, handler: str, event: Any, error_type: str) -> None:
    answer, log, fault = scene(lab, handler, event, {**NODE, "Timeout": 15})
    assert (fault, answer["errorType"]) == ("Unhandled", error_type)
    assert "REPORT RequestId" in log


@pytest.mark.parametrize(
    ("handler", "event", "answer"),
    [
        ("bad.closeOutput", {}, "closed"),
        ("bad.flood", {"lines": 20_000}, "done"),
        ("bad.leaveChildren", {}, "done"),
        ("bad.emptyLoop", {}, None),
    ],
)
def test_what_is_borne_of_node_handlers(lab: Any, handler: str, event: Any, answer: Any) -> None:
    got, _, fault = scene(lab, handler, event, {**NODE, "Timeout": 15})
    assert (got, fault) == (answer, None)


def test_no_process_is_left_by_any_of_them(own_lab: Any) -> None:
    zygote = own_lab.service.machinery.interpreters.own._popen.pid
    family: set[int] = set()
    for handler in ("bad.spawn_forever", "bad.leave_thread_that_speaks", "app.leave_children", "bad.crash"):
        own_lab.put(handler, handler.replace(".", "-"), Timeout=5)
        own_lab.invoke(handler.replace(".", "-"))
        family |= set(descendants(zygote))
    assert len(family) > 8
    for function in own_lab.service.deployment.functions():
        own_lab.run(own_lab.service.deployment.delete_function(function.name))
    assert still_running(family) == set()
