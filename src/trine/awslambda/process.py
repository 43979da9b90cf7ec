"""The operating system's side of one environment: its processes, killed as a whole, and the descriptors to them.

Enters a control socket to the environment's supervisor (`bootstrap/supervisor.py`). Leaves an `Exit`, exactly once,
when no process of the environment is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
from msgspec import Struct

from trine.awslambda import limits
from trine.awslambda.network import NetworkPlan
from trine.clock import Clock, Timer

_KILL_PATIENCE_SECONDS = 0.5
"""A supervisor that has not ended its environment after this long is killed itself."""
_EXIT_PATIENCE_SECONDS = 1.0
"""Time between the end of a runtime's link and its own end; exit functions may run in it."""


_DOORS_MAX = 32
"""Sockets of an environment's own network."""


class Launch(Struct, frozen=True):
    """What an environment's process is made of."""

    env: Mapping[str, str]
    directory: str
    """Working directory and first place of imports."""
    argv: tuple[str, ...] | None = None
    """The program to execute; None runs Python in the fork itself."""
    paths: tuple[str, ...] = ()
    """Further places of imports, after the directory."""
    code: str = ""
    """The folder that becomes `/var/task`, where the sandbox lays out a file system."""
    layers: str | None = None
    """The folder of the merged layers that becomes `/opt`."""
    visible: tuple[str, ...] = ()
    """Further folders that the program needs to read."""
    temporary: str = ""
    """A folder to write to where the environment has no `/tmp` of its own."""
    extensions: tuple[str, ...] = ()
    """Programs to start before the runtime."""
    network: NetworkPlan | None = None
    """The network of its own that it gets; None: it shares the machine's."""
    tmp_mb: int = limits.TMP_DEFAULT_MB
    descriptors_max: int = limits.DESCRIPTORS_MAX

    def as_document(self) -> dict[str, Any]:
        """As the zygote reads it."""
        return {
            "env": dict(self.env),
            "directory": self.directory,
            "argv": None if self.argv is None else list(self.argv),
            "paths": list(self.paths),
            "code": self.code,
            "layers": self.layers,
            "visible": list(self.visible),
            "temporary": self.temporary,
            "extensions": list(self.extensions),
            "network": None if self.network is None else self.network.as_document(),
            "limits": {"descriptors": self.descriptors_max, "tmp_mb": self.tmp_mb},
        }


class Exit(NamedTuple):
    """How an environment ended: the worker's wait status (None: nobody saw it) and the most memory it held."""

    status: int | None
    max_rss_kb: int
    reason: str = ""
    """Why it could not even start, when it could not."""


class Process:
    """One environment's processes. `link` (a socket) and `log` (a pipe) are for the environment to read and close."""

    __slots__ = ("_clock", "_control", "_killing", "_on_exit", "_pidfd", "link", "log", "on_doors",
                 "on_extension_exit", "pid")  # fmt: skip

    def __init__(
        self, link: socket.socket, log: int, control: socket.socket, clock: Clock, on_exit: Callable[[Exit], None]
    ) -> None:
        self.link = link
        self.log = log
        self.pid: int | None = None
        """The supervisor's, once it is known."""
        self.on_extension_exit: Callable[[str, int], None] = lambda name, status: None
        """Called when an extension ends while the environment goes on: its path and its wait status."""
        self.on_doors: Callable[[list[socket.socket]], None] = _close_all
        """Called with the sockets of its own network, once they are made."""
        self._pidfd: int | None = None
        self._clock = clock
        self._on_exit: Callable[[Exit], None] | None = on_exit
        self._killing: Timer | None = None
        self._control: socket.socket | None = control
        control.setblocking(False)
        link.setblocking(False)
        os.set_blocking(log, False)
        asyncio.get_running_loop().add_reader(control.fileno(), self._read)

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left."""
        return self._on_exit is None

    def started(self, pid: int, pidfd: int | None) -> None:
        """The zygote has forked it."""
        self.pid = pid
        if self.ended:
            if pidfd is not None:
                os.close(pidfd)
        else:
            self._pidfd = pidfd

    def failed(self, reason: str) -> None:
        """The zygote could not fork it."""
        self._finish(Exit(None, 0, reason))

    def kill(self) -> None:
        """End every process of the environment, now; `on_exit` follows when that is done."""
        if self._control is None:
            return
        if self._killing is not None:
            self._killing.cancel()
        with contextlib.suppress(OSError):
            self._control.send(b"K")
        self._killing = self._clock.call_later(_KILL_PATIENCE_SECONDS, self._kill_supervisor)

    def shut_down(self, seconds: float) -> None:
        """Ask the runtime to end (SIGTERM) and leave everybody so many seconds; what is left then is killed."""
        if self._control is not None and self._killing is None:
            with contextlib.suppress(OSError):
                self._control.send(b"S")
            self._killing = self._clock.call_later(seconds, self._kill_late)

    def watch_exit(self) -> None:
        """The runtime has closed its link; it is given a moment to end by itself, so that its status is known."""
        if self._control is not None and self._killing is None:
            self._killing = self._clock.call_later(_EXIT_PATIENCE_SECONDS, self._kill_late)

    def _kill_late(self) -> None:
        self._killing = None
        self.kill()

    def _kill_supervisor(self) -> None:
        # Its end takes the worker along (parent-death signal); the zygote adopts and kills whatever else there was.
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _read(self) -> None:
        assert self._control is not None
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, 65_536, _DOORS_MAX)
        except BlockingIOError:
            return
        except ConnectionError:
            message = b""
        if message:
            value = orjson.loads(message)
            if "doors" in value:
                self.on_doors([socket.socket(fileno=descriptor) for descriptor in descriptors])
                return
            if "extension" in value:
                self.on_extension_exit(value["extension"], value["status"])
                return
            self._finish(Exit(value["status"], value["max_rss_kb"]))
        else:
            self._finish(Exit(None, 0))

    def _finish(self, how: Exit) -> None:
        on_exit, self._on_exit = self._on_exit, None
        if self._killing is not None:
            self._killing.cancel()
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        if on_exit is not None:
            on_exit(how)


def _close_all(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()
