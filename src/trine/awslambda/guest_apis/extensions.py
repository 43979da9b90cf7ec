"""The extensions of one environment: programs beside the runtime that hear of its life through the Extensions API.

Enters their calls (register, next, errors) and the moments of the environment's life, leaves events to those that wait
and the answer to "is everybody ready?". Source: developer guide, "Using the Lambda Extensions API to create
extensions".
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from trine.aws.ids import Ids
from trine.awslambda.environments.lifecycle import Connection
from trine.awslambda.fault import Fault, init_fault
from trine.awslambda.function import Function
from trine.awslambda.guest_apis.runtime_api import ACCEPTED, SUBSCRIBED, Call, refusal
from trine.awslambda.guest_apis.telemetry import LOGS, TELEMETRY, Telemetry
from trine.awslambda.guest_apis.telemetry_delivery import InvalidSubscription
from trine.awslambda.invocation import Invocation

FOLDER = "extensions"
"""External extensions are the executables in this folder of the merged layers."""
_EVENTS = ("INVOKE", "SHUTDOWN")
_HEADER = re.compile(rb"\r\n(lambda-extension-[a-z-]+):[ \t]*([^\r\n]*)", re.IGNORECASE)
_MEMBERS_MAX = 10
"""Extensions reference: up to ten of one function."""


def external(layers: Path | None) -> tuple[str, ...]:
    """The names of the external extensions in a function's layers."""
    folder = None if layers is None else layers / FOLDER
    if folder is None or not folder.is_dir():
        return ()
    found = sorted(path.name for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK))
    return tuple(found[:_MEMBERS_MAX])


class _Member:
    """One extension that has registered."""

    __slots__ = ("connection", "events", "identifier", "name", "pending")

    def __init__(self, name: str, identifier: str, events: tuple[str, ...]) -> None:
        self.name, self.identifier, self.events = name, identifier, events
        self.connection: Connection | None = None
        """Where it waits for its next event; None while it is at work."""
        self.pending: bytes | None = None
        """An event that came while it was at work."""

    def tell(self, event: bytes) -> None:
        connection, self.connection = self.connection, None
        if connection is None:
            self.pending = event
        else:
            connection.reply(event)


class Extensions:
    """Those of one environment."""

    def __init__(
        self, names: tuple[str, ...], function: Function, ids: Ids, account_id: str, on_ready: Callable[[], None],
        on_fault: Callable[[Fault], None],
    ) -> None:  # fmt: skip
        self.names = names
        """External ones, which the platform starts."""
        self._function = function
        self._ids = ids
        self._account_id = account_id
        self._on_ready = on_ready
        """Called when nobody is at work any more."""
        self._on_fault = on_fault
        self.telemetry: Telemetry | None = None
        """Where they subscribe to what happens."""
        self._members: dict[str, _Member] = {}

    @property
    def is_ready(self) -> bool:
        """Whether every external one has registered, and all wait for their next event."""
        known = {member.name for member in self._members.values()}
        return known.issuperset(self.names) and all(member.connection is not None for member in self._members.values())

    def lines(self) -> list[str]:
        """The log's line for each, as the platform writes them when the init is over."""
        return [
            f"EXTENSION\tName: {name}\tState: Ready\tEvents: [{', '.join(events)}]\n" for name, events in self.ready()
        ]

    def ready(self) -> list[tuple[str, tuple[str, ...]]]:
        """Name and events of each that has registered."""
        return [(member.name, member.events) for member in self._members.values()]

    # -- calls -------------------------------------------------------------------------------------------------------

    def call(self, call: Call, connection: Connection, *, in_init: bool) -> None:
        """Serve one call of the Extensions API; `kind` is `extension/` and the rest of the path."""
        headers = {name.lower(): value.decode("latin-1").strip() for name, value in _HEADER.findall(call.head)}
        what = call.kind.removeprefix("extension/")
        if what == "register":
            self._register(call, headers, connection, in_init=in_init)
            return
        identifier = headers.get(b"lambda-extension-identifier")
        if identifier is None:
            connection.reply(
                refusal(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier")
            )
            return
        member = self._members.get(identifier)
        if member is None:
            connection.reply(refusal(403, "Extension.InvalidExtensionIdentifier", f"Invalid extension id {identifier}"))
        elif what == "event/next":
            self._next(member, connection)
        elif what in (TELEMETRY, LOGS) and self.telemetry is not None:
            self._subscribe(self.telemetry, member, call.body, what, connection)
        elif what in ("init/error", "exit/error"):
            connection.reply(ACCEPTED)
            kind = "Extension.InitError" if what == "init/error" else "Extension.ExitError"
            told = headers.get(b"lambda-extension-function-error-type") or kind
            self._on_fault(init_fault(kind, f"{member.name}: {told}"))
        else:
            connection.reply(refusal(404, "NotFound", "no such call in the Extensions API 2020-01-01"))

    def _register(self, call: Call, headers: dict[bytes, str], connection: Connection, *, in_init: bool) -> None:
        name = headers.get(b"lambda-extension-name", "")
        try:
            wanted = tuple(orjson.loads(call.body or b"{}").get("events", ()))
        except (orjson.JSONDecodeError, AttributeError, TypeError):
            connection.reply(refusal(400, "InvalidRequestFormat", "events must be a list of INVOKE and SHUTDOWN"))
            return
        if not name or not in_init or len(self._members) >= _MEMBERS_MAX:
            connection.reply(refusal(403, "Extension.InvalidState", "extensions register by name, during the init"))
        elif any(event not in _EVENTS for event in wanted) or (name not in self.names and "SHUTDOWN" in wanted):
            # Internal extensions, inside the runtime's process, cannot ask for SHUTDOWN.
            connection.reply(
                refusal(400, "InvalidEventType", f"{name} cannot register for {', '.join(map(str, wanted))}")
            )
        elif any(member.name == name for member in self._members.values()):
            connection.reply(refusal(403, "Extension.AlreadyRegistered", f"{name} has registered already"))
        else:
            member = _Member(name, self._ids.uuid(), wanted)
            self._members[member.identifier] = member
            function = self._function
            body: dict[str, Any] = {
                "functionName": function.name,
                "functionVersion": function.version,
                "handler": function.handler,
            }
            if "accountId" in headers.get(b"lambda-extension-accept-feature", ""):
                body["accountId"] = self._account_id
            connection.reply(_answer(body, f"Lambda-Extension-Identifier: {member.identifier}\r\n"))

    def _subscribe(self, telemetry: Telemetry, member: _Member, body: bytes, api: str, connection: Connection) -> None:
        try:
            connection.reply(SUBSCRIBED if telemetry.subscribe(member.name, body, api) else ACCEPTED)
        except InvalidSubscription as error:
            connection.reply(refusal(400, "ValidationError", str(error)))

    def _next(self, member: _Member, connection: Connection) -> None:
        if member.pending is not None:
            event, member.pending = member.pending, None
            connection.reply(event)
            return
        member.connection = connection
        if self.is_ready:
            self._on_ready()

    # -- the environment's life --------------------------------------------------------------------------------------

    def invoke(self, invocation: Invocation, deadline_ms: int) -> None:
        """An invocation begins: whoever asked for it hears so, and is waited for."""
        event = {
            "eventType": "INVOKE",
            "deadlineMs": deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.invoked_arn or self._function.arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_header},
        }
        self._tell("INVOKE", event)

    def shutdown(self, reason: str, deadline_ms: int) -> bool:
        """The environment ends (`spindown`, `timeout` or `failure`); whether anybody wants to hear of it."""
        return self._tell("SHUTDOWN", {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms})

    def _tell(self, kind: str, event: dict[str, Any]) -> bool:
        told = [member for member in self._members.values() if kind in member.events]
        for member in told:
            member.tell(_answer(event, f"Lambda-Extension-Event-Identifier: {self._ids.uuid()}\r\n"))
        return bool(told)


def _answer(body: dict[str, Any], headers: str) -> bytes:
    content = orjson.dumps(body)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content
