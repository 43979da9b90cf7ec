"""System calls that the standard library does not offer, through ctypes.

What may be missing answers whether it took effect, so that what is not there is known and not assumed; the rest raises
OSError as the standard library would.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_RELATIME = 32, 4096, 16384, 1 << 18, 1 << 21

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION_3 = 0x20080522

_NUMBERS = {
    "x86_64": {"clone": 56, "capset": 126, "seccomp": 317, "setns": 308},
    "aarch64": {"clone": 220, "capset": 91, "seccomp": 277, "setns": 268},
}.get(platform.machine(), {})
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)
_libc_with_gil = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc_with_gil.syscall.restype = ctypes.c_long


def _argument(value: Any) -> Any:
    return ctypes.c_long(value) if isinstance(value, int) else value


def syscall(number: int, *arguments: Any) -> int:
    """A raw system call. OSError when it fails."""
    result: int = _libc.syscall(ctypes.c_long(number), *map(_argument, arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def prctl(option: int, *values: int) -> bool:
    """prctl(2); False where it failed or does not exist."""
    if not sys.platform.startswith("linux"):
        return False
    given = [*values, 0, 0, 0, 0][:4]
    return bool(_libc.prctl(ctypes.c_int(option), *map(ctypes.c_ulong, given)) == 0)


def die_with_parent() -> bool:
    """Ask for SIGKILL when the parent dies. Is cleared by fork, kept by exec."""
    return prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent dies (child subreaper)."""
    return prctl(_PR_SET_CHILD_SUBREAPER, 1)


def forbid_new_privileges() -> bool:
    """No later exec gives more rights than this process has."""
    return prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> bool:
    """Give up every capability, for good; False when that failed."""
    capability = 0
    while capability < 64 and prctl(_PR_CAPBSET_DROP, capability):
        capability += 1
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    try:
        syscall(_NUMBERS["capset"], ctypes.byref(header), ctypes.byref(nothing))
    except (OSError, KeyError):
        return False
    return True


def fork_into(namespaces: int) -> int:
    """fork(2) whose child starts in new `namespaces` (CLONE_NEW… flags); 0 is a plain fork. As os.fork otherwise."""
    if namespaces == 0:
        return os.fork()
    interpreter = ctypes.pythonapi
    interpreter.PyOS_BeforeFork()
    zero = ctypes.c_long(0)
    pid: int = _libc_with_gil.syscall(
        ctypes.c_long(_NUMBERS["clone"]), ctypes.c_long(namespaces | signal.SIGCHLD), zero, zero, zero, zero
    )
    code = ctypes.get_errno()
    if pid == 0:
        interpreter.PyOS_AfterFork_Child()
    else:
        interpreter.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(code, os.strerror(code))
    return pid


def set_namespace(descriptor: int, kind: int) -> None:
    """setns(2): move this process into the namespace behind `descriptor` (CLONE_NEW… names its kind)."""
    syscall(_NUMBERS["setns"], descriptor, kind)


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    given = [None if text is None else text.encode() for text in (source, target, kind, data)]
    if _libc.mount(given[0], given[1], given[2], ctypes.c_ulong(flags), given[3]) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {target}: {os.strerror(code)}")


def install_filter(program: bytes, instructions: int) -> None:
    """Put a seccomp filter on this process and all it starts."""
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    whole = Program(instructions, ctypes.addressof(code))
    syscall(_NUMBERS["seccomp"], 1, 0, ctypes.byref(whole))


def machine_is_known() -> bool:
    """Whether the numbers of this machine's system calls are known here."""
    return bool(_NUMBERS) and sys.platform.startswith("linux")


def children_of(pid: int) -> list[int]:
    """Process ids of `pid`'s direct children; empty when it is gone or the kernel does not tell."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        return found
    return found


def descendants_of(pid: int) -> list[int]:
    """Process ids of all that descends from `pid`, parents first."""
    found = children_of(pid)
    for child in found:  # grows while it is walked: the walk ends at the leaves
        found += children_of(child)
    return found
