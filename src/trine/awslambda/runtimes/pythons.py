"""The Pythons of this machine, and the SDK's packages that those without one of their own are lent.

Looks at files only and imports little: it runs before anything else of a start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import site
import sys
from pathlib import Path

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version that runs Trine."""
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What AWS's Python runtimes bring; all of it is plain Python. A version too old for it goes without."""
_PROGRAMS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How executables begin on Linux and macOS."""
_OLDEST = (3, 9)


def find(version: str) -> str | None:
    """The executable of Python `version` (`3.12`), or None when it is not installed.

    Looks at files only: shims, which are scripts, are passed over, and what lies behind them is looked for where
    version managers keep it. Versions that the guest does not run in count as not installed.
    """
    if version == OWN:
        return sys.executable
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


def takes_sdk(version: str) -> bool:
    """Whether the SDK of the Python that runs Trine loads in another version (`3.9`), by what its package says."""
    if tuple(map(int, version.split("."))) >= sys.version_info[:2]:
        return True
    from importlib.metadata import PackageNotFoundError, metadata  # only now: it takes 10 ms

    try:
        wanted = re.search(r">=\s*(\d+)\.(\d+)", str(metadata("boto3")["Requires-Python"]))
    except PackageNotFoundError:
        return True  # there is nothing to lend
    return wanted is None or tuple(map(int, version.split("."))) >= (int(wanted[1]), int(wanted[2]))


def _is_program(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in _PROGRAMS and os.access(path, os.X_OK)
    except OSError:
        return False


def _is_in_site(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return True  # there is nothing to lend
    return Path(spec.origin).parents[1].resolve() in {Path(folder).resolve() for folder in site.getsitepackages()}


def lent_sdk(executable: str, state: Path) -> Path | None:
    """A folder with nothing but the SDK's packages of this interpreter, for another one; None for the own one.

    The own one needs it too where the SDK lies in the user's site or on PYTHONPATH: functions see neither.
    """
    if executable == sys.executable and _is_in_site("boto3"):
        return None
    folder = state / "sdk"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    for name in _SDK:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        link = folder / source.name
        if link.is_symlink() and link.readlink() != source:
            link.unlink()  # from an environment that has moved since
        with contextlib.suppress(FileExistsError):
            link.symlink_to(source)
    return folder
