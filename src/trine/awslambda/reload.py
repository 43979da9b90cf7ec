"""Hot reload: tells within milliseconds when a file of a function's code was saved, by Linux's inotify.

Enters folders with the names that care, leaves calls of `changed(name)`. Editors that save by renaming are covered;
caches, hidden files and editors' own scratch files are not code. A folder that a build removes and makes again is
found again. Where there is no inotify, nothing is watched and `is_active` says so.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from trine.clock import Clock, Timer

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_IGNORED, _IS_DIRECTORY, _OVERFLOW = 0x8000, 0x40000000, 0x4000
_WANTED = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_HEAD = struct.Struct("iIII")
_NO_CODE = frozenset({"__pycache__", "node_modules", ".git", ".venv", ".aws-sam", ".mypy_cache", ".pytest_cache"})
_SCRATCH = ("~", ".swp", ".swx", ".tmp", ".pyc")
FOLDERS_MAX = 4_096
"""Folders watched at most, of all functions together; beyond it a change in the rest is seen at the next start."""
_SETTLE_SECONDS = 0.01
"""Changes that come together are told once."""
_FIND_AGAIN_SECONDS, _FIND_AGAIN_TRIES = 0.2, 150


class Reloader:
    """Watches code folders for one service."""

    def __init__(self, clock: Clock, changed: Callable[[str], None], state_directory: Path) -> None:
        self._clock = clock
        self._changed = changed
        self._state_directory = state_directory.resolve()
        """The server's own, which changes all the time; it may lie in somebody's code."""
        self._descriptor = -1
        self._watched: dict[int, tuple[Path, Path]] = {}
        """Watch number → (the folder, the code folder it belongs to)."""
        self._names: dict[Path, set[str]] = {}
        self._pending: set[Path] = set()
        self._timer: Timer | None = None

    @property
    def is_active(self) -> bool:
        """Whether changes are seen."""
        return self._descriptor >= 0

    def start(self) -> None:
        """Begin; needs the running event loop."""
        if not sys.platform.startswith("linux"):
            return
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(_NONBLOCK_CLOEXEC)
        if self._descriptor >= 0:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
            for root in tuple(self._names):
                self._add(root, root)

    def watch(self, root: Path, name: str) -> None:
        """Tell `changed(name)` when a file below `root` changes; a name watches one root at a time."""
        for names in self._names.values():
            names.discard(name)
        is_new = root not in self._names
        self._names.setdefault(root, set()).add(name)
        if is_new and self.is_active:
            self._add(root, root)

    def close(self) -> None:
        """End all watching."""
        if self._timer is not None:
            self._timer.cancel()
        if self.is_active:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _add(self, folder: Path, root: Path) -> None:
        stack = [folder]
        while stack and len(self._watched) < FOLDERS_MAX:
            at = stack.pop()
            number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(at), _WANTED)
            if number < 0:
                continue
            self._watched[number] = (at, root)
            try:
                with os.scandir(at) as entries:
                    stack += [
                        Path(entry.path)
                        for entry in entries
                        if entry.is_dir(follow_symlinks=False)
                        and _is_code(entry.name)
                        and not self._is_state(entry.path)
                    ]
            except OSError:
                continue

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65_536)
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, at)
            name = os.fsdecode(data[at + 16 : at + 16 + length].rstrip(b"\0"))
            at += 16 + length
            self._event(number, mask, name)

    def _event(self, number: int, mask: int, name: str) -> None:
        if mask & _OVERFLOW:
            self._mark(*self._names)
            return
        watched = self._watched.get(number)
        if watched is None:
            return
        folder, root = watched
        if mask & _IGNORED:
            del self._watched[number]
            if folder == root:
                self._find_again(root, _FIND_AGAIN_TRIES)
            return
        if not _is_code(name):
            return
        if mask & _IS_DIRECTORY and self._is_state(folder / name):
            return
        if mask & _IS_DIRECTORY:
            if mask & (_CREATE | _MOVED_TO):
                self._add(folder / name, root)
        elif mask & _CREATE:
            return  # its content comes with the close that follows
        self._mark(root)

    def _is_state(self, folder: Path | str) -> bool:
        return os.path.realpath(folder) == str(self._state_directory)

    def _find_again(self, root: Path, tries: int) -> None:
        if root.is_dir():
            self._add(root, root)
            self._mark(root)
        elif tries and self.is_active:
            self._clock.call_later(_FIND_AGAIN_SECONDS, self._find_again, root, tries - 1)

    def _mark(self, *roots: Path) -> None:
        self._pending.update(roots)
        if self._timer is None:
            self._timer = self._clock.call_later(_SETTLE_SECONDS, self._tell)

    def _tell(self) -> None:
        self._timer = None
        roots, self._pending = self._pending, set()
        for root in roots:
            for name in sorted(self._names.get(root, ())):
                self._changed(name)


def _is_code(name: str) -> bool:
    return name not in _NO_CODE and not name.startswith(".") and not name.endswith(_SCRATCH) and name != "4913"
