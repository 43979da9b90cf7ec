"""The first process of an environment: it starts the worker, adopts what the worker leaves behind and ends all of it.

Enters the control socket to the server. `K` or its end (the server is gone) kills every process of the environment.
When the worker ends by itself, whatever it left behind is killed too and one JSON line says how it ended. Where the
worker is a snapshot, wishes for environments come in over the same socket and go to a `Restorer`.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NoReturn

from . import linux
from .restore import Restorer

_MESSAGE_MAX_BYTES = 262_144
_PASSED = 3
Start = Callable[[Callable[[], None]], NoReturn]
"""What a fresh process of the environment does. It is given what it has to call before it uses its place (files,
network): that returns when the place is laid out."""


def run(
    control: socket.socket,
    start_worker: Start,
    extensions: dict[str, Start],
    restorer: Restorer | None = None,
    lay_out: Callable[[], None] | None = None,
) -> NoReturn:
    """Fork the extensions (by their paths) and the worker, and stay until the environment has no process left.

    `lay_out` makes their place while they begin: of a cold start's 15 ms the mounts take 2.5 and what a fresh fork does
    for itself as much. None: it is made already.
    """
    linux.adopt_orphans()
    gate_read, gate_write = os.pipe()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    beside: dict[int, str] = {}
    for path, start in (*extensions.items(), ("", start_worker)):
        worker = os.fork()
        if worker == 0:
            control.close()
            if restorer is not None:
                restorer.ours.close()
            for descriptor in (wake_read, wake_write, gate_write):
                os.close(descriptor)
            start(partial(_pass, gate_read))
        beside[worker] = path
    os.close(gate_read)
    if lay_out is not None:
        lay_out()
    with contextlib.suppress(BrokenPipeError):  # they have ended
        os.write(gate_write, bytes(len(beside)))
    os.close(gate_write)
    del beside[worker]
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2, 3, *((5,) if extensions else ())):
        os.dup2(nowhere, descriptor)  # the worker alone holds its log and its link, so their end can be seen
    os.close(nowhere)
    if restorer is not None:
        restorer.theirs.close()
    status = _wait(control, wake_read, worker, beside, restorer)
    if status is None:
        status = end_all(worker)
    else:
        end_all(worker, reaped=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    _tell(control, {"status": status, "max_rss_kb": used.ru_maxrss})
    os._exit(0)


def _pass(gate: int) -> None:
    # A byte for each who waits; the gate's end when the supervisor could not do its part, and has told why.
    if not os.read(gate, 1):
        os._exit(127)
    os.close(gate)


def _wait(
    control: socket.socket, wake: int, worker: int, beside: dict[int, str], restorer: Restorer | None
) -> int | None:
    # The worker's wait status, or None when the environment is to be ended. `S` asks the worker to end, and leaves the
    # extensions `beside` it the time that is theirs.
    shutting = False
    found: int | None = None
    poll = select.poll()
    poll.register(control.fileno(), select.POLLIN | select.POLLHUP)
    poll.register(wake, select.POLLIN)
    while True:
        for pid, status in _reap():
            if pid == worker:
                found = status
            elif pid in beside:
                path = beside.pop(pid)
                if not shutting:
                    _tell(control, {"extension": path, "status": status})
            elif restorer is not None and (told := restorer.reaped(pid, status)) is not None:
                _tell(control, told)
        if found is not None and not (shutting and beside):
            return found
        for descriptor, _ in poll.poll():
            if descriptor != wake:
                message, passed = _received(control)
                if restorer is not None and message.startswith(b"{"):
                    restorer.serve(message, passed, {worker, *beside})
                    continue
                if message != b"S":
                    return None
                shutting = True
                if found is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(worker, signal.SIGTERM)
                continue
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)


def _tell(control: socket.socket, value: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        control.send(json.dumps(value).encode())


def _received(control: socket.socket) -> tuple[bytes, list[int]]:
    try:
        message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_MAX_BYTES, _PASSED)
    except OSError:
        return b"", []
    return message, descriptors


def _reap() -> Iterator[tuple[int, int]]:
    # Collects every child that has ended: its pid and wait status.
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def end_all(worker: int, reaped: bool = False) -> int:
    """Kill every process of this environment and collect it; the worker's wait status (0 when already `reaped`).

    Killed processes hand their children to this one, so it goes round until none is left.
    """
    reaches_all = os.getpid() == 1  # of a PID namespace: one call reaches all others in it, those being forked too
    if reaches_all:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    elif not reaped:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    status = 0
    while True:
        if not reaches_all:
            for pid in linux.descendants_of(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            ended = [os.waitpid(-1, 0)]
        except ChildProcessError:
            return status
        # Of a thousand that died together all are collected before the next look for what they left behind.
        for pid, found in (*ended, *_reap()):
            if pid == worker:
                status = found
