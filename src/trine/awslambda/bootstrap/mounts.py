"""The file system as one environment sees it: its own `/tmp`, its code at `/var/task`, its layers at `/opt`.

Runs in the environment's first process, in mount and user namespaces of its own; nothing here is visible outside. A
folder is hidden by an empty one laid over it, in which what must stay visible is bound again.
"""

from __future__ import annotations

import contextlib
import os

from . import linux

TASK = "/var/task"
LAYERS = "/opt"
_BIND = linux.MS_BIND | linux.MS_REC
_LOCKED = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
_SECRETS = ("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-")
_USERS = """\
root:x:0:0:root:/root:/bin/bash
sbx_user1051:x:993:993::/home/sbx_user1051:/sbin/nologin
nobody:x:65534:65534:Nobody:/:/sbin/nologin
"""
_DEVICES = ("null", "zero", "full", "random", "urandom")


class Kept:
    """Folders held open, so that they can be bound again when their path is covered."""

    def __init__(self, paths: list[str]) -> None:
        self._held = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths if os.path.isdir(path)]

    def under(self, folder: str) -> list[tuple[str, int]]:
        """Those that lie below `folder`."""
        return [(path, held) for path, held in self._held if path.startswith(folder.rstrip("/") + "/")]

    def lay(self, folder: str) -> None:
        """Bind those below `folder` into what covers it now."""
        for path, held in self.under(folder):
            os.makedirs(path, exist_ok=True)
            linux.mount(f"/proc/self/fd/{held}", path, None, _BIND)

    def close(self) -> None:
        """Let go."""
        for _, held in self._held:
            os.close(held)


def map_user(inside: int, user: int, group: int) -> None:
    """Give the new user namespace one user and one group: `inside`, which is `user` and `group` outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {user} 1"),
        ("gid_map", f"{inside} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def arrange(code: str, layers: str | None, visible: list[str], hidden: list[str], tmp_mb: int) -> None:
    """Lay out everything. `layers` is the folder of the merged layers; `visible` are further folders that functions
    need (the interpreter's, the guest's own); `hidden` are those of their own that they may not see."""
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    code_held = os.open(code, os.O_PATH | os.O_CLOEXEC)
    layers_held = None if layers is None else os.open(layers, os.O_PATH | os.O_CLOEXEC)
    resolver = os.path.dirname(os.path.realpath("/etc/resolv.conf"))
    kept = Kept([*dict.fromkeys([*visible, resolver])])
    _place_task(code_held, kept)
    if layers_held is not None:
        if os.path.isdir(LAYERS):
            _place_layers(layers_held, kept)
        os.close(layers_held)
    for folder in hidden:
        _cover(folder, "size=4k,mode=555", kept)
    _cover("/run", "size=64k,mode=755", kept)
    _own_devices()
    _hide_secrets()
    _name_user()
    _cover("/tmp", f"size={tmp_mb}m,mode=1777,nr_inodes=65536", kept)  # noqa: S108 -- a new one
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    _lock_root()
    os.close(code_held)
    kept.close()


def _lock_root() -> None:
    # Who writes somewhere else hears "Read-only file system", as on AWS. Of other file systems, and where the kernel
    # does not let a namespace change this one, Landlock says "Permission denied".
    found = os.statvfs("/").f_flag
    kept = found & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    if found & os.ST_RELATIME:
        kept |= linux.MS_RELATIME
    with contextlib.suppress(OSError):
        linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | kept)


def _cover(folder: str, options: str, kept: Kept, flags: int = linux.MS_NOSUID | linux.MS_NODEV) -> None:
    if not os.path.isdir(folder):
        return
    linux.mount("tmpfs", folder, "tmpfs", flags, options)
    kept.lay(folder)


def _place_task(code_held: int, kept: Kept) -> None:
    if not os.path.isdir(TASK):
        _cover_with_entries("/var", "task", kept)
    linux.mount(f"/proc/self/fd/{code_held}", TASK, None, _BIND)
    linux.mount(None, TASK, None, _LOCKED)


def _cover_with_entries(folder: str, extra: str, kept: Kept) -> None:
    # An empty folder over `folder`, with every entry of the old one bound into it, and one more.
    entries = [(entry.name, entry.path, entry.is_symlink(), entry.is_dir()) for entry in os.scandir(folder)]
    held = {
        name: os.open(path, os.O_PATH | os.O_CLOEXEC) for name, path, link, is_dir in entries if is_dir and not link
    }
    links = {name: os.readlink(path) for name, path, link, _ in entries if link}
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=64k,mode=755")
    for name, target in links.items():
        os.symlink(target, f"{folder}/{name}")
    for name, descriptor in held.items():
        os.mkdir(f"{folder}/{name}")
        linux.mount(f"/proc/self/fd/{descriptor}", f"{folder}/{name}", None, _BIND)
        os.close(descriptor)
    os.makedirs(f"{folder}/{extra}", exist_ok=True)


def _place_layers(layers_held: int, kept: Kept) -> None:
    source = f"/proc/self/fd/{layers_held}"
    if not kept.under(LAYERS):
        linux.mount(source, LAYERS, None, _BIND)
        linux.mount(None, LAYERS, None, _LOCKED)
        return
    # The interpreter itself lives below /opt: the layers' entries are laid beside it.
    _cover(LAYERS, "size=64k,mode=755", kept)
    for entry in os.scandir(source):
        target = f"{LAYERS}/{entry.name}"
        if entry.is_dir() and not os.path.exists(target):
            os.mkdir(target)
            linux.mount(f"{source}/{entry.name}", target, None, _BIND)
            linux.mount(None, target, None, _LOCKED)


def name_itself() -> None:
    """Let the environment call itself `sandbox.localdomain`, as on AWS: extensions listen there. After `arrange`."""
    if not os.path.isfile("/etc/hosts"):
        return
    with open("/etc/hosts", encoding="utf-8", errors="replace") as known, open("/dev/hosts", "w") as hosts:
        hosts.write(f"{known.read()}\n127.0.0.1 sandbox.localdomain sandbox\n")
    linux.mount("/dev/hosts", "/etc/hosts", None, linux.MS_BIND)


def _name_user() -> None:
    # Who asks for the user's name or home gets an answer, as on AWS.
    if os.path.isfile("/etc/passwd"):
        with open("/dev/passwd", "w") as file:
            file.write(_USERS)
        linux.mount("/dev/passwd", "/etc/passwd", None, linux.MS_BIND)
        linux.mount(None, "/etc/passwd", None, _LOCKED)
        os.unlink("/dev/passwd")


def _hide_secrets() -> None:
    # Run by root, the namespace's user is root outside and could read them.
    for path in _SECRETS:
        if os.path.isfile(path):
            linux.mount("/dev/null", path, None, linux.MS_BIND)


def _own_devices() -> None:
    held = [(name, os.open(f"/dev/{name}", os.O_PATH | os.O_CLOEXEC)) for name in _DEVICES]
    linux.mount("tmpfs", "/dev", "tmpfs", linux.MS_NOSUID, "size=64k,mode=755")
    for name, descriptor in held:
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        linux.mount(f"/proc/self/fd/{descriptor}", f"/dev/{name}", None, linux.MS_BIND)
        os.close(descriptor)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"/dev/{name}")
