"""Built .NET packages: the commands of AWS's image, what is missing by name, and a self-contained program that runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.awslambda.conftest import HANDLERS
from trine.awslambda.function import Function
from trine.awslambda.runtimes import dotnet
from trine.awslambda.runtimes.runtime import RuntimeMissing


def function(code: Path, handler: str) -> Function:
    """A function of the built package in `code`."""
    return Function("f", "arn", "", "dotnet8", handler, code)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `dotnet` is found."""
    program = tmp_path / "sdk" / "dotnet"
    program.parent.mkdir()
    program.write_text("")
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "dotnet" else None)
    return program


@pytest.mark.parametrize("handler", ["Proof", "Proof.dll"])
def test_an_assembly_with_an_entry_point(tmp_path: Path, installed: Path, handler: str) -> None:
    (tmp_path / "Proof.dll").write_bytes(b"")
    assert dotnet.command(function(tmp_path, handler), "/var/task") == (
        (str(installed), "/var/task/Proof.dll"),
        str(installed.parent),
    )


def test_a_class_library(tmp_path: Path, installed: Path) -> None:
    handler = "Proof::Proof.Function::Handle"
    for name in ("Proof.dll", "Proof.deps.json", "Proof.runtimeconfig.json"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(RuntimeMissing, match=r"the package has no Amazon\.Lambda\.RuntimeSupport\.dll: AWS's image"):
        dotnet.command(function(tmp_path, handler), "/var/task")
    (tmp_path / dotnet.SUPPORT).write_bytes(b"")
    words, folder = dotnet.command(function(tmp_path, handler), "/var/task")
    assert folder == str(installed.parent)
    assert words == (
        str(installed), "exec", "--depsfile", "/var/task/Proof.deps.json", "--runtimeconfig",
        "/var/task/Proof.runtimeconfig.json", "/var/task/Amazon.Lambda.RuntimeSupport.dll", handler,
    )  # fmt: skip
    (tmp_path / "Proof.deps.json").unlink()
    with pytest.raises(RuntimeMissing, match=r"no Proof\.deps\.json$"):
        dotnet.command(function(tmp_path, handler), "/var/task")


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeMissing, match=r"Proof\.dll or binary /var/task/Proof not found"):
        dotnet.command(function(tmp_path, "Proof"), "/var/task")
    (tmp_path / "Proof.dll").write_bytes(b"")
    with pytest.raises(RuntimeMissing, match="no `dotnet` was found on PATH"):
        dotnet.command(function(tmp_path, "Proof"), "/var/task")


def test_a_self_contained_program_runs(lab: Any, tmp_path: Path) -> None:
    """It speaks the Runtime API; which language it was written in nobody asks."""
    shutil.copy(HANDLERS / "app.py", tmp_path)
    (tmp_path / "Proof").write_text(f"#!/bin/sh\nexec {sys.executable} -m awslambdaric app.hello\n")
    (tmp_path / "Proof").chmod(0o755)
    answer = lab.call("Proof", {"name": "net"}, name="self-contained", code=tmp_path, Runtime="dotnet8", Timeout=20)
    assert answer == {"hello": "net"}


def test_a_package_that_cannot_run_is_told_to_the_caller(lab: Any, tmp_path: Path) -> None:
    error = lab.error("Nowhere", name="no-net", code=tmp_path, Runtime="dotnet8")
    assert error["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Nowhere.dll or binary" in error["errorMessage"]
