"""The operating system's side of one environment: its processes, killed as a whole, and the descriptors to them.

Enters a control socket to the environment's supervisor (`bootstrap/supervisor.py`). Leaves an `Exit`, exactly once,
when no process of the environment is left.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from msgspec import Struct

from trine.awslambda import limits
from trine.awslambda.environments.network import NetworkPlan
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
    hidden: tuple[str, ...] = ()
    """Folders below the code or the layers that the function may not see: the server's own state."""
    extensions: tuple[str, ...] = ()
    """Programs to start before the runtime."""
    network: NetworkPlan | None = None
    """The network of its own that it gets; None: it shares the machine's."""
    tmp_mb: int = limits.TMP_DEFAULT_MB
    descriptors_max: int = limits.DESCRIPTORS_MAX
    slots: int = 0
    """Environments that can be restored from it at once, when it is to become a snapshot."""

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
            "hidden": list(self.hidden),
            "temporary": self.temporary,
            "extensions": list(self.extensions),
            "network": None if self.network is None else self.network.as_document(),
            "slots": self.slots,
            "limits": {"descriptors": self.descriptors_max, "tmp_mb": self.tmp_mb},
        }


class Exit(NamedTuple):
    """How an environment ended: the worker's wait status (None: nobody saw it) and the most memory it held."""

    status: int | None
    max_rss_kb: int
    reason: str = ""
    """Why it could not even start, when it could not."""


def open_ends(
    clock: Clock, on_exit: Callable[[Exit], None], *, with_extensions: bool = False
) -> tuple[Process, list[int]]:
    """An environment's process before it exists, and the descriptors that it is to be born with: link, log, control,
    and the log of extensions where it has some."""
    link, guest_link = socket.socketpair()
    control, guest_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    log, guest_log = os.pipe()
    process = Process(link, log, control, clock, on_exit)
    theirs = [guest_link.detach(), guest_log, guest_control.detach()]
    if with_extensions:
        process.extension_log, extension_log = os.pipe()
        os.set_blocking(process.extension_log, False)
        theirs.append(extension_log)
    return process, theirs


def _pid_behind(pidfd: int) -> int:
    # The process id as it is in this process's own namespace; -1 when it has ended already.
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("Pid:")), -1)


class Process:
    """One environment's processes. `link` (a socket) and `log` (a pipe) are for the environment to read and close."""

    __slots__ = ("_clock", "_control", "_killing", "_on_exit", "_pidfd", "extension_log", "link", "log",
                 "on_doors", "on_extension_exit",
                 "on_slot_wiped", "on_started", "pid")  # fmt: skip

    def __init__(
        self, link: socket.socket, log: int, control: socket.socket, clock: Clock, on_exit: Callable[[Exit], None]
    ) -> None:
        self.link = link
        self.log = log
        self.extension_log: int | None = None
        """The pipe behind the extensions' output, where there are some; for whoever reads it to close."""
        self.pid: int | None = None
        """The supervisor's, once it is known."""
        self.on_extension_exit: Callable[[str, int], None] = lambda name, status: None
        """Called when an extension ends while the environment goes on: its path and its wait status."""
        self.on_doors: Callable[[list[socket.socket]], None] = _close_all
        """Called with the sockets of its own network, once they are made."""
        self.on_slot_wiped: Callable[[int, int], None] = lambda slot, status: None
        """Called when a snapshot's slot has been wiped: its number, and 0 when it is empty."""
        self.on_started: Callable[[int], None] = lambda pid: None
        """Called once the supervisor is known, with its process id."""
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
            self.on_started(pid)

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

    def ask(self, wish: dict[str, Any], descriptors: Sequence[int] = ()) -> bool:
        """Ask the supervisor of a snapshot for something; False when it cannot be asked any more."""
        if self._control is None:
            return False
        passed = array.array("i", descriptors).tobytes()
        try:
            self._control.sendmsg([orjson.dumps(wish)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        except OSError:
            return False
        return True

    def _read(self) -> None:
        assert self._control is not None
        try:
            message, passed, _, _ = socket.recv_fds(self._control, 65_536, _DOORS_MAX)
        except BlockingIOError:
            return
        except ConnectionError:
            message, passed = b"", []
        try:
            value = orjson.loads(message)
            self._heard(value, passed)
        except (orjson.JSONDecodeError, KeyError, TypeError):  # its end, or a supervisor that lost its mind
            self._finish(Exit(None, 0))

    def _heard(self, value: dict[str, Any], passed: list[int]) -> None:
        if "doors" in value:
            self.on_doors([socket.socket(fileno=descriptor) for descriptor in passed])
            return
        if "restored" in value and len(passed) == 1 and self._pidfd is None:
            self.started(_pid_behind(passed[0]), passed[0])
            return
        for descriptor in passed:
            os.close(descriptor)
        if "extension" in value:
            self.on_extension_exit(str(value["extension"]), int(value["status"]))
        elif "wiped" in value:
            self.on_slot_wiped(int(value["wiped"]), int(value["status"]))
        else:
            self._finish(Exit(int(value["status"]), int(value["max_rss_kb"])))

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
