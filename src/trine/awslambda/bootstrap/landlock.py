"""Landlock: which files a function's process may read and write, enforced by the kernel for it and all it starts.

Enters lists of paths, changes the calling process for good. Needs Linux 5.13; `abi()` tells what the kernel offers.
"""

from __future__ import annotations

import ctypes
import os
import struct

from . import linux

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_READ = _EXECUTE | _READ_FILE | _READ_DIRECTORY
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_SCOPES = 3
"""Abstract Unix sockets and signals of processes outside (ABI 6)."""


def abi() -> int:
    """Version of Landlock in this kernel; 0 when it has none."""
    if not linux.machine_is_known():
        return 0
    try:
        return linux.syscall(linux.LANDLOCK_CREATE_RULESET, 0, 0, 1)
    except OSError:
        return 0


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def restrict(version: int, readable: list[str], hidden: list[str], writable: list[str], devices: list[str]) -> None:
    """From now on only these can be reached: folders to read and execute, folders to write, single device files. What
    is `hidden` below a readable folder cannot be read; its names can be listed."""
    handled = _HANDLED.get(version, (1 << 16) - 1)
    ruleset_attributes = struct.pack("QQQ", handled, 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = linux.syscall(linux.LANDLOCK_CREATE_RULESET, ruleset_attributes, size, 0)
    try:
        for path in readable:
            if any(one.startswith(path.rstrip("/") + "/") for one in hidden):
                _allow(ruleset, path, _READ_DIRECTORY)
            for part in _without(path, hidden):
                _allow(ruleset, part, _READ & handled)
        for path in writable:
            _allow(ruleset, path, handled)
        for path in devices:
            _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | _IOCTL_DEVICE) & handled)
        linux.forbid_new_privileges()
        linux.syscall(linux.LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _without(folder: str, hidden: list[str]) -> list[str]:
    # A permission holds for all below a folder, so what is hidden there is left out by naming its neighbours.
    if folder in hidden:
        return []
    if not any(one.startswith(folder.rstrip("/") + "/") for one in hidden):
        return [folder]
    with os.scandir(folder) as entries:
        return [part for entry in entries for part in _without(entry.path, hidden)]


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = _PathBeneath(rights, descriptor)
        linux.syscall(linux.LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
