"""Peers come from the registries into a cache directory, never into the repository.

A peer that cannot be installed (no npm, no network, another processor) is named with the reason and left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

INSTALL_TIMEOUT_SECONDS = 900
NPM_PACKAGES = {
    "dynalite": ("dynalite@4",),
    "dynoxide": ("@dynoxide/linux-x64@1",),
    "serverless-offline": ("osls@3", "serverless-offline@14"),
}
PYTHON_PACKAGES = {"ministack": ("ministack", "boto3"), "moto": ("moto[server]",)}


class NotInstalled(Exception):
    """A peer cannot be had on this machine; the message says why."""


class Cache:
    """The directory that holds the peers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._failed: dict[str, str] = {}

    def npm_directory(self, peer: str) -> Path:
        """Directory with `node_modules` of an npm peer, installed if need be. Raises NotInstalled."""
        target = self.directory / "npm" / peer
        if not (target / "installed").exists():
            if shutil.which("npm") is None:
                raise NotInstalled("npm is not on PATH")
            target.mkdir(parents=True, exist_ok=True)
            (target / "package.json").write_text('{"private": true}')
            self._run(
                peer, ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *NPM_PACKAGES[peer]], target
            )
            (target / "installed").touch()
        return target

    def python(self, peer: str) -> Path:
        """The interpreter of a virtual environment that holds a PyPI peer. Raises NotInstalled."""
        target = self.directory / "python" / peer
        if not (target / "installed").exists():
            self._run(peer, [sys.executable, "-m", "venv", str(target)], self.directory)
            pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            self._run(peer, [*pip, *PYTHON_PACKAGES[peer]], target)
            (target / "installed").touch()
        return target / "bin" / "python"

    def _run(self, peer: str, command: list[str], directory: Path) -> None:
        if peer in self._failed:
            raise NotInstalled(self._failed[peer])
        directory.mkdir(parents=True, exist_ok=True)
        print(f"installing {peer} into {directory} …", file=sys.stderr, flush=True)
        try:
            done = subprocess.run(
                command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_SECONDS, check=False
            )
            failure = "" if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip())[-300:]
        except (OSError, subprocess.TimeoutExpired) as error:
            failure = str(error)
        if failure:
            self._failed[peer] = failure
            raise NotInstalled(failure)
