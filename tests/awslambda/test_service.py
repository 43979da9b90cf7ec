"""Functions run as on AWS: answers, context, environment, errors, timeouts, logs; with real processes."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.own_runtime import OWN_RUNTIME
from tests.waiting import until
from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeRequest, ServiceCaller
from trine.awslambda import limits
from trine.awslambda.environments.memory import descendants
from trine.awslambda.errors import ResourceNotFound, TooManyRequests
from trine.awslambda.runtimes.runtime import TASK


def test_a_handler_gets_the_event_and_its_result_comes_back(lab: Any) -> None:
    assert lab.call("app.hello", {"name": "Ada"}) == {"hello": "Ada"}


def test_unicode_and_numbers_survive_both_ways(lab: Any) -> None:
    event = {"text": "żółć 🦆 \u2028", "int": 2**70, "float": 0.1, "none": None, "list": [True, [], {}]}
    assert lab.call("app.echo", event) == event


def test_globals_stay_in_a_warm_environment(lab: Any) -> None:
    lab.put("app.count", "warm")
    assert [json.loads(lab.invoke("warm").payload) for _ in range(3)] == [1, 2, 3]


def test_a_new_configuration_starts_fresh_environments(lab: Any) -> None:
    lab.put("app.count", "fresh")
    lab.invoke("fresh")
    lab.put("app.count", "fresh", Timeout=7)
    assert json.loads(lab.invoke("fresh").payload) == 1


def test_x_ray_gets_a_whole_header_where_tracing_is_active(lab: Any) -> None:
    for mode, wanted in (("Active", r"Root=1-a-b;Parent=[0-9a-f]{16};Sampled=0"), ("PassThrough", "Root=1-a-b")):
        lab.put("app.describe_context", f"traced-{mode}", TracingConfig={"Mode": mode})
        context = json.loads(lab.invoke(f"traced-{mode}", trace_header="Root=1-a-b").payload)
        assert re.fullmatch(wanted, context["trace"])


def test_the_context_is_complete(lab: Any) -> None:
    function = lab.put("app.describe_context", "context", Timeout=9, MemorySize=256)
    client = base64.b64encode(json.dumps({"custom": {"a": "ü\n"}}, indent=1).encode()).decode()
    response = lab.invoke("context", client_context=client, trace_header="Root=1-a-b;Sampled=1")
    context = json.loads(response.payload)
    assert context["function_name"] == "context"
    assert context["function_version"] == "$LATEST"
    assert context["invoked_function_arn"] == function.arn
    assert context["memory_limit_in_mb"] == "256"
    assert context["aws_request_id"] == response.request_id
    assert context["log_group_name"] == "/aws/lambda/context"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context["log_stream_name"])
    assert context["identity"] is None
    assert context["custom"] == {"a": "ü\n"}
    assert 8000 < context["remaining"] <= 9000
    assert context["trace"] == "Root=1-a-b;Sampled=1"
    assert context["cwd"] == (TASK if lab.layers.namespaces else str(function.code_directory))


def test_the_environment_holds_the_roles_credentials_and_nothing_of_the_server(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    env = lab.call("app.variables", Environment={"Variables": {"TABLE": "T", "COUNT": 3}})
    assert env["TABLE"] == "T"
    assert env["COUNT"] == "3"
    assert env["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert env["AWS_SECRET_ACCESS_KEY"]
    assert env["AWS_SESSION_TOKEN"]
    assert env["AWS_ENDPOINT_URL"] == lab.service.machinery.starter.endpoint_url
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-east-1"
    assert env["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{OWN_RUNTIME}"
    assert env["_HANDLER"] == "app.variables"
    assert env["TZ"] == ":UTC"
    assert env["AWS_SAM_LOCAL"] == "true"
    assert env["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert "SECRET_OF_THE_SERVER" not in env
    assert "HOME" not in env


def test_only_the_link_and_the_streams_are_open_in_a_function(lab: Any) -> None:
    assert set(lab.call("app.descriptors")) <= {"0", "1", "2", "3", "4"}


def test_an_exception_becomes_awss_error_value_and_log_line(lab: Any) -> None:
    error = lab.error("app.fail", {"what": "x"})
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "wröng: x"
    assert len(error["stackTrace"]) == 2
    assert error["stackTrace"][0].startswith('  File "')
    assert "in fail\n" in error["stackTrace"][0]
    assert "in inner\n" in error["stackTrace"][1]
    assert "[ERROR] ValueError: wröng: x\nTraceback (most recent call last):\n" in lab.log("app-fail")


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("broken_import.handler", "Runtime.ImportModuleError",
         "Unable to import module 'broken_import': No module named 'a_module_that_is_not_there'"),
        ("missing.handler", "Runtime.ImportModuleError",
         "Unable to import module 'missing': No module named 'missing'"),
        ("app.absent", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'app'"),
        ("nodot", "Runtime.MalformedHandlerName",
         "Bad handler 'nodot': not enough values to unpack (expected 2, got 1)"),
        ("sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("broken_init.handler", "RuntimeError", "init went wrong"),
    ],
)  # fmt: skip
def test_a_fault_at_import_names_itself(lab: Any, handler: str, error_type: str, message: str) -> None:
    error = lab.error(handler)
    assert (error["errorType"], error["errorMessage"]) == (error_type, message)


def test_a_syntax_error_names_its_line(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "broken_syntax.py").write_text("def handler(event, context)\n    return 1\n")
    error = lab.error("broken_syntax.handler", code=tmp_path)
    assert error["errorType"] == "Runtime.UserCodeSyntaxError"
    assert error["errorMessage"].startswith("Syntax error in module 'broken_syntax': expected ':' (broken_syntax.py")
    assert "Line 1" in error["stackTrace"][0]


def test_an_init_that_fails_is_run_once_more_and_reported_twice(lab: Any) -> None:
    lab.put("broken_init.handler", "twice")
    lab.invoke("twice")
    log = lab.log("twice")
    assert log.count("in init\n") == 2
    assert re.search(r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: RuntimeError", log)
    assert "Phase: invoke\tStatus: error" in log


def test_an_exit_during_import_is_an_exit_error(lab: Any) -> None:
    lab.put("exits_at_import.handler", "early-exit")
    response = lab.invoke("early-exit")
    assert json.loads(response.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {response.request_id} Error: Runtime exited with error: exit status 7",
    }


@pytest.mark.parametrize(
    ("handler", "event", "how"),
    [
        ("app.leave", {}, "with error: exit status 3"),
        ("app.exit_politely", {"status": 1}, "with error: exit status 1"),
        ("app.exit_politely", {"status": 0}, "without providing a reason"),
        ("app.kill_self", {}, "with error: signal: killed"),
        ("app.kill_group", {}, "with error: signal: killed"),
    ],
)
def test_a_process_that_ends_is_an_exit_error_and_the_next_call_works(
    lab: Any, handler: str, event: dict[str, Any], how: str
) -> None:
    lab.put(handler, "ending")
    response = lab.invoke("ending", event)
    assert json.loads(response.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {response.request_id} Error: Runtime exited {how}",
    }
    assert lab.call("app.hello") == {"hello": "world"}


def test_killing_the_parent_hurts_nobody_else(lab: Any) -> None:
    # In process ids of its own, a function's parent cannot be killed by it; elsewhere it dies with its parent.
    error = lab.error("app.kill_parent", Timeout=1)
    assert error["errorType"] in ("Sandbox.Timedout", "Runtime.ExitError", "PermissionError")
    assert lab.call("app.hello") == {"hello": "world"}


def test_the_timeout_kills(lab: Any) -> None:
    lab.put("app.loop_for_ever", "endless", Timeout=1)
    response = lab.invoke("endless", tail_log=True)
    error = json.loads(response.payload)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"] == f"RequestId: {response.request_id} Error: Task timed out after 1.00 seconds"
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    line = rf"^{moment} {response.request_id} Task timed out after 1\.00 seconds$"
    assert re.search(line, (response.log_tail or b"").decode(), re.MULTILINE)
    assert b"Status: timeout" in (response.log_tail or b"")


def test_results_that_json_cannot_hold(lab: Any) -> None:
    error = lab.error("app.datetimes")
    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == "Unable to marshal response: Object of type datetime is not JSON serializable"


def test_decimals_come_out_as_numbers_as_awslambdaric_writes_them(lab: Any) -> None:
    lab.put("app.decimals")
    assert lab.invoke("app-decimals").payload == b'{"price": 12.340, "big": 1E+3, "list": [7]}'


def test_bytes_are_passed_as_they_are(lab: Any) -> None:
    assert lab.call("app.bytes_answer") == {"raw": True}


def test_large_answers(lab: Any) -> None:
    assert len(lab.call("app.large", {"size": 6_000_000})) == 6_000_000
    error = lab.error("app.large", {"size": 6_291_557})
    assert error == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    error = lab.error("app.large", {"size": 30_000_000}, MemorySize=512)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert lab.call("app.large", {"size": 3}) == "xxx"


def test_large_events(lab: Any) -> None:
    event = {"pad": "x" * 6_000_000}
    assert lab.call("app.echo", event) == event
    with pytest.raises(AwsError) as refused:
        lab.invoke("app-echo", {"pad": "x" * 6_291_456})
    assert (refused.value.code, refused.value.status) == ("RequestTooLargeException", 413)


def test_lines_of_the_log(lab: Any) -> None:
    lab.put("app.write_lines", "lines")
    response = lab.invoke("lines", tail_log=True)
    tail = (response.log_tail or b"").decode()
    request_id = response.request_id
    lines = tail.splitlines()
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert "plain line ünïcode" in lines
    assert re.search(rf"^\[WARNING\]\t\d{{4}}-\d\d-\d\dT[\d:.]+Z\t{request_id}\tcareful now$", tail, re.MULTILINE)
    assert "not shown" not in tail
    assert "to stderr" in lines
    assert lines[-3] == "no newline at the end"
    assert lines[-2] == f"END RequestId: {request_id}"
    assert re.fullmatch(
        rf"REPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t",
        lines[-1],
    )
    again = lab.invoke("lines", tail_log=True)
    assert b"Init Duration" not in (again.log_tail or b"")


def test_a_flood_is_cut_off_and_the_function_still_answers(lab: Any) -> None:
    assert lab.call("app.flood", {"lines": 20_000}, Timeout=20) == "done"
    kept = list(lab.service.registry.log("app-flood").events())
    assert sum(len(event.message) for event in kept) < 9_000_000
    assert any("further output of this invocation was dropped" in event.message for event in kept)


def test_closed_streams_do_not_hurt(lab: Any) -> None:
    assert lab.call("app.close_streams") == "closed"


def test_each_environment_has_temporary_files_of_its_own(lab: Any) -> None:
    first = lab.call("app.files", name="files")
    again = json.loads(lab.invoke("files").payload)
    assert (first["existed"], again["existed"]) == (False, True)
    lab.put("app.files", "files", Timeout=5)
    other = json.loads(lab.invoke("files").payload)
    assert other["existed"] is False


def test_one_invocation_at_a_time_and_environments_grow_with_concurrency(lab: Any) -> None:
    lab.put("app.sleep", "grow")

    async def many() -> list[str]:
        responses = await asyncio.gather(*(lab.send("grow", {"seconds": 0.4}) for _ in range(6)))
        return [json.loads(response.payload) for response in responses]

    assert len(set(lab.run(many()))) == 6
    assert len(lab.service.registry.describe_environments("grow")) == 6
    assert len(set(lab.run(many()))) == 6
    assert len(lab.service.registry.describe_environments("grow")) == 6


def test_two_hundred_at_once_while_some_loop_and_some_exit(lab: Any) -> None:
    lab.put("app.hello", "storm-hello", Timeout=10)
    lab.put("app.loop_for_ever", "storm-loop", Timeout=1)
    lab.put("app.leave", "storm-leave")

    async def storm() -> list[Any]:
        names = ["storm-hello"] * 192 + ["storm-loop"] * 4 + ["storm-leave"] * 4
        return await asyncio.gather(*(lab.send(name) for name in names))

    answers = lab.run(storm())
    assert all(answer.function_error is None for answer in answers[:192])
    assert all(b"Sandbox.Timedout" in answer.payload for answer in answers[192:196])
    assert all(b"Runtime.ExitError" in answer.payload for answer in answers[196:])


def test_a_caller_that_goes_away_does_not_break_the_environment(lab: Any) -> None:
    lab.put("app.sleep", "gone")

    async def leave_early() -> None:
        answer = lab.service.invoke(InvokeRequest("gone", b'{"seconds": 0.2}'))
        await asyncio.sleep(0.05)
        answer.cancel()

    lab.run(leave_early())
    registry = lab.service.registry
    lab.run(until(lambda: [e["state"] for e in registry.describe_environments("gone")] == ["idle"], "idle"))
    lab.invoke("gone", {"seconds": 0})
    assert len(lab.service.registry.describe_environments("gone")) == 1
    assert lab.service.concurrency.running("gone") == 0


def test_reserved_concurrency_throttles_with_its_reason(lab: Any) -> None:
    lab.put("app.hello", "stopped", ReservedConcurrentExecutions=0)
    with pytest.raises(TooManyRequests) as refused:
        lab.invoke("stopped")
    assert refused.value.status == 429
    assert refused.value.members["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    lab.run(lab.service.deployment.reserve_concurrency("stopped", None))
    assert lab.invoke("stopped").function_error is None


def test_event_and_dry_run(lab: Any) -> None:
    lab.put("app.hello", "some-later")
    assert lab.invoke("some-later", invocation_type="Event").status == 202
    assert lab.invoke("some-later", invocation_type="DryRun").status == 204


@pytest.mark.parametrize("name", ["nobody", "arn:aws:lambda:us-east-1:123456789012:function:nobody", "::", "x:y:z:w"])
def test_unknown_functions(lab: Any, name: str) -> None:
    with pytest.raises(ResourceNotFound):
        lab.invoke(name)


@pytest.mark.parametrize(
    "name",
    [
        "spelled",
        "spelled:$LATEST",
        "123456789012:function:spelled",
        "arn:aws:lambda:us-east-1:123456789012:function:spelled",
    ],
)
def test_every_form_of_a_name(lab: Any, name: str) -> None:
    lab.put("app.hello", "spelled")
    assert lab.invoke(name).status == 200


def test_a_service_needs_the_functions_permission(lab: Any) -> None:
    source = "arn:aws:execute-api:us-east-1:123456789012:api/*/*/*"
    lab.put(
        "app.hello",
        "permitted",
        permissions=[
            {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": source},
        ],
    )
    allowed = ServiceCaller(
        "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/s/GET/x", "123456789012"
    )
    other = ServiceCaller(
        "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:other/s/GET/x", "123456789012"
    )
    assert lab.invoke("permitted", caller=allowed).status == 200
    assert lab.invoke("permitted", caller=allowed).status == 200
    with pytest.raises(AwsError) as refused:
        lab.invoke("permitted", caller=other)
    assert (refused.value.code, refused.value.status) == ("AccessDeniedException", 403)


def test_the_trace_tells_the_rooms_and_links_to_its_cause(lab: Any) -> None:
    lab.put("app.fail", "traced")
    cause = lab.traces.open("front", "cause")
    response = lab.invoke("traced", trace=cause)
    trace = lab.traces.find(response.request_id)
    assert trace is not None
    assert trace.parent is cause
    assert trace.refusal is not None
    assert trace.refusal["reason"] == "ValueError"
    assert [step.room for step in trace.steps][:2] == ["awslambda.concurrency", "awslambda.pool"]


def test_idle_environments_retire(own_lab: Any) -> None:
    own_lab.service.machinery.idle_seconds = 0.2
    own_lab.put("app.hello", "retiring")
    own_lab.invoke("retiring")
    assert len(own_lab.service.registry.describe_environments("retiring")) == 1
    own_lab.run(until(lambda: own_lab.service.registry.describe_environments("retiring") == [], "the end of idleness"))


def test_a_function_that_brings_its_own_boto3_gets_it(lab: Any, tmp_path: Any) -> None:
    (tmp_path / "boto3").mkdir()
    (tmp_path / "boto3" / "__init__.py").write_text("__version__ = 'mine'\n")
    (tmp_path / "app.py").write_text("import boto3\ndef handler(event, context):\n    return boto3.__version__\n")
    assert lab.call("app.handler", code=tmp_path, name="own-boto3") == "mine"
    assert lab.call("app.boto_version", name="stock-boto3") != "mine"


def test_a_role_that_lambda_may_not_assume(lab: Any) -> None:
    trust = json.loads(json.dumps({"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}))  # fmt: skip
    role = lab.access.put_role(trust, "not-for-lambda")
    lab.put("app.hello", "no-role", Role=role)
    with pytest.raises(AwsError):
        lab.invoke("no-role")


def test_credentials_are_renewed_before_they_run_out(lab: Any) -> None:
    before = lab.call("app.variables", name="renewing")
    (environment,) = lab.service.registry.get("renewing").pool.environments
    session, function = environment.session, lab.service.registry.get("renewing").function
    least_seconds = function.timeout_seconds + limits.CREDENTIALS_MARGIN_SECONDS
    assert session.expires_at - lab.clock.now() > least_seconds, "good for a whole invocation and more"
    same = json.loads(lab.invoke("renewing").payload)
    assert same["AWS_ACCESS_KEY_ID"] == before["AWS_ACCESS_KEY_ID"]
    session.expires_at = lab.clock.now() + least_seconds - 1
    after = json.loads(lab.invoke("renewing").payload)
    assert after["AWS_ACCESS_KEY_ID"] != before["AWS_ACCESS_KEY_ID"]
    assert lab.access.credentials.find(after["AWS_ACCESS_KEY_ID"]) is not None
    found = lab.access.credentials.find(before["AWS_ACCESS_KEY_ID"])
    assert found is None or found.session.revoked, "what was replaced cannot be used any more"


def test_credentials_die_with_their_environment(lab: Any) -> None:
    env = lab.call("app.variables", name="revoked")
    assert lab.access.credentials.find(env["AWS_ACCESS_KEY_ID"]) is not None
    lab.run(lab.service.deployment.delete_function("revoked"))
    found = lab.access.credentials.find(env["AWS_ACCESS_KEY_ID"])
    assert found is None or found.session.revoked
    with pytest.raises(ResourceNotFound):
        lab.invoke("revoked")


def test_what_a_handler_leaves_behind_dies_with_the_environment(lab: Any) -> None:
    lab.call("app.leave_children", name="littering")
    (environment,) = lab.service.registry.get("littering").pool.environments
    family = descendants(environment._process.pid)
    assert len(family) >= 3  # the function, its child, and what the daemon left
    lab.run(lab.service.deployment.delete_function("littering"))
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
