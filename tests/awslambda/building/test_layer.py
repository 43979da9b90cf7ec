"""Layers with a BuildMethod: packages and files where the runtime looks for them, as `sam build` lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from trine.awslambda.building.layer import layer_folder, make_layer
from trine.awslambda.building.tool import InstallFailed


def files(folder: Path) -> set[str]:
    """Relative paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_methods() -> None:
    assert [layer_folder(method) for method in ("python3.12", "nodejs22.x", "makefile", None)] == [
        "python",
        "nodejs",
        None,
        None,
    ]


def test_packages_and_own_files_lie_together(tmp_path: Path) -> None:
    source, packages, into = tmp_path / "layer", tmp_path / "packages", tmp_path / "built" / "Deps"
    (source / "own").mkdir(parents=True)
    (source / "own" / "tool.js").write_text("1")
    (source / "package.json").write_text("mine")
    (packages / "node_modules" / "dep").mkdir(parents=True)
    (packages / "node_modules" / "dep" / "index.js").write_text("2")
    (packages / "package.json").write_text("a copy")
    (packages / ".installed").write_text("")
    make_layer(source, packages, "nodejs", into)
    assert files(into) == {"nodejs/own/tool.js", "nodejs/package.json", "nodejs/node_modules/dep/index.js"}
    assert (into / "nodejs" / "package.json").read_text() == "mine"
    (source / "package.json").unlink()
    make_layer(source, None, "python", into)
    assert files(into) == {"python/own/tool.js"}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "built" / "Deps").mkdir(parents=True)
    with pytest.raises(InstallFailed, match="layer nothing"):
        make_layer(tmp_path / "nothing", None, "python", tmp_path / "built" / "Deps")
    assert [path.name for path in (tmp_path / "built").iterdir()] == ["Deps"]
