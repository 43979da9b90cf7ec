"""What an environment is started with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from trine.aws.arn import Place
from trine.awslambda.environments import launch
from trine.awslambda.environments.zygote import SandboxLayers, Zygote
from trine.awslambda.function import Function
from trine.awslambda.runtimes.python import shadows
from trine.awslambda.runtimes.runtime import RuntimeMissing
from trine.clock import ManualClock


def function(code: Path, runtime: str = "python3.11", **members: Any) -> Function:
    """A function in `code`."""
    return Function("f", "arn", "", runtime, "a.b", code, log_group="/aws/lambda/f", **members)


def zygote(namespaces: bool = True) -> Zygote:
    """A zygote that only knows what it would offer."""
    made = Zygote(ManualClock())
    made.layers = SandboxLayers(namespaces, 0, False)
    made.modules = frozenset({"boto3", "json"})
    return made


def env(made: Function) -> dict[str, str]:
    """Its variables."""
    return launch.variables(made, None, Place(), "http://127.0.0.1:4566", "stream")


def test_lambdas_variables_win_over_the_users_and_the_users_over_defaults(tmp_path: Path) -> None:
    made = function(tmp_path, variables={"TZ": "Europe/Berlin", "AWS_ENDPOINT_URL": "http://other", "MINE": "1"})
    found = env(made)
    assert (found["TZ"], found["AWS_ENDPOINT_URL"], found["MINE"]) == ("Europe/Berlin", "http://other", "1")
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert "AWS_ACCESS_KEY_ID" not in found


def test_code_lies_at_var_task_where_there_are_namespaces(tmp_path: Path) -> None:
    program, listener = launch.launch(function(tmp_path), env(function(tmp_path)), zygote(), "/tmp/x")
    assert (program.directory, program.argv, listener) == ("/var/task", None, False)
    assert program.env["LAMBDA_TASK_ROOT"] == "/var/task"
    assert "TMPDIR" not in program.env
    program, _ = launch.launch(function(tmp_path), env(function(tmp_path)), zygote(False), "/tmp/x")
    assert program.directory == program.env["LAMBDA_TASK_ROOT"] == str(tmp_path)
    assert program.env["TMPDIR"] == program.temporary == "/tmp/x"


def test_a_module_that_the_zygote_has_loaded_needs_a_fresh_interpreter(tmp_path: Path) -> None:
    (tmp_path / "boto3").mkdir()
    program, _ = launch.launch(function(tmp_path), env(function(tmp_path)), zygote(), "")
    assert program.argv is not None
    assert program.env["_TRINE_RUNTIME_FD"] == "3"
    (tmp_path / "boto3").rmdir()
    (tmp_path / "json.py").write_text("")
    assert shadows(tmp_path, frozenset({"json"}))
    assert not shadows(tmp_path / "absent", frozenset({"json"}))


def test_layers_come_before_pythonpath_and_after_the_code(tmp_path: Path) -> None:
    made = replace(function(tmp_path, variables={"PYTHONPATH": "/mine"}), layers_directory=tmp_path / "layers")
    program, _ = launch.launch(made, env(made), zygote(), "")
    assert program.paths[-2:] == ("/opt/python", "/mine")
    assert program.layers == str(tmp_path / "layers")


def test_runtimes_that_cannot_run_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for runtime, words in (
        ("ruby3.3", "The runtime ruby3.3 cannot be run here"),
        ("provided.al2023", "Couldn't find valid bootstrap"),
    ):
        with pytest.raises(RuntimeMissing, match=words):
            launch.launch(function(tmp_path, runtime), env(function(tmp_path, runtime)), zygote(), "")
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    for runtime, words in (("nodejs20.x", r"Node\.js is not installed"), ("java21", "no `java` was found on PATH")):
        with pytest.raises(RuntimeMissing, match=words):
            launch.launch(function(tmp_path, runtime), env(function(tmp_path, runtime)), zygote(), "")
