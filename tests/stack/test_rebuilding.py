"""A saved source is bundled, and the function answers with it; what does not bundle is told and changes nothing."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Typed:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [app.ts]}}
    Properties: {FunctionName: typed, Runtime: nodejs20.x, Handler: app.handler, CodeUri: typed, Timeout: 60}
"""
STAND_IN = """#!/bin/sh
for argument; do case "$argument" in --outdir=*) into="${argument#--outdir=}";; esac; done
grep -q broken app.ts && { echo "X [ERROR] Expected" >&2; exit 1; }
cp app.ts "$into/app.js"
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_saving_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "typed" / "app.ts"
    esbuild = source.parent / "node_modules" / ".bin" / "esbuild"
    esbuild.parent.mkdir(parents=True)
    esbuild.write_text(STAND_IN)
    esbuild.chmod(0o755)
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def save(text: str) -> None:
        source.write_text(f"exports.handler = async () => '{text}';\n")

    def answer(stack: RunningStack) -> Any:
        return json.loads(stack.client("lambda").invoke(FunctionName="typed")["Payload"].read())

    save("first")
    with running(tmp_path) as stack, caplog.at_level(logging.WARNING, "trine.stack.rebuilding"):
        assert answer(stack) == "first"
        save("second")
        wait_until(lambda: answer(stack) == "second")
        save("broken")
        wait_until(lambda: "Typed could not be bundled" in caplog.text)
        assert answer(stack) == "second"
        save("third")
        wait_until(lambda: answer(stack) == "third")
