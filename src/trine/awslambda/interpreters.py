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
import sys
from pathlib import Path

from trine.awslambda.zygote import Zygote
from trine.clock import Clock

_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What AWS's Python runtimes bring; all of it is plain Python and runs in every version."""
_PROGRAMS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How executables begin on Linux and macOS."""
_OLDEST = (3, 9)
_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


def find(version: str) -> str | None:
    """The executable of Python `version` (`3.12`), or None when it is not installed.

    Looks at files only: shims, which are scripts, are passed over, and what lies behind them is looked for where
    version managers keep it. Versions that the guest does not run in count as not installed.
    """
    numbers = version.split(".")
    if len(numbers) != 2 or not all(map(str.isdigit, numbers)) or tuple(map(int, numbers)) < _OLDEST:
        return None
    name = f"python{version}"
    home = Path.home()
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    for root, pattern in (
        (Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", f"{version}.*/bin"),
        (home / ".local" / "share" / "uv" / "python", f"cpython-{version}.*/bin"),
    ):
        folders += sorted(root.glob(pattern), reverse=True)
    for folder in folders:
        path = folder / name
        if _is_program(path):
            return str(path)
    return None


def _is_program(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in _PROGRAMS and os.access(path, os.X_OK)
    except OSError:
        return False


class Interpreters:
    """The zygotes of one service, by interpreter."""

    def __init__(self, clock: Clock, state: Path, *, sandboxed: bool, quick_sdk: bool) -> None:
        self._clock = clock
        self._sdk = state / "sdk"
        self._sandboxed = sandboxed
        self._quick_sdk = quick_sdk
        self._is_started = False
        self.own = Zygote(clock, sandboxed=sandboxed, quick_sdk=quick_sdk)
        self._found: dict[str, str | None] = {_OWN: sys.executable}
        self._zygotes: dict[str, Zygote] = {sys.executable: self.own}

    def start(self) -> None:
        """Start the own zygote and those that functions asked for already; returns at once."""
        self._is_started = True
        for zygote in self._zygotes.values():
            zygote.start()

    def prepare(self, runtime: str) -> None:
        """A function of this runtime exists: its zygote starts now, or with the others."""
        self.zygote(runtime)

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
                self._clock,
                executable,
                sandboxed=self._sandboxed,
                sdk=self._offer_sdk(),
                quick_sdk=self._quick_sdk,
                on_hopeless=lambda: self._give_up(runtime),
            )
            if self._is_started:
                zygote.start()
        return zygote

    def _give_up(self, runtime: str) -> None:
        # An interpreter that does not even start counts as not installed.
        executable = self._found.get(runtime.removeprefix("python"))
        self._found[runtime.removeprefix("python")] = None
        if executable is not None:
            self._zygotes.pop(executable, None)

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
            if link.is_symlink() and link.readlink() != source:
                link.unlink()  # from an environment that has moved since
            with contextlib.suppress(FileExistsError):
                link.symlink_to(source)
        return self._sdk

    async def close(self) -> None:
        """End every zygote."""
        await asyncio.gather(*(zygote.close() for zygote in self._zygotes.values()))
