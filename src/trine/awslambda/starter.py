"""Starts environments: credentials of the role, a log stream, a folder for temporary files, a process, a link to it.

Enters a pool that wants one more environment, leaves the environment in its init. Cleans up after each that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import Coroutine
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.awslambda import launch, limits
from trine.awslambda.environment import Environment
from trine.awslambda.extensions import Extensions, external
from trine.awslambda.fault import Fault, exit_sentence
from trine.awslambda.function import Function
from trine.awslambda.guest_link import GuestLink
from trine.awslambda.interpreters import Interpreters
from trine.awslambda.lifecycle import State
from trine.awslambda.link import open_listener, serve_listener
from trine.awslambda.log import stream_name
from trine.awslambda.network import Doors, OwnNetwork
from trine.awslambda.pool import Pool
from trine.awslambda.process import Exit
from trine.awslambda.roles import RoleKeeper
from trine.awslambda.zygote import Zygote
from trine.clock import Clock
from trine.iam.principal import Session
from trine.logs.store import LogStore


class Starter:
    """Makes environments for every pool of a service."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        access: RoleKeeper,
        place: Place,
        interpreters: Interpreters,
        logs: LogStore,
        temporary_directory: Path,
        endpoint_url: str,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._access = access
        self._place = place
        self._interpreters = interpreters
        self._logs = logs
        self._temporary = temporary_directory
        self.endpoint_url = endpoint_url
        self.doors: Doors | None = None
        """What environments with a network of their own may knock at; None: every environment has the machine's."""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, pool: Pool, phase: str, is_kept: bool = False) -> Environment:
        """A new environment of the pool's function; `is_kept`: for provisioned concurrency. Raises AwsError when its
        role cannot be assumed."""
        function = pool.function
        session = self._session(function)
        identifier = self._ids.uuid().replace("-", "")
        stream = stream_name(self._clock.now(), function.version, identifier)
        folder = self._temporary / identifier
        closing = _Closing(pool, folder, session, self._access)
        environment = Environment(
            identifier, function, session, stream, self._logs.group(function.log_group), self._clock, closing, phase
        )
        environment.is_kept = is_kept
        zygote = self._interpreters.zygote(function.runtime)
        # A server that has only just started waits for its zygote here; nobody else does.
        zygote.when_ready(lambda: self._launch(environment, zygote, folder, closing))
        return environment

    def _network_of(
        self, environment: Environment, zygote: Zygote, closing: _Closing, wants_listener: bool
    ) -> OwnNetwork | None:
        # For an environment from which nothing leads to the Internet. A debugger has to get in, so it gets none.
        session = environment.session
        if self.doors is None or session is None or session.placement is None or not zygote.own_networks:
            return None
        if environment.function.debug is not None or session.placement.way_out().open:
            return None
        serve_runtime = None
        if wants_listener:
            serve_runtime = partial(serve_listener, environment, is_private=True, before=closing.heed)
        closing.network = OwnNetwork(self.doors, session, self._clock, self._keep, serve_runtime)
        return closing.network

    def _launch(self, environment: Environment, zygote: Zygote, folder: Path, closing: _Closing) -> None:
        if environment.state is not State.INIT:
            return
        function = environment.function
        env = launch.variables(function, environment.session, self._place, self.endpoint_url, environment.stream)
        if environment.is_kept:
            env["AWS_LAMBDA_INITIALIZATION_TYPE"] = "provisioned-concurrency"
        listener: socket.socket | None = None
        try:
            folder.mkdir(parents=True, mode=0o700)
            program, wants_listener = launch.launch(function, env, zygote, str(folder))
            network = self._network_of(environment, zygote, closing, wants_listener)
            if network is not None:
                program = replace(program, network=network.plan)
            if wants_listener:
                if network is None:
                    listener = open_listener()
                    address = f"127.0.0.1:{listener.getsockname()[1]}"
                else:
                    address = network.runtime_address
                program = launch.with_runtime_api(program, address)
                environment.extensions = Extensions(
                    external(function.layers_directory), function, self._ids, self._place.account_id,
                    environment.all_wait, environment.fail,
                )  # fmt: skip
            process = zygote.launch(program, environment.exited)
            process.on_extension_exit = partial(_extension_ended, environment)
            if network is not None:
                process.on_doors = network.opened
        except (launch.RuntimeMissing, OSError) as error:
            if listener is not None:
                listener.close()
            # Told through the same door as every other init fault, but not before the pool knows the environment.
            asyncio.get_running_loop().call_soon(environment.exited, Exit(None, 0, str(error)))
            return
        environment.attach(process)
        self._keep(self._connect(environment, process.link, listener, closing))

    def _session(self, function: Function) -> Session | None:
        if not function.role_arn:
            return None
        name = function.name.ljust(2, "-")  # a session's name has two characters at least, a function's one
        return self._access.assume_role_for_service(
            function.role_arn, name, "lambda.amazonaws.com", limits.CREDENTIALS_SECONDS, function.arn
        )

    async def _connect(
        self, environment: Environment, link: socket.socket, listener: socket.socket | None, closing: _Closing
    ) -> None:
        if listener is not None:
            closing.server = await serve_listener(environment, listener)
        if environment.function.family in ("python", "nodejs"):
            before = None if closing.network is None else closing.heed
            GuestLink(environment, link, before)  # Trine's own client
        else:
            link.close()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is still being connected."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _extension_ended(environment: Environment, path: str, status: int) -> None:
    # An extension that ends takes its environment along.
    sentence = exit_sentence(status).rpartition(": ")[2]
    environment.end_for("Extension.Crash", f"{path}: {sentence}")


class _Closing:
    """Stands between an environment and its pool: hands the reports on, and cleans up when it has ended."""

    __slots__ = ("_access", "_folder", "_session", "idle", "network", "pool", "ready", "server")

    def __init__(self, pool: Pool, folder: Path, session: Session | None, access: RoleKeeper) -> None:
        self.pool = pool
        self.ready = pool.ready
        self.idle = pool.idle
        self.server: asyncio.Server | None = None
        self.network: OwnNetwork | None = None
        self._folder = folder
        self._session = session
        self._access = access

    def heed(self) -> None:
        """What the environment tried until now goes to the trace of what it is doing."""
        if self.network is not None:
            self.network.heed()

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        """Credentials die with their environment, and so do its files and its door."""
        if self._session is not None:
            self._access.revoke(self._session)
        if self.server is not None:
            self.server.close()
        if self.network is not None:
            self.network.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.pool.ended(environment, init_fault)
