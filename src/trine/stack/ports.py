"""The three ports of a stack, taken before anything else is done.

Enters the settings, leaves bound and listening sockets: what connects early waits in the kernel until the stack
answers.
"""

from __future__ import annotations

import errno
import os
import socket

from msgspec import Struct

from trine.stack.settings import Settings

BACKLOG_CONNECTIONS = 1_024


class PortTaken(Exception):
    """A port cannot be had; the message names it and the option that chooses another one."""


class Ports(Struct):
    """The listening sockets, by door."""

    front: socket.socket
    aws: socket.socket
    dynamodb: socket.socket

    def close(self) -> None:
        """Let all three go."""
        for listener in (self.front, self.aws, self.dynamodb):
            listener.close()


def bind(settings: Settings) -> Ports:
    """Take the three ports, or none. Raises PortTaken."""
    wanted = (
        (settings.front_port, "--port"),
        (settings.aws_port, "--aws-port"),
        (settings.dynamodb_port, "--dynamodb-port"),
    )
    taken: list[socket.socket] = []
    try:
        for port, option in wanted:
            taken.append(listen(settings.host, port, option))
    except BaseException:
        for listener in taken:
            listener.close()
        raise
    return Ports(*taken)


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening socket on `host`:`port`; 0 takes a free port. Raises PortTaken, naming `option`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG_CONNECTIONS)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        in_use = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if in_use else f"cannot be had: {os.strerror(error.errno or 0)}"
        raise PortTaken(
            f"port {port} of {host} {why}; choose another with `{option} PORT` (0 takes a free one)"
        ) from None
    except OverflowError:
        listener.close()
        raise PortTaken(f"port {port} does not exist; `{option}` takes 0 to 65535") from None
    return listener
