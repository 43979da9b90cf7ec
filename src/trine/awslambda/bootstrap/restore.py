"""SnapStart beside the function's process: places into which environments are restored, laid out by its supervisor.

Runs in the first process of the snapshot's namespaces. A place is a mount namespace of its own whose `/tmp` is one of
the slots that the snapshot may write to (Landlock's rules are set before the init runs and cannot be widened), inside
a user namespace that the fork may enter because it has the same owner.
"""

from __future__ import annotations

import array
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable
from typing import Any, NoReturn

from . import linux, mounts, sandbox

_SLOTS = "/dev/slots"
_TMP = "/tmp"  # noqa: S108 -- the environment's own
_NAMESPACES = linux.CLONE_NEWUSER | linux.CLONE_NEWNS


def slot_folder(slot: int) -> str:
    """Where the future `/tmp` number `slot` is mounted in the snapshot's namespace."""
    return f"{_SLOTS}/{slot}"


def make_slots(slots: int, tmp_mb: int) -> list[str]:
    """Mount so many empty folders; their paths."""
    if not slots:
        return []
    os.mkdir(_SLOTS)
    linux.mount("tmpfs", _SLOTS, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=64k,mode=700")
    folders = [slot_folder(slot) for slot in range(slots)]
    for folder in folders:
        os.mkdir(folder)
        options = f"size={tmp_mb}m,mode=1777,nr_inodes=65536"
        linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    return folders


class Restorer:
    """Serves the server's wishes for one snapshot. `theirs` is the snapshot's end of the socket between both."""

    def __init__(self, layers: sandbox.Layers, readable: list[str]) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._layers = layers
        self._readable = readable
        self._wiping: dict[int, int] = {}
        self._laying_out: set[int] = set()

    def serve(self, message: bytes, descriptors: list[int], family: set[int]) -> None:
        """One wish: `restore` (with link, log and control) or `wipe`, each with its slot. `family` are the processes
        that belong to the snapshot; what else has been left here by an environment is killed before its wipe."""
        wish = json.loads(message)
        slot = wish["slot"]
        if "restore" in wish:
            self._laying_out.add(self._fork(_NAMESPACES, lambda: self._restore(slot, wish["restore"], descriptors)))
        else:
            for pid in linux.children_of(os.getpid()):
                if pid not in family and pid not in self._wiping and pid not in self._laying_out:
                    os.kill(pid, signal.SIGKILL)
            self._wiping[self._fork(0, lambda: _wipe(slot))] = slot
        for descriptor in descriptors:
            os.close(descriptor)

    def reaped(self, pid: int, status: int) -> dict[str, Any] | None:
        """A child has ended; what the server is told of it: a slot that is empty again."""
        self._laying_out.discard(pid)
        slot = self._wiping.pop(pid, None)
        return None if slot is None else {"wiped": slot, "status": status}

    def _fork(self, namespaces: int, work: Callable[[], None]) -> int:
        pid = linux.fork_into(namespaces)
        if pid == 0:
            status = 1
            try:
                signal.set_wakeup_fd(-1)
                work()
                status = 0
            finally:
                os._exit(status)
        return pid

    def _restore(self, slot: int, request: dict[str, Any], descriptors: list[int]) -> None:
        # In the first process of the new namespaces; it ends when the fork has been handed the keys.
        mounts.map_user(sandbox.USER_INSIDE, sandbox.USER_INSIDE, sandbox.USER_INSIDE)
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        folder = slot_folder(slot)
        kept = mounts.Kept(self._readable)
        _copy(_TMP, folder)
        linux.mount(folder, _TMP, None, linux.MS_BIND)
        kept.lay(_TMP)
        linux.mount("tmpfs", _SLOTS, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=4k,mode=000")
        keys = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("user", "mnt")]
        told = {
            "env": request["env"],
            "layers": self._layers.as_document(),
            "readable": self._readable,
            "writable": [_TMP],
        }
        passed = array.array("i", [*descriptors, *keys]).tobytes()
        self.ours.sendmsg([json.dumps(told).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])


def _copy(source: str, target: str) -> None:
    # What the init wrote is part of the snapshot; what is only mounted there is not.
    device = os.stat(source).st_dev
    for entry in os.scandir(source):
        place = f"{target}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), place)
        elif entry.is_dir():
            if os.stat(entry.path).st_dev == device:
                os.mkdir(place)
                _copy(entry.path, place)
        elif entry.is_file():
            shutil.copy2(entry.path, place)


def _wipe(slot: int) -> NoReturn:
    linux.die_with_parent()
    folder = slot_folder(slot)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    os._exit(0)
