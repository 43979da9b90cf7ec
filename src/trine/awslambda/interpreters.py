"""The Python interpreters of this machine, and the zygote of each that a function asks for.

Enters a runtime's name (`python3.12`), leaves the zygote whose interpreter fits best: the asked version where it is
installed, else the one that runs Trine. Zygotes are started in the background when a function first wants them.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from trine.awslambda.zygote import Zygote
from trine.clock import Clock

_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What AWS's Python runtimes bring; all of it is plain Python and runs in every version."""
_ASK_SECONDS = 5
_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


def find(version: str) -> str | None:
    """The real path of `python{version}`'s executable (behind any shim), or None when it is not installed."""
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    question = "import sys; print('.'.join(map(str, sys.version_info[:2])), sys.executable)"
    try:
        asked = subprocess.run(
            [found, "-I", "-c", question], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    answered, _, executable = asked.stdout.strip().partition(" ")
    return executable if answered == version and os.access(executable, os.X_OK) else None


class Interpreters:
    """The zygotes of one service, by interpreter."""

    def __init__(self, clock: Clock, state: Path, *, sandboxed: bool, quick_sdk: bool) -> None:
        self._clock = clock
        self._sdk = state / "sdk"
        self._sandboxed = sandboxed
        self._quick_sdk = quick_sdk
        self.own = Zygote(clock, sandboxed=sandboxed, quick_sdk=quick_sdk)
        self._found: dict[str, str | None] = {_OWN: sys.executable}
        self._zygotes: dict[str, Zygote] = {sys.executable: self.own}

    def start(self) -> None:
        """Start the own zygote; returns at once."""
        self.own.start()

    def executable(self, runtime: str) -> str:
        """The interpreter for a runtime; Trine's own for everything that is not Python or not installed."""
        if not runtime.startswith("python"):
            return sys.executable
        version = runtime.removeprefix("python")
        if version not in self._found:
            self._found[version] = find(version)
        return self._found[version] or sys.executable

    def note(self, runtime: str) -> str | None:
        """What the manifest should say about a runtime; None when it is exactly there."""
        if runtime.startswith("python") and self.executable(runtime) == sys.executable:
            return None if runtime == f"python{_OWN}" else f"{runtime} is not installed; python{_OWN} runs instead"
        if runtime.startswith("nodejs"):
            return None if shutil.which("node") else f"{runtime}: no `node` was found on PATH"
        return None

    def zygote(self, runtime: str) -> Zygote:
        """The zygote for a runtime, started now when it is the first of its kind."""
        executable = self.executable(runtime)
        zygote = self._zygotes.get(executable)
        if zygote is None:
            zygote = self._zygotes[executable] = Zygote(
                self._clock, executable, sandboxed=self._sandboxed, sdk=self._offer_sdk(), quick_sdk=self._quick_sdk
            )
            zygote.start()
        return zygote

    def _offer_sdk(self) -> Path:
        # A folder with nothing but the SDK's packages of this interpreter: others can import them, and only them.
        self._sdk.mkdir(parents=True, exist_ok=True)
        for name in _SDK:
            spec = importlib.util.find_spec(name)
            if spec is None or spec.origin is None:
                continue
            source = Path(spec.origin)
            source = source.parent if source.name == "__init__.py" else source
            link = self._sdk / source.name
            with contextlib.suppress(FileExistsError):
                link.symlink_to(source)
        return self._sdk

    async def close(self) -> None:
        """End every zygote."""
        await asyncio.gather(*(zygote.close() for zygote in self._zygotes.values()))
