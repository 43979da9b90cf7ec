"""`trine up` and the commands that talk to it, as processes: what is printed, what is left, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import StartUp, trine
from tests.pattern.conftest import http
from tests.waiting import still_running, wait_until


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *_children(child)]
    return found


def test_one_command_up_one_signal_down_and_no_process_stays(up: StartUp) -> None:
    running = up()
    assert http("POST", f"{running.url}/users", {"id": "a", "name": "A", "email": "a@example.com"}).status == 201
    children = _children(running.process.pid)
    assert children
    assert running.stop(signal.SIGINT) == 0
    assert still_running(set(children)) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_start_ends_it_cleanly(project: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "trine", "up", project, "--port", "0", "--aws-port", "0", "--dynamodb-port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until((project / ".trine").exists)  # it has begun, and takes a while: the template is not in the cache
    children = _children(process.pid)
    process.send_signal(number)
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 0, complained
    assert "Traceback" not in complained
    assert "Aborted" not in complained
    assert "Ready" in said or "stopped before it was ready" in complained
    assert still_running(set(children)) == set()


def _ignores_hangups(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.partition("SigIgn:")[2].split()[0], 16) & 1 << signal.SIGHUP - 1)


def test_with_nohup_the_server_outlives_its_terminal_and_its_functions_hear_of_signals(up: StartUp) -> None:
    usual = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = up("--memory")
    finally:
        signal.signal(signal.SIGHUP, usual)
    running.process.send_signal(signal.SIGHUP)
    assert http("GET", f"{running.url}/users/nobody").status == 404
    assert not all(map(_ignores_hangups, _children(running.process.pid))), "no function would end by it"
    assert running.stop() == 0


PROBE = """
import sys, types
import click
from trine.cli import main

@click.command()
def command():
    exec("raise KeyboardInterrupt")

sys.modules["trine.cli.up"] = types.SimpleNamespace(command=command)
sys.argv = ["trine", "up"]
main.main()
"""


def test_a_signal_in_the_middle_of_an_exec_ends_it_cleanly_too(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    ended = subprocess.run(
        [sys.executable, "-m", "probe"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "stopped before it was ready\n")


def test_what_was_acknowledged_is_there_after_kill_9_and_no_orphan_runs(up: StartUp) -> None:
    running = up()
    users = f"{running.url}/users"

    def write(number: int) -> int:
        return http("POST", users, {"id": f"u{number}", "name": "N", "email": f"{number}@example.com"}).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(40))) == {201}
    children = _children(running.process.pid)
    running.process.kill()
    running.process.wait()
    assert still_running(set(children)) == set()

    again = up()
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda n: http("GET", f"{again.url}/users/u{n}").status, range(40)))
    assert statuses == {200}
    assert again.stop() == 0


def test_env_explain_logs_and_invoke_find_the_running_stack(up: StartUp, project: Path) -> None:
    running = up()
    answer = http("GET", f"{running.url}/users/nobody")
    request_id = answer.headers["x-amzn-requestid"]

    exports = trine("env", cwd=project)
    assert f"export AWS_ENDPOINT_URL={running.description['awsUrl']}" in exports.stdout
    assert json.loads(trine("env", "--json", cwd=project.parent).stdout)["AWS_ACCESS_KEY_ID"].startswith("AKIA")

    explained = trine("explain", request_id, cwd=project)
    assert explained.returncode == 0, explained.stderr
    assert "GET /Prod/users/nobody → 404" in explained.stdout
    assert "apigateway.router" in explained.stdout
    assert "dynamodb" in explained.stdout

    logs = trine("logs", "GetProfile", cwd=project)
    assert "START RequestId:" in logs.stdout
    assert "REPORT RequestId:" in logs.stdout

    event = project / "events" / "get.json"
    invoked = trine("invoke", "GetProfile", "--event", event, cwd=project)
    assert invoked.returncode == 0, invoked.stderr
    assert json.loads(invoked.stdout)["statusCode"] == 404
    assert "REPORT RequestId:" in invoked.stderr

    unknown = trine("explain", "no-such-id", cwd=project)
    assert (unknown.returncode, "no request no-such-id" in unknown.stderr.replace("'", "")) == (1, True)
    assert "this stack has:" in trine("invoke", "Nobody", cwd=project).stderr


def test_a_stranger_cannot_read_traces(up: StartUp) -> None:
    running = up("--memory")
    refused = http("GET", f"{running.description['awsUrl']}/_trine/description")
    assert refused.status in (400, 403)
    assert "description" not in refused.body.decode()


def test_a_port_that_is_taken_is_named_with_its_option(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = trine("up", project, "--port", "0", "--aws-port", str(port), "--dynamodb-port", "0")
    assert ended.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in ended.stderr
    assert "--aws-port" in ended.stderr


def test_all_faults_of_a_template_are_told_at_once_and_nothing_is_started(project: Path) -> None:
    template = project / "template.yaml"
    text = template.read_text().replace("Timeout: 5", "Timeout: 1000").replace("!Ref ProfilesTable", "!Ref Nowhere", 1)
    template.write_text(text)
    ended = trine("up", project, "--port", "0", "--aws-port", "0", "--dynamodb-port", "0")
    assert ended.returncode == 2
    assert "Nowhere" in ended.stderr
    assert f"{template}:" in ended.stderr
    assert not (project / ".trine" / "store").exists()
    assert trine("validate", project).returncode == 2


def test_a_second_stack_on_the_same_state_is_refused(up: StartUp, project: Path) -> None:
    running = up()
    ended = trine("up", project, "--port", "0", "--aws-port", "0", "--dynamodb-port", "0")
    assert ended.returncode == 1
    assert str(running.process.pid) in ended.stderr


@pytest.mark.parametrize("command", ["env", "explain x", "logs", "invoke f"])
def test_without_a_stack_a_command_says_how_to_start_one(tmp_path: Path, command: str) -> None:
    ended = trine(*command.split(), cwd=tmp_path)
    assert ended.returncode == 1
    assert "trine up" in ended.stderr


def test_memory_leaves_nothing(up: StartUp) -> None:
    running = up("--memory")
    assert http("POST", f"{running.url}/users", {"id": "a", "name": "A", "email": "a@example.com"}).status == 201
    assert running.stop() == 0
    assert not (running.state / "store").exists()
    assert not (running.state / "server.json").exists()
    assert os.path.isdir(running.state)


def test_check_points_out_what_one_would_regret_and_can_be_quieted(project: Path) -> None:
    template = project / "template.yaml"
    template.write_text(template.read_text().replace("Action: dynamodb:PutItem", "Action: dynamodb:*"))
    ended = trine("check", project, "--json")
    assert ended.returncode == 1
    rules = {finding["rule"]: finding["line"] for finding in json.loads(ended.stdout)}
    (rule,) = [rule for rule in rules if "action" in rule or "wildcard" in rule]
    lines = template.read_text().splitlines()
    assert "dynamodb:*" in lines[rules[rule] - 1]
    lines[rules[rule] - 1] += f"  # trine: quiet {rule}"
    template.write_text("\n".join(lines))
    assert rule not in {finding["rule"] for finding in json.loads(trine("check", project, "--json").stdout)}
