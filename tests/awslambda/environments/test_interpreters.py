"""Python interpreters: the asked version where it is installed, shims passed over, the own one otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from trine.awslambda.environments import interpreters
from trine.awslambda.environments.interpreters import Interpreters
from trine.awslambda.runtimes import pythons
from trine.awslambda.runtimes.pythons import find
from trine.clock import ManualClock

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


def program(path: Path, content: bytes = b"\x7fELF....") -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def test_programs_on_path_and_behind_shims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = program(tmp_path / "shims" / "python3.42", b"#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert find("3.42") is None
    behind = program(tmp_path / "pyenv" / "versions" / "3.42.1" / "bin" / "python3.42")
    assert find("3.42") == str(behind)
    direct = program(tmp_path / "bin" / "python3.42")
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{direct.parent}")
    assert find("3.42") == str(direct)
    program(tmp_path / "bin" / "python3.8")
    assert find("3.8") is None
    assert find("nonsense") is None


def test_the_sdk_is_lent_to_whoever_does_not_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pythons.lent_sdk(sys.executable, tmp_path) is None
    lent = pythons.lent_sdk("/opt/another", tmp_path / "state")
    assert lent is not None
    assert {"boto3", "botocore", "urllib3", "six.py"} <= {path.name for path in lent.iterdir()}
    monkeypatch.setattr(pythons.site, "getsitepackages", lambda: [str(tmp_path)])  # as after `pip install --user`
    assert pythons.lent_sdk(sys.executable, tmp_path / "state") == lent


def test_which_pythons_the_sdk_loads_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"boto3": {"Requires-Python": ">= 3.10"}}
    monkeypatch.setattr("importlib.metadata.metadata", asked.__getitem__)
    assert [pythons.takes_sdk(version) for version in ("3.9", "3.10", OWN, "3.99")] == [False, True, True, True]
    asked["boto3"] = {"Requires-Python": ""}
    assert pythons.takes_sdk("3.9")


def test_what_is_not_installed_runs_in_the_own_interpreter_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "find", lambda version: None)
    found = Interpreters(ManualClock(), tmp_path, sandboxed=False, quick_sdk=False)
    assert found.executable("python3.99") == sys.executable
    assert found.note("provided.al2023") is None
    assert found.note("ruby3.3") == "ruby3.3 is not run here; built with AWS's runtime client for provided.al2023 it is"
    assert found.note("python3.99") == f"python3.99 is not installed; python{OWN} runs instead"
    assert found.note(f"python{OWN}") is None
    monkeypatch.setattr(interpreters, "find", lambda version: "/opt/another/python")
    assert Interpreters(ManualClock(), tmp_path, sandboxed=False, quick_sdk=False).note("python3.98") is None
    assert found.zygote("python3.99") is found.own
    assert found.zygote("nodejs20.x") is found.own


def test_another_version_of_node_is_told_where_its_header_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Interpreters(ManualClock(), tmp_path, sandboxed=False, quick_sdk=False)
    node = program(tmp_path / "bin" / "node")
    monkeypatch.setenv("PATH", str(node.parent))
    assert found.note("nodejs24.x") is None  # nobody knows
    header = tmp_path / "include" / "node" / "node_version.h"
    header.parent.mkdir(parents=True)
    header.write_text("#ifndef X\n#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 3\n")
    assert found.note("nodejs24.x") == "nodejs24.x: the `node` on PATH is of version 20; it runs instead"
    assert found.note("nodejs20.x") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found.note("nodejs20.x") == "nodejs20.x: no `node` was found on PATH"


@pytest.mark.parametrize("version", [v for v in ("3.12", "3.13") if v != OWN and find(v)])
def test_another_version_has_the_sdk_and_its_own_zygote(lab: Any, tmp_path: Path, version: str) -> None:
    (tmp_path / "app.py").write_text(
        "import sys, boto3\ndef handler(event, context):\n    return [list(sys.version_info[:2]), boto3.__name__]\n"
    )
    major, minor = map(int, version.split("."))
    name = f"other-{minor}"
    assert lab.call("app.handler", code=tmp_path, name=name, Runtime=f"python{version}", Timeout=20) == [
        [major, minor],
        "boto3",
    ]


def test_an_interpreter_that_does_not_start_counts_as_not_installed(lab: Any, tmp_path: Path) -> None:
    broken = program(tmp_path / "python3.77", b"#!/bin/sh\nexit 1\n")
    lab.service.machinery.interpreters._found["3.77"] = str(broken)
    lab.put("app.hello", "hopeless", Runtime="python3.77")

    lab.run(until(lambda: lab.service.machinery.interpreters._found["3.77"] is None, "giving it up"))
    assert lab.call("app.hello", name="hopeless", Runtime="python3.77") == {"hello": "world"}


def test_a_lent_sdk_that_does_not_load_leaves_an_interpreter_without(tmp_path: Path) -> None:
    (tmp_path / "boto3").mkdir()
    (tmp_path / "boto3" / "__init__.py").write_text("import botocore\n")
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").write_text("KIND = 1 | 'newer syntax'\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from trine.awslambda.bootstrap import sdk\n"
        "print(sdk.preload(), 'boto3' in sys.modules, 'botocore' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "None False False\n", run.stderr
    assert "which gets its own" in run.stderr
