"""The table alone: store, identity and DynamoDB endpoint on one port, without template, functions or front door.

Enters settings, leaves a `TableServer` that answers until `close`. Signatures are verified here too; the owner's key is
in the run file (`trine env`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import partial

from trine.aws.ids import Ids, SystemIds
from trine.clock import Clock, SystemClock
from trine.dynamodb.endpoint import DynamoDB
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.http.limits import Limits
from trine.http.message import Request, Response
from trine.http.server import Server, serve
from trine.iam.access import Access
from trine.stack import run_file
from trine.stack.build import observing_of
from trine.stack.description import url_host
from trine.stack.doors import Doors
from trine.stack.listeners import AwsPort, Endpoint
from trine.stack.ports import listen
from trine.stack.run_file import RunFile
from trine.stack.settings import Settings
from trine.stack.state import open_store, own_directory
from trine.trace import TraceBook

CLOSE_GRACE_SECONDS = 3.0
# DynamoDB takes request lines and headers of 16 KB (found on AWS by Scylla's test/alternator, test_manual_requests).
LIMITS = Limits(head_bytes=16 * 1024)


class TableServer:
    """A DynamoDB-compatible server (and STS and IAM, so that keys and roles work) on one port."""

    def __init__(self, settings: Settings, listener: socket.socket, clock: Clock, ids: Ids) -> None:
        self.settings = settings
        self._listener = listener
        self.store = open_store(settings.state_directory, clock, memory=settings.memory)
        self.traces = TraceBook(clock, recording=settings.observe != "nothing")
        catalogue = DocumentCatalogue(self.store)
        self.access = Access(clock, ids, catalogue, settings.enforcement, settings.place)
        self.dynamodb = DynamoDB(
            self.store,
            clock,
            ids,
            self.access,
            settings.place,
            self.traces,
            catalogue=catalogue,
            replica_lag_seconds=settings.replica_lag_seconds,
            item_collection_max_bytes=settings.item_collection_max_bytes,
            throttling=settings.throttling,
            buckets_directory=settings.state_directory / "s3",
        )
        self.observing = observing_of(settings, clock, self.traces, self.dynamodb)
        self._endpoints: Mapping[str, Endpoint] = {
            "dynamodb": self.dynamodb,
            **Doors(self.access, clock, ids, self.traces, settings.place).identity(),
        }
        self._clock = clock
        self._server: Server | None = None

    @classmethod
    async def start(cls, settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None) -> TableServer:
        """Answer on the settings' DynamoDB port when this returns. Raises PortTaken or StateFault."""
        own_directory(settings.state_directory)
        listener = listen(settings.host, settings.dynamodb_port, "--port")
        try:
            names = ids or SystemIds()
            server = cls(settings, listener, clock or SystemClock(), names)
        except BaseException:
            listener.close()
            raise
        no_console = partial(_no_console, names)
        port = AwsPort(server._endpoints, no_console, names)
        server._server = await serve(
            port.handle,
            clock=server._clock,
            sock=listener,
            limits=LIMITS,
            error_response=server.dynamodb.error_response,
        )
        server.dynamodb.start()
        server.observing.collector.start()
        server.run_file().write(settings.state_directory)
        return server

    @property
    def url(self) -> str:
        """The endpoint URL for SDKs."""
        return f"http://{url_host(self.settings.host)}:{self._listener.getsockname()[1]}"

    def run_file(self) -> RunFile:
        """What `trine env` reads."""
        key = self.access.owner_credentials()
        return RunFile(
            pid=os.getpid(),
            template="",
            front_url="",
            aws_url=self.url,
            dynamodb_url=self.url,
            region=self.settings.place.region,
            account_id=self.settings.place.account_id,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
        )

    async def close(self) -> None:
        """Finish what was accepted, then let go of the store."""
        if self._server is not None:
            await self._server.close(CLOSE_GRACE_SECONDS)
        self.observing.collector.close()
        await self.access.settled()
        await self.dynamodb.close()
        await self.store.close()
        if self.settings.memory:
            run_file.remove(self.settings.state_directory)


def _no_console(ids: Ids, request: Request) -> Response:
    from trine.stack.nobody import unknown_service

    return unknown_service("trine", request, ids.uuid())
