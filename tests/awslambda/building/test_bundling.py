"""esbuild's command as aws-lambda-builders writes it, found where people have it, and what becomes of handlers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from trine.awslambda.building.bundling import (
    Bundle,
    built_handler,
    bundle_of,
    esbuild_recipe,
    find_esbuild,
    make_bundle,
    with_source_maps,
)
from trine.awslambda.building.tool import InstallFailed

STAND_IN = """#!/bin/sh
for argument; do
  case "$argument" in --outdir=*) into="${argument#--outdir=}";; fail) echo "X [ERROR] no such file" >&2; exit 1;; esac
done
echo "$NODE_PATH $*" > "$into/app.js"
"""


def program(path: Path) -> Path:
    """What stands for esbuild: writes down how it was called."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return path


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with two entry points."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.ts").write_text("export const handler = async () => 1;\n")
    (folder / "old.js").write_text("exports.handler = async () => 1;\n")
    return folder


def test_the_defaults_of_sam_build(code: Path) -> None:
    assert bundle_of(code, {"EntryPoints": ["app", "old", "app.ts"]}, {}) == Bundle(
        code, ("./app.ts", "./old.js", "./app.ts", "--target=es2020", "--format=cjs", "--minify"), False
    )


def test_every_kind_of_property(code: Path) -> None:
    asked = {
        "EntryPoints": ["app.ts"],
        "Minify": False,
        "Target": "es2022",
        "Sourcemap": True,
        "Format": "esm",
        "MainFields": "module,main",
        "OutExtension": [".js=.mjs"],
        "External": ["@aws-sdk/*", "sharp"],
        "Bundle": False,
        "UseNpmCi": True,
    }
    made = bundle_of(code, asked, {})
    assert made.arguments == (
        "./app.ts", "--target=es2022", "--sourcemap", "--format=esm", "--main-fields=module,main",
        "--out-extension:.js=.mjs", "--external:@aws-sdk/*", "--external:sharp",
    )  # fmt: skip
    assert made.source_maps


def test_source_maps_follow_the_variables_and_the_variables_follow_them(code: Path) -> None:
    variables = {"NODE_OPTIONS": "--enable-source-maps --stack-trace-limit=50"}
    assert "--sourcemap" in bundle_of(code, {"EntryPoints": ["app"]}, variables).arguments
    assert not bundle_of(code, {"EntryPoints": ["app"], "Sourcemap": False}, variables).source_maps
    assert with_source_maps(variables) == variables
    assert with_source_maps({"A": "1"}) == {"A": "1", "NODE_OPTIONS": "--enable-source-maps"}
    assert with_source_maps({"NODE_OPTIONS": "--a"}) == {"NODE_OPTIONS": "--a --enable-source-maps"}


@pytest.mark.parametrize(
    ("properties", "said"),
    [(None, "EntryPoints"), ({"EntryPoints": "app.ts"}, "a list"), ({"EntryPoints": ["no.ts"]}, "no.ts does not")],
)
def test_what_cannot_be_bundled_is_said(code: Path, properties: object, said: str) -> None:
    with pytest.raises(InstallFailed, match=said):
        bundle_of(code, properties, {})


def test_the_program_is_found_where_people_have_it(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(code.parent / "bin"))
    assert find_esbuild(code, None) is None
    places = [
        code.parent / "bin" / "esbuild",
        code.parent / "packages" / "node_modules" / ".bin" / "esbuild",
        code.parent / "node_modules" / ".bin" / "esbuild",
        code / "node_modules" / ".bin" / "esbuild",
    ]
    for place in places:  # each is preferred to those before it
        made = program(place)
        assert find_esbuild(code, code.parent / "packages") == str(made)


def test_it_is_installed_in_the_version_that_the_package_names(code: Path) -> None:
    assert esbuild_recipe(code).packages == ("esbuild",)
    for text, wanted in (('{"devDependencies": {"esbuild": "^0.14.14"}}', "esbuild@^0.14.14"), ("[", "esbuild")):
        (code / "package.json").write_text(text)
        assert esbuild_recipe(code).packages == (wanted,)
    (code / "package.json").write_text(json.dumps({"dependencies": {"esbuild": "file:../x; rm"}}))
    assert esbuild_recipe(code).packages == ("esbuild",)


def test_a_bundle_takes_the_old_ones_place_and_only_whole(code: Path, tmp_path: Path) -> None:
    esbuild, into = str(program(tmp_path / "esbuild")), tmp_path / "built" / "App"
    bundle = bundle_of(code, {"EntryPoints": ["app"]}, {})
    (into / "older").mkdir(parents=True)
    asyncio.run(make_bundle(bundle, esbuild, tmp_path / "packages", into))
    called = (into / "app.js").read_text()
    assert called.startswith(f"{tmp_path / 'packages' / 'node_modules'}")
    assert "./app.ts --target=es2020" in called
    assert "--bundle --platform=node" in called
    assert not (into / "older").exists()
    with pytest.raises(InstallFailed, match=r"esbuild ended with 1\n.*no such file"):
        asyncio.run(make_bundle(Bundle(code, ("fail",), False), esbuild, None, into))
    with pytest.raises(InstallFailed, match="was not found"):
        asyncio.run(make_bundle(bundle, str(tmp_path / "nothing"), None, into))
    assert (into / "app.js").read_text() == called
    assert [path.name for path in into.parent.iterdir()] == ["App"]


def test_handlers_lose_the_folders_that_the_bundle_lost(tmp_path: Path) -> None:
    (tmp_path / "app.mjs").write_text("")
    assert built_handler("src/handlers/app.handler", tmp_path) == "app.handler"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.js").write_text("")
    assert built_handler("src/app.handler", tmp_path) == "src/app.handler"
