"""OS-only runtimes (`provided.al2023`): the program called `bootstrap`, of the package or of a layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from trine.awslambda.runtimes.runtime import Runtime, RuntimeMissing, Scene

if TYPE_CHECKING:
    from trine.awslambda.environments.process import Launch


class Custom(Runtime):
    """A runtime that the function brings itself."""

    family = "provided"
    needs_handler = False
    takes_wrapper = False

    def program(self, scene: Scene) -> Launch:
        """Its `bootstrap`. Raises RuntimeMissing."""
        place = scene.place
        folders = [(str(scene.function.code_directory), place.directory)]
        if scene.function.layers_directory is not None:
            folders.append((str(scene.function.layers_directory), scene.opt))
        return replace(place, env=scene.env, argv=(_find_bootstrap(folders),))

    def note(self, name: str, python: str) -> str | None:
        """Nothing: what it needs comes with the function."""
        return None


def _find_bootstrap(folders: Sequence[tuple[str, str]]) -> str:
    # Looked for in (folder, its path for the function).
    for folder, shown in folders:
        path = Path(folder) / "bootstrap"
        if path.is_file():
            if not os.access(path, os.X_OK):
                raise RuntimeMissing(f"fork/exec {shown}/bootstrap: permission denied")
            return f"{shown}/bootstrap"
    raise RuntimeMissing("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
