"""Node.js: the machine's own `node` with Trine's client, whatever version a function asks for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from trine.awslambda.head_start import START
from trine.awslambda.runtimes.runtime import TASK, Runtime, RuntimeMissing, Scene, readable_for

if TYPE_CHECKING:
    from trine.awslambda.environments.process import Launch

_CLIENT = START.with_name("runtime.cjs")


class Nodejs(Runtime):
    """The machine's own `node`."""

    family = "nodejs"
    speaks_by_link = True
    inline_file = "index.js"
    installer = "npm"
    layer_folder = "nodejs"
    debugger = "inspector"

    def program(self, scene: Scene) -> Launch:
        """`node` with the client. Raises RuntimeMissing."""
        function, env, place = scene.function, scene.env, scene.place
        program = shutil.which("node")
        if program is None:
            raise RuntimeMissing("Node.js is not installed: no `node` was found on PATH")
        env["_TRINE_RUNTIME_FD"] = "3"
        own, brought = function.dependencies_directory, function.runtime_packages
        # The first that has a package wins.
        folders = [*([own] if own else []), f"{scene.opt}/nodejs", *([brought] if brought else [])]
        env.setdefault("NODE_PATH", ":".join(f"{folder}/node_modules" for folder in folders))
        if own or brought:
            env["_TRINE_MODULES"] = ":".join(map(str, folders))
        if brought:
            place = replace(place, visible=(*place.visible, str(brought)))
        if place.directory != TASK:  # the user has no home but there; os.homedir(), which the SDK asks, would fail
            env.setdefault("HOME", "/home/sbx_user1051")
        real = Path(program).resolve()
        debug = function.debug
        inspect = () if debug is None else (f"--inspect-brk={debug.host}:{debug.port}",)
        return replace(place, env=env, argv=(str(real), *inspect, str(_CLIENT)), visible=readable_for(place, real))

    def note(self, name: str, python: str) -> str | None:
        """Which version runs instead."""
        program = shutil.which("node")
        if program is None:
            return f"{name}: no `node` was found on PATH"
        there = _major(Path(program).resolve())
        wanted = re.match(r"nodejs(\d+)", name)
        if there is None or wanted is None or wanted[1] == there:
            return None
        return f"{name}: the `node` on PATH is of version {there}; it runs instead"


def _major(program: Path) -> str | None:
    """Its version, from the header that lies with it; None where there is none: asking it takes 40 ms."""
    try:
        header = (program.parents[1] / "include" / "node" / "node_version.h").read_text("ascii", "replace")
    except OSError:
        return None
    found = re.search(r"#define NODE_MAJOR_VERSION (\d+)", header)
    return None if found is None else found[1]
