"""Waiting for fdatasync without a thread: one io_uring whose completions the event loop hears through an eventfd.

A thread that has synced must get the interpreter lock back from a busy loop before it can say so; the kernel needs no
lock. Where the kernel has no io_uring or forbids it (containers often do), `open_ring` says None and the caller keeps
its thread. In: descriptors to sync. Out: a callback on the loop with 0 or an errno.

The layouts are those of <linux/io_uring.h>; one request is under way at a time, so the queue has room by design, and
the system call between writing an entry and the kernel's reading it orders the memory.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable

_SYS_SETUP, _SYS_ENTER, _SYS_REGISTER = 425, 426, 427  # the same on every architecture that has them
_REGISTER_EVENTFD = 4
_OFFSET_ENTRIES = 0x10000000
_FEATURE_SINGLE_MMAP = 1
_OPERATION_FSYNC = 3
_FSYNC_DATASYNC = 1
_ENTRIES = 4
_PARAMETERS_BYTES = 120
_ENTRY = struct.Struct("<BBHiQQIIQQQQ")  # opcode, flags, ioprio, fd, off, addr, len, fsync_flags, user_data, ...
_COMPLETION = struct.Struct("<QiI")  # user_data, result, flags
_INDEX = struct.Struct("<I")

Synced = Callable[[int], None]


class Ring:
    """One io_uring of the process."""

    def __init__(self) -> None:
        """OSError where it is not to be had."""
        # PyDLL keeps the interpreter lock: these calls only hand over, they do not wait.
        self._system = ctypes.PyDLL(None, use_errno=True).syscall
        self._system.restype = ctypes.c_long
        self._system.argtypes = [*[ctypes.c_long] * 3, ctypes.c_void_p, ctypes.c_long, ctypes.c_void_p, ctypes.c_long]
        self._descriptor = self._event = -1
        parameters = ctypes.create_string_buffer(_PARAMETERS_BYTES)
        self._descriptor = self._call(_SYS_SETUP, _ENTRIES, ctypes.addressof(parameters), None, 0)
        try:
            self._map(parameters.raw)
            self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            event = (ctypes.c_int * 1)(self._event)
            self._call(_SYS_REGISTER, self._descriptor, _REGISTER_EVENTFD, ctypes.addressof(event), 1)
        except BaseException:
            self.close()
            raise
        self._submitted = self._completed = 0
        self._loop: AbstractEventLoop | None = None
        self._synced: Synced | None = None

    def _map(self, parameters: bytes) -> None:
        entries, completions, _, _, _, features = struct.unpack_from("<6I", parameters)
        if not features & _FEATURE_SINGLE_MMAP:
            raise OSError(errno.ENOSYS, "this io_uring is older than Linux 5.4")
        submission = struct.unpack_from("<10I", parameters, 40)
        completion = struct.unpack_from("<10I", parameters, 80)
        self._mask, self._completion_mask = entries - 1, completions - 1
        self._tail_at, self._array_at = submission[1], submission[6]
        self._heard_at, self._told_at, self._completions_at = completion[0], completion[1], completion[5]
        size = max(self._array_at + 4 * entries, self._completions_at + _COMPLETION.size * completions)
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
        self._rings = mmap.mmap(self._descriptor, size, flags, protection, offset=0)
        self._entries = mmap.mmap(self._descriptor, _ENTRY.size * entries, flags, protection, offset=_OFFSET_ENTRIES)

    def sync(self, descriptor: int, loop: AbstractEventLoop, synced: Synced) -> None:
        """Start an fdatasync of the file; `synced(0)` or `synced(errno)` on the loop. One at a time. OSError."""
        assert self._synced is None
        if loop is not self._loop:
            self._listen(loop)
        slot = self._submitted & self._mask
        _ENTRY.pack_into(
            self._entries, _ENTRY.size * slot, _OPERATION_FSYNC, 0, 0, descriptor, 0, 0, 0, _FSYNC_DATASYNC, 0, 0, 0, 0
        )
        _INDEX.pack_into(self._rings, self._array_at + 4 * slot, slot)
        self._submitted += 1
        _INDEX.pack_into(self._rings, self._tail_at, self._submitted & 0xFFFFFFFF)
        self._synced = synced
        try:
            self._call(_SYS_ENTER, self._descriptor, 1, None, 0)
        except OSError:
            self._synced = None
            raise

    def _listen(self, loop: AbstractEventLoop) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._event)
        self._loop = loop
        loop.add_reader(self._event, self._hear)

    def _hear(self) -> None:
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return
        self.look()

    def look(self) -> None:
        """Call back for a sync that has ended by now; the event of its end comes later and finds nothing to tell."""
        if _INDEX.unpack_from(self._rings, self._told_at)[0] == self._completed & 0xFFFFFFFF:
            return
        at = self._completions_at + _COMPLETION.size * (self._completed & self._completion_mask)
        _, result, _ = _COMPLETION.unpack_from(self._rings, at)
        self._completed += 1
        _INDEX.pack_into(self._rings, self._heard_at, self._completed & 0xFFFFFFFF)
        synced, self._synced = self._synced, None
        assert synced is not None
        synced(-result)

    def close(self) -> None:
        """Let go of it; nothing may be under way."""
        if self._event >= 0:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(self._event)
            os.close(self._event)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = self._event = -1

    def _call(self, number: int, first: int, second: int, third: int | None, fourth: int) -> int:
        result: int = self._system(number, first, second, third, fourth, None, 0)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result


def open_ring() -> Ring | None:
    """A ring that has proved itself able to take requests, or None."""
    if not sys.platform.startswith("linux") or sys.byteorder != "little" or not hasattr(os, "eventfd"):
        return None
    try:
        return Ring()
    except (OSError, AttributeError, ValueError):  # not there, not allowed, or not as described above
        return None
