"""The server's end of the zygote: started in the background, restarted when it dies, asked to fork environments.

Enters a `Launch` (what to run) and leaves a `Process`. Requests made before the zygote is ready wait in its socket, so
nobody waits for it at start-up.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import itertools
import logging
import os
import resource
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from trine.awslambda import limits
from trine.awslambda.environments.process import Exit, Launch, Process, open_ends
from trine.awslambda.head_start import Started, start_interpreter
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)
_RESTARTS_MAX = 5
"""Restarts of a zygote that dies before it was ever ready; then functions cannot be started and callers are told."""


class SandboxLayers(NamedTuple):
    """The layers of isolation that are active."""

    namespaces: bool
    """A file system (`/tmp`, `/var/task`, `/opt`), process ids and a user of its own."""
    landlock: int
    """Version of Landlock: files outside are out of reach. 0 without it."""
    seccomp: bool
    """System calls that leave a sandbox are refused."""


class Zygote:
    """Owner of the zygote process."""

    def __init__(
        self,
        clock: Clock,
        python: str = sys.executable,
        *,
        sandboxed: bool = True,
        sdk: Path | None = None,
        quick_sdk: bool = True,
        on_hopeless: Callable[[], None] = lambda: None,
        started: Started | None = None,
        tries_networks: bool = False,
    ) -> None:
        self._clock = clock
        self.python = python
        self._sandboxed = sandboxed
        self._quick_sdk = quick_sdk
        self._on_hopeless = on_hopeless
        """Called when it cannot be started at all."""
        self.replaced: tuple[str, ...] = ()
        """The pieces of the SDK that run a shorter way in forks."""
        self.sdk_folder = str(sdk or "")
        """A folder with boto3 for an interpreter that has none of its own."""
        self._started = started
        """An interpreter that runs already and waits to be used."""
        self._popen: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._ids = itertools.count(1)
        self._starting: dict[int, Process] = {}
        self._unsent: deque[tuple[int, bytes, list[int]]] = deque()
        self._failures = 0
        self.modules: frozenset[str] = frozenset()
        """Top-level modules that every fork has loaded; empty until the zygote is ready."""
        self.layers = SandboxLayers(False, 0, False)
        """What the zygote found that it can put around functions."""
        self.version: tuple[int, ...] = tuple(sys.version_info[:3])
        self._ready: asyncio.Future[None] | None = None
        self._tries_networks = tries_networks
        self.own_networks: bool | None = None
        """Whether the system gives environments networks of their own; None unless that was to be tried."""

    def start(self) -> None:
        """Start the process; returns at once. Needs a running event loop."""
        loop = asyncio.get_running_loop()
        self._ready = self._ready or loop.create_future()
        started, self._started = self._started, None
        if started is None:
            started = start_interpreter(
                self.python, self.sdk_folder, sandboxed=self._sandboxed, quick_sdk=self._quick_sdk
            )
        self._popen, self._socket = started
        loop.add_reader(self._socket.fileno(), self._read)
        if self._tries_networks and self.own_networks is None:
            self._unsent.appendleft((next(self._ids), b'{"probe":"network"}', []))
            self._send()

    async def ready(self) -> None:
        """Wait until the zygote has loaded everything."""
        assert self._ready is not None
        await asyncio.shield(self._ready)

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call back when forks are served; at once when they are."""
        assert self._ready is not None
        if self._ready.done():
            callback()
        else:
            self._ready.add_done_callback(lambda _: callback())

    @property
    def is_ready(self) -> bool:
        """Whether forks are served now."""
        return self._ready is not None and self._ready.done()

    def launch(self, launch: Launch, on_exit: Callable[[Exit], None]) -> Process:
        """Fork an environment; the answer can be used at once. `on_exit` is called once, when nothing of it is left."""
        process, theirs = open_ends(self._clock, on_exit, with_extensions=bool(launch.extensions))
        number = next(self._ids)
        self._starting[number] = process
        message = orjson.dumps({"id": number, **launch.as_document()})
        self._unsent.append((number, message, theirs))
        self._send()
        return process

    def _send(self) -> None:
        if self._socket is None:
            return
        loop = asyncio.get_running_loop()
        while self._unsent:
            _, message, descriptors = self._unsent[0]
            passed = array.array("i", descriptors).tobytes()
            try:
                self._socket.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
            except BlockingIOError:
                loop.add_writer(self._socket.fileno(), self._send)
                return
            except OSError:
                return  # it has died: the reader sees that and starts another, which gets what is unsent
            self._unsent.popleft()
            close_all(descriptors)
        loop.remove_writer(self._socket.fileno())

    def _read(self) -> None:
        assert self._socket is not None
        try:
            message, descriptors, _, _ = socket.recv_fds(self._socket, 262_144, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            message, descriptors = b"", []
        if not message:
            self._lost()
            return
        self._handle(orjson.loads(message), descriptors[0] if descriptors else None)

    def _handle(self, value: dict[str, Any], descriptor: int | None) -> None:
        if value.get("ready"):
            self.modules = frozenset(value["modules"])
            self.version = tuple(value["python"])
            self.replaced = tuple(value["sdk"])
            self.layers = SandboxLayers(**value["layers"])
            self._failures = 0
            if self.own_networks is not None or not self._tries_networks:
                self._is_complete()
            return
        if "network" in value:
            self.own_networks = bool(value["network"])
            self._is_complete()
            return
        process = self._starting.pop(value["id"])
        if "error" in value:
            process.failed(value["error"])
        else:
            process.started(value["pid"], descriptor)

    def _is_complete(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    def _lost(self) -> None:
        # The zygote died (somebody killed it, or it could not start). Requests it had not served die with its socket,
        # which their processes see at their control sockets; those not yet sent go to the next one.
        self._drop_socket()
        unsent = {number for number, _, _ in self._unsent}
        self._starting = {number: process for number, process in self._starting.items() if number in unsent}
        self._failures += 1
        status = None if self._popen is None else self._popen.wait()
        if self._failures > _RESTARTS_MAX:
            _LOGGER.critical("the zygote cannot be started; functions will not run")
            for process in self._starting.values():
                process.failed("the process that starts functions cannot be started")
            self._starting.clear()
            self._drop_unsent()
            self._on_hopeless()
            return
        _LOGGER.warning("the zygote died (status %s); starting another", status)
        self.start()
        self._send()

    def _drop_socket(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            asyncio.get_running_loop().remove_writer(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _drop_unsent(self) -> None:
        while self._unsent:
            close_all(self._unsent.popleft()[2])

    async def close(self) -> None:
        """End the zygote. Environments are ended by their owners before."""
        self._drop_socket()
        self._drop_unsent()
        popen, self._popen = self._popen, None
        if popen is None:
            return
        try:
            await asyncio.to_thread(popen.wait, limits.SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            popen.kill()
            await asyncio.to_thread(popen.wait)


def close_all(descriptors: list[int]) -> None:
    """Close each; what is closed already is passed over."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def raise_descriptor_limit() -> None:
    """Use as many descriptors as the system lets this process have: each environment holds four."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))
