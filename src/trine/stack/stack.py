"""A running stack: ports, wings and template, started and ended in order.

Enters settings and a template that has been read; leaves a `Stack` that answers on three ports until `close`. The
ports are taken first: a port that is in use ends the start before anything was changed.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from trine.apigateway.build import build_apis
from trine.aws.ids import Ids, SystemIds
from trine.awslambda.head_start import Started
from trine.clock import Clock, SystemClock
from trine.cloudformation.manifest import ManifestRow, manifest
from trine.cloudformation.template import Template
from trine.http.message import Request, Response
from trine.http.server import Server
from trine.stack import run_file
from trine.stack.build import build
from trine.stack.checkpoint import LEFT_OPEN, SHUT_IN, place_functions, shut_in
from trine.stack.deploy import FUNCTION, TABLE, check, deploy
from trine.stack.description import (
    describe_apis,
    describe_functions,
    describe_outputs,
    describe_row,
    describe_tables,
    describe_urls,
    local_addresses,
    url_host,
)
from trine.stack.doors import Doors
from trine.stack.event_description import describe_queues, describe_sources
from trine.stack.fidelity import fidelity, remarks
from trine.stack.functions import ready_functions
from trine.stack.gates import Gates
from trine.stack.left_behind import left_behind
from trine.stack.ports import Ports, bind
from trine.stack.run_file import RunFile
from trine.stack.settings import Settings
from trine.stack.state import open_store, own_directory, store_faults
from trine.stack.trace_export import TraceExport
from trine.stack.wings import Wings

if TYPE_CHECKING:
    from trine.stack.rebuilding import Rebuilding

USER_POOL_CLIENT = "AWS::Cognito::UserPoolClient"
CLOSE_GRACE_SECONDS = 3.0

ConsoleHandler = Callable[[Request], Response | Awaitable[Response]]


class Stack:
    """One template, running. Made by `start`."""

    def __init__(self, settings: Settings, template: Template, wings: Wings, ports: Ports) -> None:
        self.settings, self.template, self.wings = settings, template, wings
        self.arn = settings.place.arn("trine", f"stack/{settings.stack_name}")
        self._ports = ports
        self._servers: list[Server] = []
        self._export: TraceExport | None = None
        self._rebuilding: Rebuilding | None = None
        self.problems: list[str] = []
        """What people must know about what the functions run with."""
        self._network_problems: tuple[str, ...] = ()
        self._shut_in: list[str] = []
        """Functions from which nothing leads to the Internet."""

    @classmethod
    async def start(
        cls,
        settings: Settings,
        template: Template,
        console: Callable[[Stack], ConsoleHandler],
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        head_starts: Mapping[str, Started] | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> Stack:
        """Start everything; ready when this returns. `head_starts` are Pythons for functions that run already; `tell`
        takes lines for people about what takes long: packages that are installed.

        Raises TemplateFaults (a wing refused a resource), PortTaken or StateFault; then nothing runs.
        """
        check(template, settings.place)
        clock, ids = clock or SystemClock(), ids or SystemIds()
        resources = list(template.resources.values())
        apis = build_apis(resources, settings.place)
        own_directory(settings.state_directory)
        ports = bind(settings)
        try:
            store = open_store(settings.state_directory, clock, memory=settings.memory)
        except BaseException:
            ports.close()
            raise
        front_port, aws_port = ports.front.getsockname()[1], ports.aws.getsockname()[1]
        aws_url = f"http://{url_host(settings.host)}:{aws_port}"
        with store_faults():
            wings = build(
                settings,
                apis,
                resources,
                store,
                clock,
                ids,
                aws_url=aws_url,
                front_port=front_port,
                head_starts=head_starts,
            )
        stack = cls(settings, template, wings, ports)
        doors = Doors(wings.access, clock, ids, wings.traces, settings.place)
        wings.endpoints.update(doors.stacks(template, stack.local_addresses))
        try:
            stack._network_problems = place_functions(wings.access, resources)
            if settings.otlp_endpoint is not None:
                region, name = settings.place.region, settings.stack_name
                wings.traces.keeps_origin = True
                stack._export = TraceExport(wings.traces.follow, settings.otlp_endpoint, name, region)
            gates = Gates(wings, ports, console(stack), settings.host, settings.vpc_neighbours)
            stack._shut_in = shut_in(wings.access)
            if stack._shut_in:
                wings.functions.machinery.offer(gates)
            wings.functions.start()
            with store_faults():
                wings.dynamodb.start()
                wings.cloudwatch.load()
                readied = await ready_functions(template, settings, clock, tell)
                stack.problems += readied.problems
                await deploy(template, wings, settings, readied)
                if readied.built:
                    from trine.stack.rebuilding import Rebuilding

                    stack._rebuilding = Rebuilding(readied.built, clock, settings.state_directory)
                    stack._rebuilding.start()
            if not settings.memory:
                find_table = wings.dynamodb.rooms.tables.find
                stack.problems += left_behind(settings.state_directory, template.of_type(TABLE), find_table)
            wings.observing.collector.start()
            await stack._listen(gates)
            wings.functions.open()
            wings.eventing.open()
        except BaseException:
            await stack.close()
            raise
        return stack

    async def _listen(self, gates: Gates) -> None:
        self._servers = await gates.listen()
        address = self._ports.dynamodb.getsockname()
        self.wings.dynamodb.regions.reached_at(f"{url_host(self.settings.host)}:{address[1]}")
        self.run_file().write(self.settings.state_directory)

    def warm(self) -> None:
        """Import what first requests need, so that none of them waits for it."""
        self.wings.dynamodb.warm()
        if self.wings.sockets is not None:
            self.wings.sockets.warm()

    async def close(self) -> None:
        """End everything in order: no new requests, those under way within the grace, processes, store."""
        for server in self._servers:
            await server.close(CLOSE_GRACE_SECONDS)
        if self._rebuilding is not None:
            await self._rebuilding.close()
        if self._export is not None:
            await asyncio.to_thread(self._export.close)
        self._ports.close()
        await self.wings.close()
        if self.settings.memory:
            run_file.remove(self.settings.state_directory)

    # -- what people see -----------------------------------------------------------------------------------------

    @property
    def front_url(self) -> str:
        """Where the first API answers, without a trailing slash."""
        return self._url(self._ports.front)

    @property
    def aws_url(self) -> str:
        """The endpoint URL for SDKs."""
        return self._url(self._ports.aws)

    @property
    def dynamodb_url(self) -> str:
        """The table's own port."""
        return self._url(self._ports.dynamodb)

    def _url(self, bound: socket.socket) -> str:
        return f"http://{url_host(self.settings.host)}:{bound.getsockname()[1]}"

    def run_file(self) -> RunFile:
        """What commands in other terminals need to find this stack."""
        key = self.wings.access.owner_credentials()
        return RunFile(
            pid=os.getpid(),
            template=str(self.template.path),
            front_url=self.front_url,
            aws_url=self.aws_url,
            dynamodb_url=self.dynamodb_url,
            region=self.settings.place.region,
            stack_name=self.settings.stack_name,
            account_id=self.settings.place.account_id,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            parameters=dict(self.settings.parameters),
            client_secrets={
                client.logical_id: str(client.attributes["ClientSecret"])
                for client in self.template.of_type(USER_POOL_CLIENT)
                if client.properties.get("GenerateSecret")
            },
            api_keys={api_key.name: api_key.value for api_key in self.wings.usage.keys},
        )

    def _shut_in_notes(self) -> list[str]:
        if not self._shut_in:
            return []
        text = LEFT_OPEN if self.wings.functions.machinery.interpreters.own_networks is False else SHUT_IN
        return [text % ", ".join(self._shut_in)]

    def manifest(self) -> list[ManifestRow]:
        """Each property of the template: enforced, stored or ignored."""
        return manifest(self.template, fidelity(), remarks())

    def local_addresses(self) -> dict[str, str]:
        """AWS's address of every stage, function URL and queue → the one that answers here."""
        place, front_port = self.settings.place, self._ports.front.getsockname()[1]
        apis = describe_apis(self.wings.gateway.apis, self.settings.host, front_port)
        urls = describe_urls(self.wings.functions.urls, place, self.settings.host, front_port)
        return local_addresses(apis, [*urls, *describe_queues(self.template, self.aws_url)], place)

    def description(self) -> dict[str, Any]:
        """Everything that `--json` prints, as JSON values."""
        place, front_port = self.settings.place, self._ports.front.getsockname()[1]
        apis = describe_apis(self.wings.gateway.apis, self.settings.host, front_port)
        urls = describe_urls(self.wings.functions.urls, place, self.settings.host, front_port)
        queues = describe_queues(self.template, self.aws_url)
        return {
            "template": str(self.template.path),
            "stackName": self.settings.stack_name,
            "region": self.settings.place.region,
            "accountId": self.settings.place.account_id,
            "enforcement": self.settings.enforcement,
            "throttling": self.settings.throttling,
            "observe": self.settings.observe,
            "durable": not self.settings.memory,
            "stateDirectory": str(self.settings.state_directory),
            "frontUrl": self.front_url,
            "awsUrl": self.aws_url,
            "dynamodbUrl": self.dynamodb_url,
            "apis": apis,
            "problems": [
                *self.problems,
                *self.wings.gateway.problems,
                *(self.wings.sockets.problems if self.wings.sockets is not None else ()),
                *self._network_problems,
                *self._shut_in_notes(),
                *self.wings.functions.deployment.notes(),
                *self.wings.functions.event_notes(),
                *self.wings.eventing.all_notes(),
                *self.wings.notes,
            ],
            "isolation": self.wings.functions.machinery.isolation(),
            "isolationIsKnown": self.wings.functions.machinery.interpreters.layers_are_known,
            "functions": describe_functions(self.template.of_type(FUNCTION)),
            "functionUrls": urls,
            "tables": describe_tables(self.template.of_type(TABLE)),
            "queues": queues,
            "sources": describe_sources(self.template),
            "outputs": describe_outputs(self.template, self.local_addresses()),
            "manifest": [describe_row(row) for row in self.manifest()],
        }
