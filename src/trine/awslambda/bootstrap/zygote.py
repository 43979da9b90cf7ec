"""The process that environments are forked from: Python with boto3 loaded, one thread, no secret, a clean environment.

Enters requests of the server over a socket that keeps message boundaries: JSON and three descriptors (link, log,
control). Leaves a supervisor process for each and answers with its pid (and a pidfd, so that a signal can never hit
another process). Ends when the server's end of the socket closes.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from . import linux, mounts, network, restore, sandbox, sdk, sdk_guard, supervisor, worker

_MESSAGE_MAX_BYTES = 262_144
_DESCRIPTORS = 4
_CONTROL_FD = 4
_GUEST = ("runtime", "wire", "context", "faults", "logs", "hooks", "snapshot")
_STANDARD = ("base64", "concurrent.futures", "csv", "dataclasses", "datetime", "decimal", "enum", "functools",
             "hashlib", "hmac", "http.client", "json", "logging", "random", "re", "ssl", "string", "threading",
             "typing", "urllib.parse", "urllib.request", "uuid")  # fmt: skip
"""Loaded before the first fork; the SDK needs most of it anyway."""
_LATER = ("asyncio", "statistics", "zoneinfo")
"""Loaded while nobody asks for a fork; an early fork loads them itself."""
_QUIET_MILLISECONDS = 20


def main(descriptor: str, sandboxed: str, sdk_folder: str, accelerated: str) -> NoReturn:
    """Serve forks on the inherited socket `descriptor`; `sandboxed` puts on what layers the system offers."""
    gc.disable()  # nothing that is loaded here dies: collecting costs a quarter of the loading
    server = socket.socket(fileno=int(descriptor))
    linux.adopt_orphans()
    for name in _GUEST:
        importlib.import_module(f"{__package__}.{name}")
    for name in _STANDARD:
        importlib.import_module(name)
    if sdk_folder:
        sys.path.append(sdk_folder)
    warm_resources = sdk.preload()
    if sdk_folder and warm_resources is None:
        sys.path.remove(sdk_folder)  # what does not load is not there
    quick = sdk_guard.install() if warm_resources and accelerated == "quick" else {}
    worker.quick_sdk.update(quick)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    sandbox.own_folders()
    layers = sandbox.probe() if sandboxed == "sandboxed" else sandbox.Layers()
    gc.freeze()
    loaded = sorted({name.partition(".")[0] for name in (*sys.modules, *_LATER)})
    _send(server, {"ready": True, "sdk": sorted(quick), "modules": loaded, "python": list(sys.version_info[:3]),
                   "layers": layers.as_document()})  # fmt: skip
    later = [*map(_importing, _LATER), *([warm_resources] if warm_resources else [])]
    poll = select.poll()
    poll.register(server.fileno(), select.POLLIN | select.POLLHUP)
    poll.register(wake_read, select.POLLIN)
    living: set[int] = set()
    while True:
        events = poll.poll(_QUIET_MILLISECONDS if later else None)
        if not events:
            later.pop(0)()
            gc.freeze()
        for ready, _ in events:
            if ready == wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 512)
                _reap(living)
            else:
                _serve(server, living, layers)


def _importing(name: str) -> Callable[[], object]:
    return lambda: importlib.import_module(name)


def _serve(server: socket.socket, living: set[int], layers: sandbox.Layers) -> None:
    try:
        message, descriptors = _receive(server)
    except ConnectionError:  # the server ended without reading what was sent to it, such as the word "ready"
        os._exit(0)
    if not message:
        os._exit(0)
    request = json.loads(message)
    user, group = os.geteuid(), os.getegid()
    if request.get("probe") == "network":
        can = layers.has_namespaces and network.can(user, group, sandbox.USER_INSIDE, sandbox.NAMESPACES)
        _send(server, {"network": can})
        return
    own_network = network.NAMESPACE if request["network"] else 0
    try:
        pid = linux.fork_into(sandbox.NAMESPACES | own_network if layers.has_namespaces else 0)
    except OSError as error:
        for descriptor in descriptors:
            os.close(descriptor)
        _send(server, {"id": request["id"], "error": str(error)})
        return
    if pid == 0:
        server.detach()
        _become_supervisor(request, descriptors, layers, user, group)
    for descriptor in descriptors:
        os.close(descriptor)
    living.add(pid)
    _answer(server, {"id": request["id"], "pid": pid}, pid)


def _answer(server: socket.socket, value: dict[str, Any], pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        _send(server, value)
        return
    _send(server, value, handle)
    os.close(handle)


def _send(server: socket.socket, value: dict[str, Any], descriptor: int | None = None) -> None:
    passed = array.array("i", [] if descriptor is None else [descriptor])
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed.tobytes())] if passed else []
    try:
        server.sendmsg([json.dumps(value).encode()], ancillary)
    except (BrokenPipeError, ConnectionError):
        os._exit(0)


def _receive(server: socket.socket) -> tuple[bytes, list[int]]:
    try:
        message, descriptors, _, _ = socket.recv_fds(server, _MESSAGE_MAX_BYTES, _DESCRIPTORS)
    except ConnectionError:
        return b"", []  # the owner ended with answers of ours unread
    return message, descriptors


def _become_supervisor(
    request: dict[str, Any], descriptors: list[int], layers: sandbox.Layers, user: int, group: int
) -> NoReturn:
    # Descriptors go to fixed places and everything else is closed: nothing of the zygote or a sibling stays open.
    signal.set_wakeup_fd(-1)
    gc.enable()
    try:
        os.setsid()
        link, log, held, *more = (fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in descriptors)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        for source, place in ((log, 1), (log, 2), (link, worker.RUNTIME_FD), (held, _CONTROL_FD)):
            os.dup2(source, place)
        for extension_log in more:
            os.dup2(extension_log, worker.EXTENSION_LOG_FD, inheritable=False)
        os.closerange(_CONTROL_FD + 1 + len(more), 1 << 20)
        os.set_inheritable(worker.RUNTIME_FD, False)
        os.set_inheritable(_CONTROL_FD, False)
        owner = socket.socket(fileno=_CONTROL_FD)
        lay_out: Callable[[], None] | None = partial(_lay_out, request, layers, user, group, owner)
        slots, restorer = request["slots"], None
        if layers.has_namespaces:
            sandbox.bound_user(user, max(1, slots))
        if slots or not layers.has_namespaces:
            _lay_out(request, layers, user, group, owner)
            lay_out = None  # nothing is left to be done beside the worker's beginning
        if slots:
            request["slot_folders"] = restore.make_slots(slots, request["limits"]["tmp_mb"])
            restorer = restore.Restorer(layers, worker.readable(request))
            request["requests"] = restorer.theirs
        extensions: dict[str, supervisor.Start] = {
            path: partial(worker.run_extension, request, layers, path) for path in request["extensions"]
        }
        supervisor.run(owner, partial(worker.run, request, layers), extensions, restorer, lay_out)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(70)


def _lay_out(request: dict[str, Any], layers: sandbox.Layers, user: int, group: int, owner: socket.socket) -> None:
    """In the environment's first process: the place that all others find, file system and network."""
    if layers.has_namespaces:
        visible, tmp_mb = [*sandbox.own_folders(), *request["visible"]], request["limits"]["tmp_mb"]
        crowd = max(1, request["slots"])
        sandbox.enter_namespaces(
            user, group, request["code"], request["layers"], visible, request["hidden"], tmp_mb, crowd
        )
        if request["extensions"]:
            mounts.name_itself()
    if request["network"]:
        network.send(owner, b'{"doors":true}', network.lay_out(request["network"]))


def _reap(living: set[int]) -> None:
    # Collects supervisors that have ended. A child that this process did not fork was adopted from a supervisor that
    # somebody killed: it belongs to no environment any more.
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        living.discard(pid)
    for pid in linux.children_of(os.getpid()):
        if pid not in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
