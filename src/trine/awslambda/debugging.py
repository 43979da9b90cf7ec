"""Where a function waits for its debugger: debugpy for Python, the inspector for Node.js.

Enters a runtime and a port, leaves a `DebugPort`. debugpy is taken from the function's own Python where it is
installed, else installed once into the user's cache; without it a clear line says so (`DebuggerMissing`).
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from pathlib import Path

from trine.awslambda.building.dependencies import DependencyCache, Recipe
from trine.awslambda.building.tool import InstallFailed
from trine.awslambda.function import DebugPort
from trine.awslambda.runtimes.known import runtime_of

HOST = "127.0.0.1"
REQUIREMENT = "debugpy>=1.8,<2"
PROBE_SECONDS = 20.0


class DebuggerMissing(Exception):
    """The function cannot be debugged; the text says what is missing."""


async def debug_port(runtime: str, python: str, port: int, cache: DependencyCache) -> DebugPort:
    """Where the debugger of a function of this runtime listens. Raises DebuggerMissing."""
    _check_free(port)
    debugger = runtime_of(runtime).debugger
    if debugger == "inspector":
        return DebugPort(HOST, port)
    if debugger is None:
        raise DebuggerMissing(f"there is no debugger for {runtime}; Python and Node.js have one")
    found = await _installed(python)
    if found is not None:
        return DebugPort(HOST, port, found)
    try:
        return DebugPort(HOST, port, await cache.install(_recipe(cache, python)))
    except InstallFailed as failure:
        raise DebuggerMissing(f"debugpy is not installed for {python}, and could not be: {failure}") from failure


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DebuggerMissing(f"port {port} cannot be used for its debugger: {error.strerror}") from error


async def _installed(python: str) -> Path | None:
    # The folder that an interpreter has debugpy in.
    code = "import importlib.util as u; s = u.find_spec('debugpy'); print(s.origin if s else '')"
    try:
        process = await asyncio.create_subprocess_exec(
            python, "-c", code, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
    except OSError:
        return None  # whoever installs it tells what is wrong with this interpreter
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PROBE_SECONDS)
    except TimeoutError:
        process.kill()
        return None
    text = output.decode().strip()
    return Path(text).parent.parent if text else None


def _recipe(cache: DependencyCache, python: str) -> Recipe:
    # The list that asks for debugpy is a file like any other, in a folder of its own.
    folder = cache.directory / "debugpy"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.txt").write_text(f"{REQUIREMENT}\n")
    key = hashlib.sha256(f"{REQUIREMENT}\0{python}".encode()).hexdigest()[:40]
    return Recipe("pip", folder, ("requirements.txt",), python, key)
