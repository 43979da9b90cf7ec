"""The place of one answer in the order in which a connection's answers go out."""

from __future__ import annotations

from trine.http.message import Request, Response


class Place:
    """A place in the order of answers: its request, and what is known of the answer so far."""

    __slots__ = ("dropped", "interim", "keep_alive", "request", "response")

    def __init__(
        self, request: Request | None, keep_alive: bool, response: Response | None = None, interim: bool = False
    ) -> None:
        self.request = request
        """None where the bytes were no request."""
        self.keep_alive = keep_alive
        self.response = response
        self.interim = interim
        """This place is only for `100 Continue`."""
        self.dropped = False
        """The client has gone: the answer goes nowhere."""
