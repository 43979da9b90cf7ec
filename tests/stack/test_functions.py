"""What functions run with: packages of their own in Python and both kinds of Node.js modules, and a debugger."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.awslambda.building.test_dependencies import tarball, wheel
from tests.waiting import PATIENCE_SECONDS, wait_until
from trine.awslambda.building.dependencies import DependencyCache
from trine.awslambda.building.runtime_packages import packages_recipe
from trine.awslambda.debugging import DebuggerMissing, debug_port
from trine.awslambda.function import DebugPort
from trine.cli import announcement
from trine.cli.main import trine
from trine.clock import SystemClock
from trine.cloudformation.template import load_template
from trine.stack import functions
from trine.stack.settings import user_cache
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 60}}
Resources:
  Snake:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: snake
      Runtime: python3.11
      Handler: app.handler
      CodeUri: snake
      Architectures: [arm64]
  Failing:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: failing, Runtime: python3.11, Handler: app.handler, CodeUri: failing}
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: java21}
    Properties: {FunctionName: made, Runtime: python3.11, Handler: app.handler, CodeUri: plain}
"""
NODE = """
  Common:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: common, Runtime: nodejs20.x, Handler: app.handler, CodeUri: common}
  Module:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: module, Runtime: nodejs20.x, Handler: app.handler, CodeUri: module}
"""
RUNTIME_PACKAGES = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: nodejs20.x, Handler: app.handler, Timeout: 60}}
Resources:
  Both: {Type: AWS::Serverless::Function, Properties: {FunctionName: both, CodeUri: both}}
  Module: {Type: AWS::Serverless::Function, Properties: {FunctionName: module, CodeUri: module}}
  Own: {Type: AWS::Serverless::Function, Properties: {FunctionName: own, CodeUri: own}}
  Neither: {Type: AWS::Serverless::Function, Properties: {FunctionName: neither, CodeUri: neither}}
  Inline:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: inline
      Handler: index.handler
      InlineCode: "exports.handler = async () => require('@aws-sdk/one');"
"""
HAS_NPM = shutil.which("npm") is not None


def write(folder: Path) -> Path:
    """The application; its packages lie beside it, so that no network is needed."""
    made = wheel(folder, "shouts", "WORD = 'loud'\n")
    files = {
        "snake/requirements.txt": f"{made}\n",
        "snake/app.py": "import shouts\n\n\ndef handler(event, context):\n    return shouts.WORD\n",
        "failing/requirements.txt": f"{folder}/nothing-1.0-py3-none-any.whl\n",
        "failing/app.py": "def handler(event, context):\n    return 'runs'\n",
        "plain/app.py": "def handler(event, context):\n    return 'plain'\n",
        "template.yaml": TEMPLATE + (NODE if HAS_NPM else ""),
    }
    if HAS_NPM:
        package = {"dependencies": {"shouts": f"file:{tarball(folder, 'shouts', 'module.exports = 7;')}"}}
        files |= {
            "common/package.json": json.dumps(package),
            "common/app.js": "const word = require('shouts');\nexports.handler = async () => word;\n",
            "module/package.json": json.dumps({**package, "type": "module"}),
            "module/app.js": "import word from 'shouts';\nexport const handler = async () => word;\n",
        }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        with running(write(folder)) as made:
            yield made


def answer(stack: RunningStack, name: str) -> Any:
    """What a function answers."""
    return json.loads(stack.client("lambda").invoke(FunctionName=name)["Payload"].read())


def test_packages_are_there(stack: RunningStack) -> None:
    assert answer(stack, "snake") == "loud"


@pytest.mark.skipif(not HAS_NPM, reason="needs npm")
def test_packages_of_both_kinds_of_modules(stack: RunningStack) -> None:
    assert (answer(stack, "common"), answer(stack, "module")) == (7, 7)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_runtimes_own_packages_are_found_by_every_kind_of_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installation lies in the cache already, so that no network is needed; npm itself is tested elsewhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recipe = packages_recipe(frozenset(["@aws-sdk/one", "@aws-sdk/two"]), tmp_path)
    installed = user_cache() / functions.FOLDER / recipe.key
    for name, value in (("one", 1), ("two", 2)):
        package = installed / "node_modules" / "@aws-sdk" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"name": f"@aws-sdk/{name}", "main": "index.js"}))
        (package / "index.js").write_text(f"module.exports = {value};\n")
    (installed / ".installed").write_text("")
    files = {
        "template.yaml": RUNTIME_PACKAGES,
        "both/app.js": "exports.handler = async () => [require('@aws-sdk/one'), require('@aws-sdk/two')];",
        "module/app.mjs": "import two from '@aws-sdk/two';\nexport const handler = async () => two;",
        "own/app.mjs": "import one from '@aws-sdk/one';\nexport const handler = async () => one;",
        "own/node_modules/@aws-sdk/one/package.json": json.dumps({"name": "@aws-sdk/one", "main": "index.js"}),
        "own/node_modules/@aws-sdk/one/index.js": "module.exports = 'mine';",
        "neither/app.mjs": "import other from 'not-of-the-sdk';\nexport const handler = async () => other;",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with running(tmp_path) as stack:
        assert [answer(stack, name) for name in ("both", "module", "own", "inline")] == [[1, 2], 2, "mine", 1]
        missing = answer(stack, "neither")  # of an `import`, which AWS's client passes on as it is
        assert (missing["errorType"], missing["errorMessage"].partition(" imported")[0]) == (
            "Error",
            "Cannot find package 'not-of-the-sdk'",
        )
        told = stack.description["problems"]
        assert [problem for problem in told if "`node` on PATH" not in problem] == []


def test_the_announcement_says_how_functions_are_kept_apart_and_what_is_only_stored(stack: RunningStack) -> None:
    def described() -> Mapping[str, Any] | None:
        found = stack.call(stack.stack.description)
        return found if found["isolationIsKnown"] else None

    text = "\n".join(announcement.lines(wait_until(described), with_manifest=True))
    assert "Kept apart by: process groups" in text
    assert "MemorySize limits memory" in text
    assert "note     every function runs on this machine's own architecture" in text


def test_what_fails_stops_nobody_and_is_told(stack: RunningStack) -> None:
    assert answer(stack, "failing") == "runs"
    problems = stack.description["problems"]
    assert any(problem.startswith("Failing: requirements.txt could not be installed") for problem in problems)
    assert any("BuildMethod 'java21' is not run here" in problem for problem in problems)


def test_build_tells_how_it_went(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stack.stack.settings.template.parent
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    told = CliRunner().invoke(trine, ["build", str(folder)])
    assert told.exit_code == 1
    assert "Snake: installing" not in told.output  # it is in the cache
    assert "! Failing: requirements.txt could not be installed" in told.output
    (folder / "failing" / "requirements.txt").unlink()
    told = CliRunner().invoke(trine, ["build", str(folder)])
    assert (told.exit_code, "for" in told.output) == (0, True)


MEETING = """#!/bin/sh
touch "$MEETING/$$"
tries=0
while [ "$(ls "$MEETING" | wc -l)" -lt 2 ]; do
  tries=$((tries + 1)); [ $tries -gt 2000 ] && exit 1
  sleep 0.01
done
"""
"""Stands for npm: ends well once two of them have begun."""


def test_installers_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(MEETING)
    npm.chmod(0o755)
    (tmp_path / "meeting").mkdir()
    monkeypatch.setenv("MEETING", str(tmp_path / "meeting"))
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    resources = ""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "package.json").write_text(json.dumps({"dependencies": {name: "1"}}))
        properties = f"{{Runtime: nodejs20.x, Handler: app.handler, CodeUri: {name}}}"
        resources += f"  {name.title()}: {{Type: AWS::Serverless::Function, Properties: {properties}}}\n"
    (tmp_path / "template.yaml").write_text(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}")
    template = load_template(tmp_path / "template.yaml")
    told: list[str] = []
    made = asyncio.run(
        functions.prepare_dependencies(template, tmp_path / "cache", tmp_path / "built", SystemClock(), told.append)
    )
    assert (made.failed, made.problems, set(made.folders)) == (0, [], {"One", "Two"})
    assert [line.partition(":")[0] for line in told[:2]] == ["One", "Two"]


def test_nothing_is_built_where_nothing_is_installed(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "Makefile").write_text("build-Made:\n\ttouch $(ARTIFACTS_DIR)/../../../was-built\n")
    (tmp_path / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Made:\n    Type: AWS::Serverless::Function\n"
        "    Metadata: {BuildMethod: makefile}\n"
        "    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: code}\n"
    )
    template, cache, built = load_template(tmp_path / "template.yaml"), tmp_path / "cache", tmp_path / "built"
    made = asyncio.run(
        functions.prepare_dependencies(template, cache, built, SystemClock(), lambda line: None, install=False)
    )
    wanted = (
        "`make`" if shutil.which("make") is None else "Made could not be built; it runs as it is. `trine build` does"
    )
    assert [wanted in problem for problem in made.problems] == [True]
    assert not list(tmp_path.rglob("was-built"))


DEBUGPY = """
import socket

_server = None

def listen(address):
    global _server
    _server = socket.create_server(address)

def wait_for_client():
    connection, _ = _server.accept()
    connection.recv(16)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_a_function_waits_for_its_debugger_and_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """debugpy's place is taken by one that only waits: what is tested is who waits, and that nobody hurries it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("import time\n\n\ndef handler(event, context):\n    return 'seen'\n")
    (tmp_path / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {FunctionName: f, Runtime: python3.11, Handler: app.handler, CodeUri: src, Timeout: 1}\n"
    )
    (tmp_path / "fake" / "debugpy").mkdir(parents=True)
    (tmp_path / "fake" / "debugpy" / "__init__.py").write_text(DEBUGPY)
    port = free_port()

    async def found(*_: Any) -> DebugPort:
        return DebugPort("127.0.0.1", port, tmp_path / "fake")

    monkeypatch.setattr(functions, "debug_port", found)
    with running(tmp_path, debug_function="F") as stack:
        answers: list[Any] = []
        calls = [threading.Thread(target=lambda: answers.append(answer(stack, "f"))) for _ in range(2)]
        for call in calls:
            call.start()
        debugger = connect(port)
        time.sleep(1.2)  # longer than its timeout
        assert answers == []
        debugger.sendall(b"go on")
        for call in calls:
            call.join(PATIENCE_SECONDS)
        debugger.close()
        assert answers == ["seen", "seen"]
        registry = stack.stack.wings.functions.registry
        assert stack.call(lambda: len(registry.describe_environments("f"))) == 1


def connect(port: int) -> socket.socket:
    """A connection to a port as soon as someone listens."""

    def tried() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        except ConnectionRefusedError:
            return None

    found = wait_until(tried, "somebody who listens")
    assert found is not None
    return found


def test_what_cannot_be_debugged_is_told(tmp_path: Path) -> None:
    cache = DependencyCache(tmp_path)

    def told(runtime: str, port: int) -> str:
        with pytest.raises(DebuggerMissing) as missing:
            asyncio.run(debug_port(runtime, "/no/python", port, cache))
        return str(missing.value)

    assert "no debugger for provided.al2023" in told("provided.al2023", free_port())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot be used" in told("nodejs20.x", taken.getsockname()[1])
    assert "debugpy" in told("python3.11", free_port())
    assert asyncio.run(debug_port("nodejs20.x", "", free_port(), cache)).debugpy is None
