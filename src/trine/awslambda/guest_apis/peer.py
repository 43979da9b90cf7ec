"""Whose connection is it? The Runtime API of a custom runtime listens on 127.0.0.1, where every process can knock.

Enters the two ports of a TCP connection and the supervisor of an environment, leaves whether one of that environment's
processes holds the other end, by the kernel's socket table.
"""

from __future__ import annotations

import os

from trine.awslambda.environments.memory import descendants

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def is_own(supervisor_pid: int, peer_port: int, own_port: int) -> bool:
    """Whether the connection belongs to the environment. True where the system has no such table."""
    inode = _inode(peer_port, own_port)
    if inode is None:
        return not os.path.exists(_TABLES[0])
    wanted = f"socket:[{inode}]"
    return any(_holds(pid, wanted) for pid in descendants(supervisor_pid))


def _inode(peer_port: int, own_port: int) -> str | None:
    peer, own = f":{peer_port:04X}", f":{own_port:04X}"
    for table in _TABLES:
        try:
            with open(table, encoding="ascii") as file:
                for line in file:
                    fields = line.split()
                    if fields[1].endswith(peer) and fields[2].endswith(own):
                        return fields[9]
        except (OSError, IndexError):
            continue
    return None


def _holds(pid: int, wanted: str) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{name}") == wanted:
                    return True
            except OSError:
                continue
    except OSError:
        return False
    return False
