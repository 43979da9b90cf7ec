"""The Node.js client: modules of both kinds, handlers of both kinds, errors and log lines as AWS's client has them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

CODE = Path(__file__).parents[1] / "handlers" / "node"
NODE = {"code": CODE, "Runtime": "nodejs20.x", "Timeout": 10}


def test_async_handlers_and_warm_state(lab: Any) -> None:
    assert lab.call("app.hello", {"name": "Ada"}, name="n-hello", **NODE) == {"hello": "Ada"}
    assert [lab.call("app.count", name="n-count", **NODE), json.loads(lab.invoke("n-count").payload)] == [1, 2]


def test_large_and_strange_events(lab: Any) -> None:
    event = {"pad": "é" * 1_000_000, "text": "🦆\u2028"}
    assert lab.call("app.echo", event, name="n-echo", **NODE) == event


@pytest.mark.parametrize(
    ("handler", "result"),
    [
        ("callback", {"by": "callback"}),
        ("callbackWaits", "early"),
        ("callbackHurries", "now"),
        ("succeed", "old style"),
        ("callbackTwice", 1),
        ("throwsNothing", None),
        ("nothing", None),
        ("nested.inner.handler", "nested"),
        ("streamed", "part 0\"part 1\"part 2"),
    ],
)  # fmt: skip
def test_handlers_of_every_kind(lab: Any, handler: str, result: Any) -> None:
    name = "n-" + handler.replace(".", "-")
    lab.put(f"app.{handler}", name, **NODE)
    payload = lab.invoke(name).payload.decode()
    if handler == "streamed":
        assert payload == '"part 0"part 1"part 2"'
    else:
        assert json.loads(payload) == result
    assert lab.invoke(name).payload.decode() == payload
    assert len(lab.service.registry.describe_environments(name)) == 1


def test_a_callback_waits_until_the_event_loop_is_empty(lab: Any) -> None:
    lab.call("app.callbackWaits", name="n-waits", **NODE)
    assert "late work done" in lab.log("n-waits")


def test_an_es_module(lab: Any) -> None:
    assert lab.call("module.handler", name="n-module", **NODE) == "hello from a module"


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("app.throws", "RangeError", "röng"),
        ("app.throwsText", "string", "just text"),
        ("app.throwsSync", "Error", "sync"),
        ("app.callbackError", "TypeError", "called back"),
        ("app.rejectsElsewhere", "Runtime.UnhandledPromiseRejection", "Error: nobody listens"),
        ("app.rejectsNothing", "string", "handled"),
        ("app.unreadable", "TypeError", "Cannot convert object to primitive value"),
        ("app.uncaught", "Error", "from a timer"),
        ("app.circular", "Error", "Unable to stringify response body"),
        ("app.absent", "Runtime.HandlerNotFound", "app.absent is undefined or not exported"),
        ("app.notAFunction", "Runtime.HandlerNotFound", "app.notAFunction is not a function"),
        ("app.hidden", "Runtime.HandlerNotFound", "app.hidden is undefined or not exported"),
        ("app.setsTypeLate", "Runtime.InvalidStreamingOperation", "Cannot set content-type, too late."),
        ("nodot", "Runtime.MalformedHandlerName", "Bad handler"),
    ],
)
def test_errors(lab: Any, handler: str, error_type: str, message: str) -> None:
    error = lab.error(handler, name="n-" + handler.replace(".", "-"), **NODE)
    assert (error["errorType"], error["errorMessage"]) == (error_type, message)
    assert isinstance(error["trace"], list)


def test_who_calls_after_an_uncaught_error_is_not_hurt(lab: Any) -> None:
    """The handler goes on for a while and answers: that must not bring the next event to a process that is ending."""
    lab.put("app.rejectsAndAnswers", "n-goes-on", **NODE)
    for _ in range(3):
        error = json.loads(lab.invoke("n-goes-on").payload)
        assert (error["errorType"], error["errorMessage"]) == ("Runtime.UnhandledPromiseRejection", "Error: lost")


def test_an_answer_counts_that_came_before_the_error_that_ends_the_process(lab: Any) -> None:
    """And the next caller gets another process: this one has not asked for an event."""
    lab.put("app.rejectsAndReturns", "n-returns", **NODE)
    assert [json.loads(lab.invoke("n-returns").payload) for _ in range(3)] == ["answered"] * 3
    assert lab.log("n-returns").count("Runtime.UnhandledPromiseRejection") >= 2


def test_streams_take_values_and_wait_for_their_handler(lab: Any) -> None:
    lab.put("app.streamsValues", "n-values", **NODE)
    assert lab.invoke("n-values").payload == b'{"a":1}5'
    # It is said when the handler returns, which may be after the stream that it ended has gone out.
    lab.run(until(lambda: "Streaming handlers ignore return values." in lab.log("n-values"), "the warning"))
    lab.put("app.streamsAndGoesOn", "n-goes-on-streaming", **NODE)
    assert [lab.invoke("n-goes-on-streaming").payload for _ in range(3)] == [b"began with 0 others"] * 3


def test_a_stream_that_nobody_ends_runs_into_the_timeout(lab: Any) -> None:
    error = lab.error("app.neverEnds", name="n-never-ends", **{**NODE, "Timeout": 1})
    assert error["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("streamsAndRejects", "Runtime.UnhandledPromiseRejection", "Error: midway"),
        ("rejectsAndStreams", "Runtime.UnhandledPromiseRejection", "Error: before"),
        ("streamsNothing", "string", "handled"),
    ],
)
def test_a_stream_ends_with_the_error_that_ends_it(lab: Any, handler: str, error_type: str, message: str) -> None:
    name = f"n-{handler}"
    lab.put(f"app.{handler}", name, **NODE)
    for _ in range(2):
        error = json.loads(lab.invoke(name).payload)
        assert (error["errorType"], error["errorMessage"]) == (error_type, message)


def test_the_log_shows_what_an_error_carries(lab: Any) -> None:
    lab.error("app.carries", name="n-carries", **NODE)
    line = next(line for line in lab.log("n-carries").splitlines() if "Invoke Error" in line)
    shown = json.loads(line.rpartition("\t")[2])
    assert (shown["errorMessage"], shown["code"], shown["inner"]["errorMessage"]) == ("outer", "E1", "inner")


def test_modules_that_do_not_load(lab: Any, tmp_path: Path) -> None:
    error = lab.error("missing.handler", name="n-missing", **NODE)
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"].startswith("Error: Cannot find module 'a-module-that-is-not-there'")
    error = lab.error("nowhere.handler", name="n-nowhere", **NODE)
    assert error["errorType"] == "Runtime.ImportModuleError"
    (tmp_path / "bad.js").write_text("exports.handler = async ( => 1;\n")
    error = lab.error("bad.handler", name="n-bad", code=tmp_path, Runtime="nodejs20.x")
    assert error["errorType"] == "Runtime.UserCodeSyntaxError"


def test_ends_and_timeouts(lab: Any) -> None:
    error = lab.error("app.exit", name="n-exit", **NODE)
    assert error["errorMessage"].endswith("Error: Runtime exited with error: exit status 9")
    error = lab.error("app.loop", name="n-loop", **{**NODE, "Timeout": 1})
    assert error["errorType"] == "Sandbox.Timedout"


def test_log_lines(lab: Any) -> None:
    lab.put("app.logs", "n-logs", **NODE)
    response = lab.invoke("n-logs", tail_log=True)
    tail = response.log_tail.decode()
    stamp = rf"\d{{4}}-\d\d-\d\dT[\d:.]+Z\t{response.request_id}"
    assert re.search(rf"^{stamp}\tINFO\ttwo\nlines ünïcode$", tail, re.MULTILINE)
    assert re.search(rf"^{stamp}\tERROR\tan error$", tail, re.MULTILINE)
    assert re.search(rf"^{stamp}\tWARN\t\{{ a: 1 \}}$", tail, re.MULTILINE)


def test_the_context(lab: Any) -> None:
    context = lab.call("app.context", name="n-context", MemorySize=256, **NODE)
    assert context["functionName"] == "n-context"
    assert context["memoryLimitInMB"] == "256"
    assert context["callbackWaitsForEmptyEventLoop"] is True
    assert 8000 < context["remaining"] <= 10_000
    assert context["env"]["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x"
    assert "_TRINE_RUNTIME_FD" not in context["env"]


def test_console_and_context_have_what_awss_client_gives_them(lab: Any) -> None:
    assert lab.call("app.fatal", name="n-fatal", **NODE) is True
    assert re.search(r"\tFATAL\tthe end of it\n.*\tINFO\tundefined\n", lab.log("n-fatal"))


@pytest.mark.parametrize(
    ("file", "text", "error_type", "message"),
    [
        ("a.mjs", "import 'nowhere-to-be-found'", "Error", "Cannot find package 'nowhere-to-be-found' imported from "),
        ("a.mjs", "await new Promise(() => {})", "Runtime.ExitError", "exit status 13"),
        ("a.mjs", "await Promise.reject(new TypeError('top'))", "TypeError", "top"),
        ("a.js", "Promise.reject(new Error('early'))", "Runtime.UnhandledPromiseRejection", "Error: early"),
        ("a.js", "require('./b')", "Runtime.ImportModuleError", "a.js\n- /var/runtime/index.mjs"),
        ("a.js", "throw 'text'", "string", "text"),
        ("a.js", "{", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input"),
    ],
)
def test_modules_that_end_badly(lab: Any, tmp_path: Path, file: str, text: str, error_type: str, message: str) -> None:
    module = "export const handler" if file.endswith(".mjs") else "exports.handler"
    (tmp_path / file).write_text(f"{module} = async () => 1;\n{text}\n")
    error = lab.error("a.handler", name="n-ends-badly", **{**NODE, "code": tmp_path})
    assert error["errorType"] == error_type
    assert message in error["errorMessage"]


def test_a_folder_with_an_index_is_a_module(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.js").write_text("exports.handler = async () => 'index';")
    assert lab.call("folder.handler", name="n-folder", **{**NODE, "code": tmp_path}) == "index"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("exports.handler = () => 'returned'", "returned"),
        ("exports.handler = async (event, context) => Object.keys(context).includes('succeed')", False),
        ("exports.handler = async () => { setInterval(() => {}, 1000); return 'not waited for'; }", "not waited for"),
        ("exports.default = { handler: async () => 'in default' }", "in default"),
        ("exports.handler = () => { throw new TypeError('sync'); }", ("TypeError", "sync")),
        ("exports.handler = async () => { throw null; }", ("string", "handled")),
        ("exports.handler = (event, context, callback) => callback(null, 1)",
         ("Runtime.CallbackHandlerDeprecated", "ERROR: AWS Lambda has removed support for callback-based")),
    ],
)  # fmt: skip
def test_from_node_24_on_there_are_no_callbacks(lab: Any, tmp_path: Path, text: str, answer: Any) -> None:
    """The client is asked to be that of a newer runtime; which Node.js runs it does not matter for what it does."""
    (tmp_path / "a.js").write_text(text)
    lab.put("a.handler", "n-24", **{**NODE, "code": tmp_path, "Runtime": "nodejs24.x"})
    found = json.loads(lab.invoke("n-24").payload)
    if isinstance(answer, tuple):
        assert found["errorType"] == answer[0]
        assert found["errorMessage"].startswith(answer[1])
    else:
        assert found == answer
