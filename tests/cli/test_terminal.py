"""What the terminal shows: `trine top` live, JSON from every command that prints, completion in real shells, errors."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.conftest import StartUp, trine
from tests.pattern.conftest import http
from trine.cli.main import trine as program
from trine.cli.signals import ending_signals

PROGRAM = Path(sys.executable).with_name("trine")
PATIENCE_SECONDS = 30


def test_top_draws_and_leaves_the_terminal_as_it_was(up: StartUp, project: Path) -> None:
    running = up("--memory")
    assert http("GET", f"{running.url}/users/nobody").status == 404
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "120", "LINES": "40", "TERM": "xterm"}
    command = [sys.executable, "-m", "trine", "top", "--interval", "0.2"]
    process = subprocess.Popen(command, cwd=project, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown, until = b"", time.monotonic() + PATIENCE_SECONDS
    while b"GetProfile" not in shown and time.monotonic() < until:
        if select.select([ours], [], [], 0.1)[0]:
            shown += os.read(ours, 65_536)
    process.send_signal(signal.SIGINT)
    while select.select([ours], [], [], 0.1)[0] or process.poll() is None:
        try:
            shown += os.read(ours, 65_536)
        except OSError:
            break
    assert process.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    assert b"GetProfile" in shown
    assert b"\x1b[?1049h" in shown
    assert shown.rstrip().endswith(b"\x1b[?1049l")


@pytest.mark.slow
def test_every_command_that_prints_prints_json(up: StartUp, project: Path, tmp_path: Path) -> None:
    running = up()
    request_id = http("GET", f"{running.url}/users/nobody").headers["x-amzn-requestid"]
    event = project / "events" / "get.json"

    def document(*arguments: str | Path) -> Any:
        done = trine(*arguments, cwd=project)
        assert done.stdout, done.stderr
        lines = done.stdout.strip().splitlines()
        return json.loads(lines[0]) if arguments[0] in ("logs", "top") else json.loads(done.stdout)

    assert document("env", "--json")["AWS_ENDPOINT_URL"] == running.description["awsUrl"]
    assert document("explain", request_id, "--json")["requestId"] == request_id
    assert document("bill", "--json")["by"] == "route"
    assert document("console", "--json")["url"].startswith(running.description["awsUrl"])
    assert "routes" in document("top", "--once", "--json")
    assert "message" in document("logs", "--json")
    assert document("invoke", "GetProfile", "--event", event, "--json")["status"] == 200
    for command in ("policy", "check", "validate", "build"):
        assert isinstance(document(command, "--json"), dict | list)
    assert running.stop() == 0
    state = project / ".trine"
    assert document("store", "verify", state, "--json")["faults"] == []
    assert document("store", "compact", state, "--json")["bytesAfter"] > 0
    assert document("store", "fork", state, tmp_path / "fork", "--json")["target"] == str(tmp_path / "fork")
    assert document("bill", "--json", "--state", state)["total"]["calls"] >= 1


@pytest.mark.slow
def test_functions_of_the_running_stack_are_completed(up: StartUp, project: Path) -> None:
    def completed(text: str) -> list[str]:
        environment = {**os.environ, "COMP_WORDS": text, "COMP_CWORD": "2", "_TRINE_COMPLETE": "bash_complete"}
        done = subprocess.run([PROGRAM], cwd=project, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    assert completed("trine logs Get") == [], "nothing runs: nothing to offer, and no error"
    up("--memory")
    assert completed("trine logs Get") == ["plain,GetProfile"]
    assert completed("trine policy Get") == ["plain,GetProfile"]
    assert "plain,CreateProfile" in completed("trine invoke ")


BASH = (
    'eval "$(trine completion bash)"; COMP_WORDS=({}); COMP_CWORD={}; _trine_completion trine; echo "${{COMPREPLY[@]}}"'
)
ZSH = """autoload -Uz compinit; compinit -u -D; eval "$(trine completion zsh)"; echo ${_comps[trine]}
COMP_WORDS='trine st' COMP_CWORD=1 _TRINE_COMPLETE=zsh_complete trine"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "script", "found"),
    [
        ("bash", BASH.format("trine st", 1), "store"),
        ("bash", BASH.format("trine bill --fa", 2), "--fail-above"),
        ("fish", 'trine completion fish | source; complete -C "trine st"', "store\tVerify"),
        ("zsh", ZSH, "_trine_completion\nplain\nstore"),
    ],
    ids=["bash: commands", "bash: options", "fish", "zsh"],
)
def test_completion_works_in_the_shell(shell: str, script: str, found: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    environment = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = [shell, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert found in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["up", "--port", "99999"], 2, "0<=x<=65535"),
        (["up", "--state", "{file}"], 2, "is a file"),
        (["up", "{file}"], 2, "is not UTF-8"),
        (["up", "{folder}"], 2, "there is no template in this folder"),
        (["up", "/dev/null"], 2, "not a regular file"),
        (["up", "--otlp", "collector:4318", "{project}"], 2, "http or https URL"),
        (["up", "--prices", "{file}", "{project}"], 2, "is no JSON"),
        (["dynamodb", "--port", "-1"], 2, "0<=x<=65535"),
        (["validate", "nowhere.yaml"], 2, "there is no such file or folder"),
        (["check", "{file}"], 2, "is not UTF-8"),
        (["build", "{file}"], 2, "is not UTF-8"),
        (["bill", "--prices", "nowhere.json"], 2, "cannot be read"),
        (["bill"], 1, "Start one with `trine up`"),
        (["env"], 1, "Start one with `trine up`"),
        (["top"], 1, "Start one with `trine up`"),
        (["invoke", "F", "--event", "nowhere.json"], 2, "No such file"),
        (["store", "verify", "{folder}"], 1, "holds no state of Trine"),
        (["store", "fork", "{folder}", "{folder}/copy"], 1, "holds no state of Trine"),
        (["lgos"], 2, "Did you mean 'logs'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_errors_say_what_is_wrong(
    arguments: list[str], code: int, said: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = tmp_path / "folder", tmp_path / "binary.yaml"
    folder.mkdir()
    file.write_bytes(bytes(range(256)))
    monkeypatch.chdir(folder)
    places = {"file": file, "folder": folder, "project": project}
    handlers = {number: signal.getsignal(number) for number in ending_signals()}
    try:
        done = CliRunner().invoke(program, [argument.format(**places) for argument in arguments])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (code, True)
    assert said in done.output
    assert list(folder.iterdir()) == [], "nothing is left behind"
