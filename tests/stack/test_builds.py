"""What a template names a `BuildMethod` for is built before it runs: bundles of esbuild, layers with their packages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.awslambda.building.test_dependencies import wheel
from trine.cli.main import trine
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 60}}
Resources:
  Typed:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [src/app.ts], Sourcemap: true}}
    Properties: {FunctionName: typed, Runtime: nodejs20.x, Handler: src/app.handler, CodeUri: typed}
  Broken:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [gone.ts]}}
    Properties: {FunctionName: broken, Runtime: nodejs20.x, Handler: gone.handler, CodeUri: typed}
  Layered:
    Type: AWS::Serverless::Function
    Properties:
      {FunctionName: layered, Runtime: python3.11, Handler: app.handler, CodeUri: layered, Layers: [!Ref Deps]}
  Deps:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.11}
    Properties: {ContentUri: deps}
  Foreign:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: java21}
    Properties: {ContentUri: deps}
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {FunctionName: made, Runtime: python3.11, Handler: app.handler, CodeUri: made}
  Plain:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {FunctionName: plain, Runtime: python3.11, Handler: app.handler, CodeUri: plain}
"""
STAND_IN = """#!/bin/sh
for argument; do case "$argument" in --outdir=*) into="${argument#--outdir=}";; esac; done
echo "exports.handler = async () => process.env.NODE_OPTIONS;" > "$into/app.js"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application. A script stands for esbuild, so that no network is needed."""
    folder = tmp_path_factory.mktemp("builds")
    made = wheel(folder, "shouts", "WORD = 'loud'\n")
    texts = {
        "template.yaml": TEMPLATE,
        "typed/src/app.ts": "export const handler = async (): Promise<string> => 'never run';\n",
        "typed/node_modules/.bin/esbuild": STAND_IN,
        "layered/app.py": "import own, shouts\n\n\ndef handler(event, context):\n    return own.WORD + shouts.WORD\n",
        "deps/requirements.txt": f"{made}\n",
        "deps/own.py": "WORD = 'my '\n",
        "made/Makefile": "build-Made:\n\tcp source.py $(ARTIFACTS_DIR)/app.py\n",
        "plain/app.py": "def handler(event, context):\n    return 'as it is'\n",
        "made/source.py": "def handler(event, context):\n    return 'made'\n",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "typed/node_modules/.bin/esbuild").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[RunningStack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        with running(folder) as made:
            yield made


def answer(stack: RunningStack, name: str) -> Any:
    """What a function answers."""
    return json.loads(stack.client("lambda").invoke(FunctionName=name)["Payload"].read())


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_bundle_runs_in_the_sources_place(stack: RunningStack) -> None:
    assert answer(stack, "typed") == "--enable-source-maps"
    made = stack.client("lambda").get_function_configuration(FunctionName="typed")
    assert made["Handler"] == "app.handler"


def test_a_layers_packages_and_files_are_found(stack: RunningStack) -> None:
    assert answer(stack, "layered") == "my loud"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_makefile_makes_the_code(stack: RunningStack) -> None:
    assert answer(stack, "made") == "made"


def test_without_a_makefile_it_runs_as_it_is(stack: RunningStack) -> None:
    assert answer(stack, "plain") == "as it is"
    assert any(problem.startswith("Plain: there is no Makefile in") for problem in stack.description["problems"])


def test_what_is_not_built_is_told(stack: RunningStack) -> None:
    problems = stack.description["problems"]
    assert any(problem.startswith("Broken could not be bundled") and "gone.ts" in problem for problem in problems)
    assert any(problem.startswith("Foreign: its BuildMethod 'java21' is not run here") for problem in problems)


def test_build_builds_too(stack: RunningStack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    told = CliRunner().invoke(trine, ["build", str(folder)])
    assert (told.exit_code, " built" in told.output) == (1, True)
    document = json.loads(CliRunner().invoke(trine, ["build", str(folder), "--json"]).stdout)
    built = {name: Path(path) for name, path in document["built"].items()}
    typed, layer = built["Typed"], next(path for name, path in built.items() if name.startswith("Deps"))
    assert (typed / "app.js").is_file()
    assert (layer / "python" / "own.py").is_file()
