"""A network of an environment's own: the loopback, the doors that the server opens there, packets without an answer.

Enters a plan: the address of the environment's interface, its doors, its resolvers. Leaves sockets for the server, made
before any right is given up, and one on which the server sees what was tried in vain. Every other address has a route
that ends in nothing, so a connection hangs, as it does in a subnet without a way out.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from typing import Any

from . import linux, mounts

NAMESPACE = 0x40000000
"""CLONE_NEWNET."""
BACKLOG_CONNECTIONS = 128
_SIOCADDRT, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
_UP_AND_RUNNING = 0x41
_RTF_UP = 0x1
_IPV4 = 0x0800
_SO_ATTACH_FILTER = 26
_DNS_PORT = 53
_SEEN_BYTES = 96
"""As much of a packet as tells where it was sent."""
_LOAD_BYTE, _LOAD_WORD, _LOAD_BYTE_AT, _LOAD_HEADER = 0x30, 0x20, 0x50, 0xB1
_AND, _EQUAL, _RETURN = 0x54, 0x15, 0x06


def lay_out(plan: dict[str, Any]) -> list[socket.socket]:
    """In the first process of a new network namespace: `{"address": …, "doors": [[host, port], …], "resolvers":
    [host, …]}` → a listening socket for each door, one for each resolver's questions, and last the watch.

    OSError where the system refuses a step.
    """
    doors, resolvers = plan["doors"], plan["resolvers"]
    hosts = dict.fromkeys([plan["address"], *(host for host, _ in doors), *resolvers])
    own = [host for host in hosts if not (":" in host or host.startswith("127."))]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _UP_AND_RUNNING))
        for number, address in enumerate(own):
            _add_address(control, b"lo:%d" % number, address)
        _lead_nowhere(control)
    return [*(_door(host, port) for host, port in doors), *map(_resolver, resolvers), _watch(own)]


def send(control: socket.socket, message: bytes, sockets: list[socket.socket]) -> None:
    """Hand `sockets` to the server over `control`, and let go of them here."""
    passed = struct.pack(f"{len(sockets)}i", *(each.fileno() for each in sockets))
    control.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
    for each in sockets:
        each.close()


def _socket_address(host: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(host))


def _add_address(control: socket.socket, name: bytes, address: str) -> None:
    fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16s16s8x", name, _socket_address(address)))
    fcntl.ioctl(control, _SIOCSIFNETMASK, struct.pack("16s16s8x", name, _socket_address("255.255.255.255")))


def _lead_nowhere(control: socket.socket) -> None:
    # The default route is the loopback itself: what is sent there comes back, is for nobody here, and is dropped. The
    # source of such packets is the interface's address, as in a VPC.
    device = ctypes.create_string_buffer(b"lo")
    anywhere = _socket_address("0.0.0.0")  # noqa: S104 -- a destination, not a place to listen
    route = struct.pack("@L16s16s16sHhLLhPLLH", 0, anywhere, anywhere, anywhere, _RTF_UP, 0, 0, 0, 0,
                        ctypes.addressof(device), 0, 0, 0)  # fmt: skip
    fcntl.ioctl(control, _SIOCADDRT, route + bytes(-len(route) % 8))


def _door(host: str, port: int) -> socket.socket:
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((host, port))
    door.listen(BACKLOG_CONNECTIONS)
    return door


def _resolver(host: str) -> socket.socket:
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind((host, _DNS_PORT))
    return resolver


def _watch(own: list[str]) -> socket.socket:
    # A copy of the head of each packet that begins a try: opened connections (SYN) and datagrams that lead out. The
    # filter runs in the kernel: what stays inside costs nothing.
    watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    inside = [struct.unpack("!I", socket.inet_aton(address))[0] for address in own]
    end = 14 + len(inside)
    end = 11 + len(inside)
    program = [
        (_LOAD_BYTE, 0, 0, 9),  # protocol
        (_EQUAL, 0, 4, socket.IPPROTO_TCP),
        (_LOAD_HEADER, 0, 0, 0),
        (_LOAD_BYTE_AT, 0, 0, 13),  # flags
        (_AND, 0, 0, 0x12),
        (_EQUAL, 1, end - 6, 0x02),  # SYN without ACK goes on to the destination, all else to the end
        (_EQUAL, 0, end - 7, socket.IPPROTO_UDP),
        (_LOAD_WORD, 0, 0, 16),  # destination
        *((_EQUAL, end - 9 - at, 0, address) for at, address in enumerate(inside)),
        (_AND, 0, 0, 0xFF000000),
        (_EQUAL, 1, 0, 0x7F000000),
        (_RETURN, 0, 0, _SEEN_BYTES),
        (_RETURN, 0, 0, 0),
    ]
    packed = b"".join(struct.pack("HBBI", *each) for each in program)
    code = ctypes.create_string_buffer(packed, len(packed))
    watch.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    )
    watch.bind(("lo", _IPV4))
    return watch


def can(user: int, group: int, user_inside: int, namespaces: int) -> bool:
    """Whether the system gives environments a network of their own; tried in a process that ends at once."""
    try:
        pid = linux.fork_into(namespaces | NAMESPACE)
    except OSError:
        return False
    if pid == 0:
        status = 1
        try:
            mounts.map_user(user_inside, user, group)
            lay_out({"address": "10.0.0.10", "doors": [["127.0.0.1", 9001]], "resolvers": []})
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
