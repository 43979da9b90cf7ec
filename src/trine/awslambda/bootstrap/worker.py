"""From a fresh fork to the function's process: session, limits, environment, folder; then the runtime or an exec.

Enters the zygote's request (plain values). Does not return.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import hooks, linux, logs, sandbox, sdk_guard, snapshot

quick_sdk: dict[str, Callable[[], None]] = {}
"""Replaced functions of the SDK in this process, each with what puts the original back."""
RUNTIME_FD = 3
"""The descriptor of the link to the Runtime API in every function's process."""

EXTENSION_LOG_FD = 5
"""The pipe that extensions write to, in environments that have some."""


def run(request: dict[str, Any], layers: sandbox.Layers, wait: Callable[[], None]) -> NoReturn:
    """Become the process that `request` describes: `env`, `directory`, `paths`, `argv` (None: Python in this fork).

    What needs no place is done before `wait`, while the supervisor lays it out.
    """
    if request["extensions"]:
        os.close(EXTENSION_LOG_FD)
    _enter(request)
    if request["argv"] is None:
        logs.set_up()
    wait()
    _lock(request, layers)
    requests: socket.socket | None = request.get("requests")
    if request["argv"] is not None:
        if requests is not None:
            requests.set_inheritable(True)
            request["env"]["_TRINE_SNAPSHOT_FD"] = str(requests.fileno())
        _execute(request["argv"], request["env"])
    from . import runtime

    snapshot.requests = requests
    hooks.offer()

    wanted = request["env"].get("TRINE_SDK")
    if wanted == "stock":
        for restore in quick_sdk.values():
            restore()
    elif wanted == "straight":
        sdk_guard.install_straight(quick_sdk)
    sys.path[:0] = [request["directory"], *request["paths"]]
    connection = socket.socket(fileno=RUNTIME_FD)
    runtime.run(connection)


def run_extension(request: dict[str, Any], layers: sandbox.Layers, path: str, wait: Callable[[], None]) -> NoReturn:
    """Become an external extension: the same place and limits as the function, its own program, no link."""
    for descriptor in (1, 2):
        os.dup2(EXTENSION_LOG_FD, descriptor)
    _enter(request)
    wait()
    _lock(request, layers)
    os.close(RUNTIME_FD)
    env = {name: value for name, value in request["env"].items() if not name.startswith("_TRINE_")}
    _execute([path], env)


def _lock(request: dict[str, Any], layers: sandbox.Layers) -> None:
    try:
        os.chdir(request["directory"])
        writable = [request["temporary"]] if request["temporary"] else []
        # The environment's own `/tmp`; where it has none, the machine's, for handlers that write there are many: unless
        # that would open the code, too.
        if layers.has_namespaces or not request["code"].startswith("/tmp/"):  # noqa: S108
            writable.append("/tmp")  # noqa: S108
        if not layers.has_namespaces:
            sys.dont_write_bytecode = True  # nothing is written beside the code, which is no read-only copy here
        slots = request.get("slot_folders", [])
        sandbox.lock(layers, readable(request), request["hidden"], [*writable, *slots], may_move=bool(slots))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(127)


def readable(request: dict[str, Any]) -> list[str]:
    """Folders that the process may read on top of the system's."""
    return [*sandbox.own_folders(), *request["visible"], request["directory"]]


def _enter(request: dict[str, Any]) -> None:
    os.setsid()  # its own group: signals it sends to its group do not reach the supervisor
    linux.die_with_parent()
    signal.set_wakeup_fd(-1)
    # What the server ignores (`nohup` and a shell's `&` see to that) ends a function as it does on AWS.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(
            number, signal.SIG_IGN if number == signal.SIGPIPE and request["argv"] is None else signal.SIG_DFL
        )
    limits = request["limits"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits["descriptors"], limits["descriptors"]))
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.umask(0o022)


def _execute(argv: list[str], env: dict[str, str]) -> NoReturn:
    if "_TRINE_RUNTIME_FD" in env:
        os.set_inheritable(RUNTIME_FD, True)
    try:
        os.execve(argv[0], argv, env)  # noqa: S606 -- the runtime itself
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)
