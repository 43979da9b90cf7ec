"""SnapStart inside the function's process: initialised once, it waits frozen and is forked for each environment.

Enters a runtime that has loaded its handler; returns in each environment that is restored from it, never in the
snapshot itself. A fork shares more than a copied machine would, so whatever could not be kept apart (threads, child
processes, pipes, event loops, files open for writing, shared memory) makes the snapshot unfit: then nothing is forked,
and every environment runs its own init. `restore` lays out the place that a fork moves into.
"""

from __future__ import annotations

import array
import gc
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from . import hooks, linux, logs, sandbox, seccomp, supervisor, wire

UNFIT = "Trine.SnapshotUnfit"
"""Error type that tells the server why nothing can be forked."""
_MESSAGE_MAX_BYTES = 262_144
_PASSED = 5
"""Descriptors of a request: link, log, control, user namespace, mount namespace."""
requests: socket.socket | None = None
"""Where the wish for another environment comes from; None in a process that is no snapshot."""


class Unfit(Exception):
    """The init left something that forks would share; the text says what."""


class _Restored(BaseException):
    """Leads the worker of a fork out of its supervisor's code, back to the runtime."""


def freeze(link: wire.Link) -> None:
    """Run the hooks, become a snapshot, and return in each environment that is forked of it. Raises Unfit, and Fault
    where a hook fails."""
    source = requests
    if source is None:
        return
    hooks.run_before_snapshot()
    reason = _why_unfit(source.fileno())
    if reason is not None:
        raise Unfit(reason)
    _end_connections()
    credentials = _held_credentials()
    program = seccomp.build()  # built once for all
    handled = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks are collected by the kernel
    folder = os.getcwd()
    logs.flush()
    gc.collect()
    gc.freeze()  # forks leave shared pages alone
    link.send(wire.NEXT)  # the snapshot is taken; nothing ever answers this
    while True:
        message, descriptors = _receive(source)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    source.close()
    try:
        _become_environment(json.loads(message), descriptors, folder, program)
    except _Restored as restored:
        request = restored.args[0]
    signal.signal(signal.SIGCHLD, handled if handled is not None else signal.SIG_DFL)
    os.environ.update({name: value for name, value in request["env"].items() if not name.startswith("_TRINE_")})
    for held in credentials:
        held.access_key, held.secret_key = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        held.token = os.environ.get("AWS_SESSION_TOKEN")
    hooks.run_after_restore()


def _receive(source: socket.socket) -> tuple[bytes, list[int]]:
    try:
        message, descriptors, _, _ = socket.recv_fds(source, _MESSAGE_MAX_BYTES, _PASSED)
    except ConnectionError:
        return b"", []
    return message, descriptors


# -- what can be forked ----------------------------------------------------------------------------------------------


def _descriptors(own: int) -> list[tuple[int, str]]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 3 and number != own:
            try:
                found.append((number, os.readlink(f"/proc/self/fd/{name}")))
            except OSError:
                continue  # the one that the folder was read with
    return found


def _why_unfit(own: int) -> str | None:
    # What the init left that forks would share; None when there is nothing.
    threads = len(os.listdir("/proc/self/task")) - 1
    if threads:
        return f"its init left {threads} thread{'s' if threads > 1 else ''} running"
    if linux.children_of(os.getpid()):
        return "its init left a child process running"
    for number, target in _descriptors(own):
        mode = os.fstat(number).st_mode
        if stat.S_ISSOCK(mode):
            if not _is_connection(number):
                return f"its init left a socket open that is no connection ({target})"
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            if target.startswith("/tmp/") or _flags(number) & os.O_ACCMODE != os.O_RDONLY:  # noqa: S108
                return f"its init left {target} open"
        elif not stat.S_ISCHR(mode):
            return f"its init left a descriptor open that forks would share ({target})"
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            if line.split(" ", 2)[1] == "rw-s":
                return "its init left shared memory"
    return None


def _is_connection(number: int) -> bool:
    with socket.socket(fileno=os.dup(number)) as peer:
        if peer.family not in (socket.AF_INET, socket.AF_INET6) or peer.type != socket.SOCK_STREAM:
            return False
        return not peer.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def _end_connections() -> None:
    # As on AWS no connection outlives a snapshot; clients open new ones. Two forks on one would mix their answers.
    for number, _ in _descriptors(-1):
        if stat.S_ISSOCK(os.fstat(number).st_mode) and _is_connection(number):
            with socket.socket(fileno=os.dup(number)) as peer:
                try:
                    peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # not connected any more


def _held_credentials() -> list[Any]:
    # Credentials that clients made in the init hold on to: those of the snapshot, to be exchanged in each fork.
    module = sys.modules.get("botocore.credentials")
    key = os.environ.get("AWS_ACCESS_KEY_ID")
    if module is None or key is None:
        return []
    return [each for each in gc.get_objects() if type(each) is module.Credentials and each.access_key == key]


def _flags(number: int) -> int:
    with open(f"/proc/self/fdinfo/{number}", encoding="ascii") as file:
        return next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))


# -- the fork --------------------------------------------------------------------------------------------------------


def _become_environment(
    request: dict[str, Any], descriptors: list[int], folder: str, program: tuple[bytes, int] | None
) -> NoReturn:
    # The fork moves into its namespaces and stays as the environment's supervisor; its child leaves by `_Restored`.
    try:
        link, log, control, user_namespace, mount_namespace = descriptors
        linux.set_namespace(user_namespace, linux.CLONE_NEWUSER)
        linux.set_namespace(mount_namespace, linux.CLONE_NEWNS)
        linux.drop_capabilities()
        os.setsid()
        linux.die_with_parent()
        os.chdir(folder)
        for source, place in ((log, 1), (log, 2), (link, 3)):
            os.dup2(source, place, inheritable=place != 3)
        for number in (link, log, user_namespace, mount_namespace):
            os.close(number)
        owner = socket.socket(fileno=control)
        _introduce(owner)
        signal.set_wakeup_fd(-1)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        logs.flush()
        os._exit(70)

    def start_worker(wait: Callable[[], None]) -> NoReturn:
        wait()  # for nothing here: the slot is laid out already
        os.setsid()
        linux.die_with_parent()
        signal.set_wakeup_fd(-1)
        _reopen_files()
        sandbox.lock(sandbox.Layers.of(request["layers"], program), request["readable"], [], request["writable"])
        raise _Restored(request)

    no_extensions: dict[str, supervisor.Start] = {}
    supervisor.run(owner, start_worker, no_extensions)


def _introduce(owner: socket.socket) -> None:
    # Tells the server who this process is, by a handle: ids are others outside.
    handle = os.pidfd_open(os.getpid())
    passed = array.array("i", [handle]).tobytes()
    owner.sendmsg([b'{"restored":true}'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
    os.close(handle)


def _reopen_files() -> None:
    # Files are read on from where the init stopped; a descriptor that forks share would share its position.
    for number, target in _descriptors(-1):
        if stat.S_ISREG(os.fstat(number).st_mode):
            fresh = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
            os.lseek(fresh, os.lseek(number, 0, os.SEEK_CUR), os.SEEK_SET)
            os.dup2(fresh, number, inheritable=os.get_inheritable(number))
            os.close(fresh)
