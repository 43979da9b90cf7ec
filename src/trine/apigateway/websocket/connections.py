"""The open connections of all WebSocket APIs, by id: what PostToConnection and its siblings look up.

A connection is in the registry from the moment the client has its answer until either side says goodbye, as on AWS: a
message posted to it while `$connect` still runs finds nobody.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trine.apigateway.websocket.stage import SocketStage
from trine.aws.ids import Ids

if TYPE_CHECKING:
    from trine.http.websocket import WebSocket

ID_BYTES = 11
_ID = re.compile(r"[A-Za-z0-9_-]{15}=")


class Connection:
    """One client of one stage."""

    __slots__ = ("authorizer", "connected_at", "domain_name", "id", "identity", "source_ip", "stage", "user_agent",
                 "websocket")  # fmt: skip

    def __init__(
        self,
        connection_id: str,
        stage: SocketStage,
        connected_at: float,
        domain_name: str,
        source_ip: str,
        user_agent: str | None,
    ) -> None:
        self.id = connection_id
        self.stage = stage
        self.connected_at = connected_at
        """Seconds since the epoch."""
        self.domain_name = domain_name
        self.source_ip = source_ip
        self.user_agent = user_agent
        self.identity: Mapping[str, Any] | None = None
        """What AWS_IAM adds to `requestContext.identity`."""
        self.authorizer: Mapping[str, Any] | None = None
        """What the Lambda authorizer adds; every later event shows it."""
        self.websocket: WebSocket | None = None
        """None while `$connect` runs."""


class Connections:
    """All that are open."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._open: dict[str, Connection] = {}

    def new_id(self) -> str:
        """16 characters such as `L0SM9cOFvHcCIhw=`, of which none needs escaping in a path but the last.

        The first is a letter: of `--connection-id -x…` the AWS CLI would make an option.
        """
        first, *others = self._ids.random_bytes(ID_BYTES)
        return urlsafe_b64encode(bytes((first & 0x7F, *others))).decode()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """`connection` can be written to from now on."""
        self._open[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        """It cannot any more."""
        self._open.pop(connection.id, None)

    def find(self, connection_id: str) -> Connection | None:
        """The open connection of that id."""
        return self._open.get(connection_id)


def is_connection_id(text: str) -> bool:
    """Whether `text` has the form of a connection id."""
    return _ID.fullmatch(text) is not None
