"""Control groups of this server's environments: CPU in proportion to memory when it is short, and a bound of processes.

Enters environments by their processes, leaves them in groups of the kernel's where it lets this server make some:
version 1 hierarchies, or version 2 where `cpu` and `pids` are delegated to it. Whoever moves a process waits for the
kernel, up to milliseconds, so that happens in a thread of its own. What a killed server leaves is swept by the next.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from trine.awslambda import limits
from trine.awslambda.environments.memory import descendants

_GROUP = re.compile(r"trine-(\d+)-(\d+)-\d+")
_NUMBERS = itertools.count(1)
"""Of the servers in one process."""
_SERVER_LEAF = "trine-server"
_ROUNDS_MAX = 8
"""Looks at a family that forks while it is moved."""
_SWEEPS_MAX = 50
_SWEEP_PAUSE_SECONDS = 0.02
_PERIOD_MICROSECONDS = 100_000


class Hierarchy(NamedTuple):
    """Where one controller's groups are made."""

    controller: str
    folder: Path
    """The group that this server runs in."""
    is_unified: bool
    """Control groups version 2."""


def hierarchies(cgroup: str, mounts: str) -> list[Hierarchy]:
    """The groups of a process for `cpu` and `pids`, out of its `/proc/self/cgroup` and `/proc/self/mountinfo`. Pure."""
    own: dict[str, str] = {}
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        own.update(dict.fromkeys(controllers.split(","), path))
    found: dict[str, Hierarchy] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, *rest) = before.split(), after.split()
        root, place = fields[3], Path(fields[4])
        if kind == "cgroup":
            names = [name for name in ("cpu", "pids") if name in rest[-1].split(",")]
        elif kind == "cgroup2" and "" in own:
            names = [name for name in ("cpu", "pids") if name not in own]
        else:
            continue
        for name in names:
            group = own.get("" if kind == "cgroup2" else name)
            if group is not None:
                inside = os.path.relpath(group, root) if group.startswith(root) else "."
                found.setdefault(name, Hierarchy(name, place / inside, kind == "cgroup2"))
    return [found[name] for name in ("cpu", "pids") if name in found]


class ControlGroups:
    """The groups of one server. Nothing here raises: what the kernel refuses is left out, and `active` tells."""

    def __init__(self, *, limits_cpu: bool = False, found: list[Hierarchy] | None = None) -> None:
        self.limits_cpu = limits_cpu
        """Functions get what AWS gives their memory and no more, even while the CPU is idle."""
        self._name = f"trine-{os.getpid()}-{_started(os.getpid())}-{next(_NUMBERS)}"
        self._folders: dict[str, Path] = {}
        self._unified: set[str] = set()
        for hierarchy in _own_hierarchies() if found is None else found:
            folder = _make(hierarchy, self._name)
            if folder is not None:
                self._folders[hierarchy.controller] = folder
                self._unified.update([hierarchy.controller] if hierarchy.is_unified else ())
        self.at_once = limits_cpu or ("pids" in self._folders and not _kernel_bounds_processes())
        """Environments are put into groups when they start; else only those that run long, so that nobody else pays."""
        self._entered: set[str] = set()
        self._left: set[str] = set()
        self._mover: ThreadPoolExecutor | None = None

    @property
    def active(self) -> tuple[str, ...]:
        """The controllers that are at work: `cpu`, `pids`."""
        return tuple(self._folders)

    def enter(self, name: str, pid: int, memory_mb: int) -> None:
        """Put a supervisor's processes into a group called `name`; returns at once. Once is enough."""
        if self._folders and name not in self._entered:
            self._entered.add(name)
            self._thread().submit(self._move, name, pid, memory_mb)

    def leave(self, name: str) -> None:
        """The processes of a group have ended; returns at once."""
        if name in self._entered:
            self._entered.discard(name)
            self._thread().submit(self._forget, name)

    def close(self) -> None:
        """Remove every group. Waits, within a bound, for processes that are just ending."""
        if self._mover is not None:
            self._mover.shutdown(wait=True)
            self._mover = None
        pause = threading.Event()
        for _ in range(_SWEEPS_MAX):
            if not [folder for folder in self._folders.values() if not _remove(folder)]:
                break
            pause.wait(_SWEEP_PAUSE_SECONDS)
        self._folders = {}

    def _thread(self) -> ThreadPoolExecutor:
        if self._mover is None:
            self._mover = ThreadPoolExecutor(1, thread_name_prefix="control-groups")
        return self._mover

    def _move(self, name: str, pid: int, memory_mb: int) -> None:
        for controller, folder in self._folders.items():
            group = folder / name
            try:
                group.mkdir()
                for file, value in self._settings(controller, memory_mb):
                    (group / file).write_text(value)
            except OSError:
                continue  # removed under us, or a controller that is delegated in part: it runs on as it was
            moved: set[int] = set()
            for _ in range(_ROUNDS_MAX):
                fresh = {pid, *descendants(pid)} - moved
                if not fresh:
                    break
                for one in fresh:
                    with contextlib.suppress(OSError):  # it has ended
                        (group / "cgroup.procs").write_text(str(one))
                moved |= fresh

    def _settings(self, controller: str, memory_mb: int) -> Iterator[tuple[str, str]]:
        if controller == "pids":
            yield "pids.max", str(limits.PROCESSES_MAX + 64)
            return
        cores = memory_mb / limits.MEMORY_OF_ONE_CPU_MB
        quota = str(max(1_000, int(cores * _PERIOD_MICROSECONDS)))
        if "cpu" in self._unified:
            yield "cpu.weight", str(min(10_000, max(1, int(cores * 100))))
            if self.limits_cpu:
                yield "cpu.max", f"{quota} {_PERIOD_MICROSECONDS}"
        else:
            yield "cpu.shares", str(max(2, int(cores * 1_024)))
            if self.limits_cpu:
                yield "cpu.cfs_quota_us", quota

    def _forget(self, name: str) -> None:
        # A supervisor that nobody has collected yet still counts as a member: what is left is tried again.
        self._left.add(name)
        for one in tuple(self._left):
            gone = [_remove(folder / one) for folder in self._folders.values()]
            if all(gone):
                self._left.discard(one)


def _kernel_bounds_processes() -> bool:
    # As `bootstrap/sandbox.py` does it: by namespace from Linux 6.14, by user namespace from 5.14 but not for root.
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2] if part.isdigit())
    return release >= (6, 14) or (release >= (5, 14) and os.geteuid() != 0)


def _own_hierarchies() -> list[Hierarchy]:
    try:
        return hierarchies(
            Path("/proc/self/cgroup").read_text(encoding="utf-8"),
            Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"),
        )
    except (OSError, ValueError):
        return []


def _make(hierarchy: Hierarchy, name: str) -> Path | None:
    # This server's group for its environments; None where it may not make one.
    parent = hierarchy.folder
    _sweep(parent)
    try:
        if hierarchy.is_unified:
            _delegate(parent, hierarchy.controller)
        folder = parent / name
        folder.mkdir(exist_ok=True)
        cores = os.cpu_count() or 1
        if hierarchy.is_unified:
            (folder / "cgroup.subtree_control").write_text(f"+{hierarchy.controller}")
            if hierarchy.controller == "cpu":
                (folder / "cpu.weight").write_text(str(min(10_000, 100 * cores)))
        elif hierarchy.controller == "cpu":
            (folder / "cpu.shares").write_text(str(1_024 * cores))
    except OSError:
        _remove(parent / name)
        return None
    return folder


def _delegate(parent: Path, controller: str) -> None:
    # Version 2 divides a controller only among groups below one that holds no processes itself: where all of them are
    # this server's, they move into a group beside those of the functions. OSError where that is not allowed.
    if controller not in (parent / "cgroup.controllers").read_text().split():
        raise PermissionError(f"{controller} is not delegated")
    if controller in (parent / "cgroup.subtree_control").read_text().split():
        return
    members = {int(pid) for pid in (parent / "cgroup.procs").read_text().split()}
    if members and members <= {os.getpid(), *descendants(os.getpid())}:
        leaf = parent / _SERVER_LEAF
        leaf.mkdir(exist_ok=True)
        for pid in members:
            (leaf / "cgroup.procs").write_text(str(pid))
    (parent / "cgroup.subtree_control").write_text(f"+{controller}")


def _sweep(parent: Path) -> None:
    # Groups of servers that were killed.
    with contextlib.suppress(OSError):
        for entry in list(parent.iterdir()):
            found = _GROUP.fullmatch(entry.name)
            if found is not None and _started(int(found[1])) != found[2]:
                _remove(entry)


def _remove(folder: Path) -> bool:
    # Whether a group, and those in it, are gone. Only empty ones can be removed: a group's files are not its own.
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            if entry.is_dir():
                _remove(entry)
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks: a number is given out again, with another beginning."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"
