"""The named faults of HTTP, on the way in, on the way out, and when a server cannot listen."""

from __future__ import annotations


class HttpError(Exception):
    """Everything that this package raises on purpose."""


class RequestRefused(HttpError):
    """The bytes of a client are not a request that this server takes; holds the status to answer with.

    The connection closes after the answer: where the next request would begin is not known.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class ResponseInvalid(HttpError):
    """A response that must not be written to the wire (a header with a line break, a name that frames messages)."""


class BodyBroken(HttpError):
    """Raised by a streamed body whose source broke off: what was sent stays sent, and the client sees no proper end."""


class ListenFailed(HttpError):
    """A server could not listen on an address; `address` is what was asked for."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"cannot listen on {address}: {why}")
        self.address = address


class PortInUse(ListenFailed):
    """Another program listens on that address already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port}", "the port is in use by another program")
        self.host = host
        self.port = port


class ClientError(HttpError):
    """A call made by the client brought no whole answer."""


class ConnectFailed(ClientError):
    """The other side could not be reached."""


class CallTimedOut(ClientError):
    """The other side took longer than the call allows."""


class AnswerInvalid(ClientError):
    """What came back is no HTTP answer, or it broke off."""


class AnswerTooLarge(ClientError):
    """The answer is longer than the call allows."""
