"""`trine up` as a user starts it: a process of its own, on free ports, with a state directory of the test's."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "profiles"


def trine(*arguments: str | Path, cwd: Path | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "trine", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class Up:
    """A `trine up` that is ready; `description` is what it printed."""

    def __init__(self, process: subprocess.Popen[str], description: Mapping[str, Any]) -> None:
        self.process, self.description = process, description
        self.url: str = description["frontUrl"]
        self.state = Path(description["stateDirectory"])

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=60)


StartUp = Callable[..., Up]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example in a directory of its own."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "profiles", ignore=shutil.ignore_patterns(".trine")))


@pytest.fixture
def up(project: Path) -> Iterator[StartUp]:
    """Start `trine up` on the project; whatever is left at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str | Path) -> Up:
        process = subprocess.Popen(
            [sys.executable, "-m", "trine", "up", project, "--json",
             "--port", "0", "--aws-port", "0", "--dynamodb-port", "0", *options],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"trine up ended with {process.wait(timeout=60)}"
        return Up(process, json.loads(line))

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
