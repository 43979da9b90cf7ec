"""Servers as processes: started, waited for, measured, ended by their process id."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

READY_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 10.0
TRINE = (str(Path(sys.executable).with_name("trine")),)
"""The command `trine` as it is installed."""


class NotReady(Exception):
    """A server did not answer; the message ends with what it said last."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, path: str = "/") -> bool:
    """Whether anything speaks HTTP on `port`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


class Process:
    """One server process, leader of its own group."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str], directory: Path) -> None:
        self.log = log
        self.started_at = time.perf_counter()
        with log.open("wb") as sink:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                cwd=directory,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_until_ready(self, port: int, path: str = "/") -> float:
        """Seconds from the start to the first answer. Raises NotReady."""
        while not answers(port, path):
            if self._child.poll() is not None or time.perf_counter() - self.started_at > READY_TIMEOUT_SECONDS:
                lines = self.log.read_text(errors="replace").split("\n")
                raise NotReady(f"no answer on port {port}: {' / '.join([line for line in lines if line.strip()][-2:])}")
            time.sleep(0.002)
        return time.perf_counter() - self.started_at

    def signal(self, number: int) -> None:
        """Send the server a signal."""
        self._child.send_signal(number)

    def memory_mib(self) -> tuple[float, float]:
        """Resident memory of the server process, and of it with all its children (proportional set size)."""
        members = [self.pid, *_descendants(self.pid)]
        pss = [_field_kib(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in members]
        return _field_kib(f"/proc/{self.pid}/smaps_rollup", "Rss:") / 1024, sum(pss) / 1024

    def cpu_seconds(self) -> float:
        """Processor time that the server and its living children have used."""
        ticks = 0
        for pid in (self.pid, *_descendants(self.pid)):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End the server and what is left of its process group."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def _descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    found = [int(child) for child in children]
    return found + [below for child in found for below in _descendants(child)]


def _field_kib(path: str, name: str) -> float:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(name):
                return float(line.split()[1])
    except OSError:
        pass
    return 0.0
