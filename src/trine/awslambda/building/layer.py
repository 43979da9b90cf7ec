"""Layers with a `BuildMethod`: their packages and files in the folder where a runtime looks for them.

Enters a layer's source and the folder of its installed packages, leaves the content of the layer, as `sam build` lays
it out: `python/` for pip, `nodejs/` for npm.
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-layers.html
"""

from __future__ import annotations

import shutil
from pathlib import Path

from trine.awslambda.building.dependencies import DONE, LOCKS, PACKAGE
from trine.awslambda.building.tool import disk_faults
from trine.awslambda.fresh_folder import made_anew
from trine.awslambda.runtimes.known import runtime_of

_NO_CONTENT = (".aws-sam", ".git", "__pycache__", ".trine")


def layer_folder(method: object) -> str | None:
    """Where a layer's packages lie (`python3.12` → `python`); None for methods that are not run here."""
    return runtime_of(str(method)).layer_folder


def make_layer(source: Path, packages: Path | None, subfolder: str, into: Path) -> None:
    """Lay a layer out anew. Raises InstallFailed."""
    with disk_faults(f"layer {source.name}"), made_anew(into) as fresh:
        target = fresh / subfolder
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*_NO_CONTENT))
        if packages is not None:
            for entry in packages.iterdir():
                if entry.is_dir():
                    shutil.copytree(entry, target / entry.name, symlinks=True, dirs_exist_ok=True)
                elif entry.name not in (DONE, PACKAGE, *LOCKS):
                    shutil.copy2(entry, target / entry.name)
