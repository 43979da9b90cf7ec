"""The layers that keep a function in its place, in the order in which they are put on; each works without the others.

Namespaces (user, mount, pid, ipc, uts) with a file system of its own; no capabilities; Landlock; seccomp last. What the
system offers is probed once, in a process that ends at once; what is missing is left out and told.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import sys
from typing import Any

from . import landlock, linux, mounts, seccomp

USER_INSIDE = 993
"""The user id that functions see, as on AWS (`sbx_user1051`)."""
PROCESSES_BOUND = 1_024 + 64
"""Processes and threads of one environment at the very most: a little more than Lambda's 1,024, at which the server's
watch ends it."""
_CROWD_MAX = 8
"""Environments of one snapshot share its process ids: as many as this may be full at once."""
_PIDS_RESERVED = 300
"""The kernel gives out no lower numbers once it has begun anew (RESERVED_PIDS)."""
NAMESPACES = linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc", "/opt", "/proc", "/sys", "/dev", mounts.TASK,
           "/run")  # fmt: skip
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")


class Layers:
    """What this system offers, found by `probe`."""

    __slots__ = ("filter", "has_namespaces", "landlock_abi")

    def __init__(self) -> None:
        self.has_namespaces = False
        self.landlock_abi = 0
        self.filter: tuple[bytes, int] | None = None

    @classmethod
    def of(cls, document: dict[str, Any], program: tuple[bytes, int] | None) -> Layers:
        """The layers that `as_document` told of, with the filter that was built."""
        layers = cls()
        layers.has_namespaces, layers.landlock_abi = document["namespaces"], document["landlock"]
        layers.filter = program if document["seccomp"] else None
        return layers

    def as_document(self) -> dict[str, Any]:
        """For the server and its manifest."""
        return {
            "namespaces": self.has_namespaces,
            "landlock": self.landlock_abi,
            "seccomp": self.filter is not None,
        }


@functools.lru_cache(maxsize=1)
def own_folders() -> tuple[str, ...]:
    """Folders that the interpreter and the guest themselves live in; found once, in the zygote."""
    folders = [sys.prefix, sys.base_prefix, os.path.dirname(os.path.abspath(__file__))]
    folders += [entry for entry in sys.path if os.path.isdir(entry)]
    boto3 = sys.modules.get("boto3")
    if boto3 is not None and boto3.__file__:  # may be lent by another interpreter, behind a link
        folders.append(os.path.dirname(os.path.dirname(os.path.realpath(boto3.__file__))))
    wanted: list[str] = []
    for folder in folders:
        real = os.path.realpath(folder)
        for path in (folder, real):
            if path not in wanted and path not in ("/", "/usr"):
                wanted.append(path)
    return tuple(wanted)


def probe() -> Layers:
    """Try everything once in a process of its own."""
    layers = Layers()
    if not linux.machine_is_known():
        return layers
    layers.landlock_abi = landlock.abi()
    layers.filter = seccomp.build()
    for namespaces in (NAMESPACES, 0):
        layers.has_namespaces = namespaces != 0
        found = _try(layers, namespaces)
        if found is not None:
            return found
    return Layers()


def _try(layers: Layers, namespaces: int) -> Layers | None:
    # None when the process could not be made or its file system not be laid out.
    read, write = os.pipe()
    user, group = os.geteuid(), os.getegid()
    try:
        pid = linux.fork_into(namespaces)
    except OSError:
        os.close(read)
        os.close(write)
        return None
    if pid == 0:
        result: dict[str, bool] = {}
        try:
            if namespaces:
                enter_namespaces(user, group, "/usr", None, [*own_folders()], [], 1)
            result = _try_each(layers)
        finally:
            os.write(write, json.dumps(result).encode())
            os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    answer = json.loads(text or b"{}")
    if not answer:
        return None
    if not answer["landlock"]:
        layers.landlock_abi = 0
    if not answer["seccomp"]:
        layers.filter = None
    return layers


def _try_each(layers: Layers) -> dict[str, bool]:
    result = {"landlock": False, "seccomp": False}
    linux.drop_capabilities()
    if layers.landlock_abi:
        with contextlib.suppress(OSError):
            landlock.restrict(layers.landlock_abi, ["/usr"], [], [], [])
            result["landlock"] = True
    if layers.filter is not None and linux.forbid_new_privileges():
        with contextlib.suppress(OSError):
            linux.install_filter(*layers.filter)
            result["seccomp"] = True
    return result


def enter_namespaces(
    user: int,
    group: int,
    code: str,
    layers_folder: str | None,
    visible: list[str],
    hidden: list[str],
    tmp_mb: int,
    crowd: int = 1,
) -> None:
    """In the first process of the new namespaces: become its user and lay out its file system. So many environments
    (`crowd`) are to share them."""
    mounts.map_user(USER_INSIDE, user, group)
    mounts.arrange(code, layers_folder, visible, hidden, tmp_mb)
    _bound_processes(PROCESSES_BOUND * min(crowd, _CROWD_MAX))


def _bound_processes(bound: int) -> None:
    """In the first process of the new namespaces: let the kernel itself end the growth of a fork bomb.

    A bomb whose children fork too has doubled to tens of thousands before anybody looks; bounded, it is found by the
    server's watch, which ends it. `pid_max` belongs to the pid namespace since Linux 6.14 (before, it was the whole
    machine's: never written there). What older kernels offer instead is `bound_user`.
    """
    if _release() >= (6, 14):
        with contextlib.suppress(OSError), open("/proc/sys/kernel/pid_max", "w", encoding="ascii") as file:
            file.write(str(_PIDS_RESERVED + bound))


def bound_user(user: int, crowd: int) -> None:
    """The same by RLIMIT_NPROC, which counts within the user namespace since Linux 5.14, and not for root. What this
    process starts from now on inherits it."""
    bound = PROCESSES_BOUND * min(crowd, _CROWD_MAX)
    if _release() >= (5, 14) and user != 0:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NPROC, (bound, bound))


def _release() -> tuple[int, ...]:
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2] if part.isdigit())


def lock(
    layers: Layers, readable: list[str], hidden: list[str], writable: list[str], *, may_move: bool = False
) -> None:
    """In the function's process, last of all: give up what is left. `readable` (but what is `hidden` in it) and
    `writable` come on top of the system's folders and `/dev`'s harmless devices; `may_move` as in `seccomp.build`."""
    if layers.has_namespaces or os.geteuid() == 0:
        linux.drop_capabilities()
    linux.forbid_new_privileges()
    if layers.landlock_abi:
        landlock.restrict(layers.landlock_abi, [*_SYSTEM, *readable], hidden, writable, list(_DEVICES))
    program = seccomp.build(may_move=True) if may_move and layers.filter is not None else layers.filter
    if program is not None:
        linux.install_filter(*program)
