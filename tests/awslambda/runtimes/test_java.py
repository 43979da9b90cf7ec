"""Java functions run from their built packages, with the client that these bring."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trine.aws.arn import Place
from trine.awslambda.environments import launch
from trine.awslambda.environments.zygote import SandboxLayers, Zygote
from trine.awslambda.function import Function
from trine.awslambda.runtimes.known import runtime_of
from trine.awslambda.runtimes.runtime import RuntimeMissing
from trine.clock import ManualClock


def test_java_runs_from_its_built_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: "/usr/lib/jvm/x/bin/java")
    made = Function("f", "arn", "", "java17", "a.b", tmp_path, log_group="/aws/lambda/f")
    zygote = Zygote(ManualClock())
    zygote.layers = SandboxLayers(True, 0, False)
    variables = launch.variables(made, None, Place(), "http://127.0.0.1:4566", "stream")
    with pytest.raises(RuntimeMissing, match="aws-lambda-java-runtime-interface-client"):
        launch.launch(made, variables, zygote, "")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "aws-lambda-java-runtime-interface-client-2.6.0.jar").write_bytes(b"")
    program, wants_listener = launch.launch(made, variables, zygote, "")
    assert wants_listener
    assert program.argv is not None
    assert program.argv[-2:] == ("com.amazonaws.services.lambda.runtime.api.client.AWSLambda", made.handler)
    assert program.argv[-3] == "/var/task:/var/task/lib/*:/opt/java/lib/*"


def test_the_manifest_says_when_there_is_no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    assert runtime_of("java17").note("java17", "") == "java17: no `java` was found on PATH"
