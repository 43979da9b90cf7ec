"""Starts environments: credentials of the role, a log stream, a folder for temporary files, a process, a link to it.

Enters a pool that wants one more environment, leaves the environment in its init. Cleans up after each that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
from collections.abc import Coroutine
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.awslambda import limits
from trine.awslambda.environments import launch
from trine.awslambda.environments.control_groups import ControlGroups
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.interpreters import Interpreters
from trine.awslambda.environments.lifecycle import Owner, State
from trine.awslambda.environments.network import Doors, OwnNetwork
from trine.awslambda.environments.output import OutputPipe
from trine.awslambda.environments.pool import Pool
from trine.awslambda.environments.process import Exit, Process
from trine.awslambda.environments.snapshots import Snapshot, Snapshots
from trine.awslambda.environments.zygote import Zygote
from trine.awslambda.fault import Fault, exit_sentence
from trine.awslambda.function import Function
from trine.awslambda.guest_apis.extensions import Extensions, external
from trine.awslambda.guest_apis.guest_link import GuestLink
from trine.awslambda.guest_apis.link import open_listener, serve_listener
from trine.awslambda.guest_apis.telemetry import Telemetry
from trine.awslambda.log import stream_name
from trine.awslambda.report_telemetry import TelemetryReport
from trine.awslambda.roles import RoleKeeper
from trine.awslambda.runtimes.known import runtime_of
from trine.awslambda.runtimes.runtime import RuntimeMissing
from trine.clock import Clock
from trine.iam.principal import Session
from trine.logs.store import LogStore

_LOGGER = logging.getLogger(__name__)


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
        self.snapshots = Snapshots(clock, self.take)
        self.groups: ControlGroups | None = None
        """Where environments are put by the kernel's control groups; None before the start."""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, pool: Pool, phase: str, is_kept: bool = False) -> Environment:
        """A new environment of the pool's function; `is_kept`: for provisioned concurrency. Raises AwsError when its
        role cannot be assumed."""
        function = pool.function
        snapshot = self.snapshots.ready_for(function) if phase == "init" and not is_kept else None
        environment, closing = self._new(
            function, self._session(function), pool, phase if snapshot is None else "restore"
        )
        environment.is_kept = environment.report.is_kept_ready = is_kept
        zygote = self._interpreters.zygote(function.runtime)
        # A server that has only just started waits for its zygote here; nobody else does.
        zygote.when_ready(lambda: self._launch(environment, zygote, closing, snapshot))
        return environment

    def _network_of(
        self, environment: Environment, zygote: Zygote, closing: _Closing, wants_listener: bool
    ) -> OwnNetwork | None:
        # For an environment from which nothing leads to the Internet. A debugger has to get in, so it gets none.
        session = environment.session
        if self.doors is None or session is None or not self._is_shut_in(environment.function, session, zygote):
            return None
        serve_runtime = None
        if wants_listener:
            serve_runtime = partial(serve_listener, environment, is_private=True, before=closing.heed)
        closing.network = OwnNetwork(self.doors, session, self._clock, self._keep, serve_runtime)
        return closing.network

    def _is_shut_in(self, function: Function, session: Session | None, zygote: Zygote) -> bool:
        if self.doors is None or session is None or session.placement is None or not zygote.own_networks:
            return False
        return function.debug is None and not session.placement.way_out().open

    def take(self, snapshot: Snapshot) -> None:
        """Take a snapshot: run the init of an environment that is never invoked. It hears how that went."""
        zygote = self._interpreters.zygote(snapshot.function.runtime)
        zygote.when_ready(lambda: self._take(snapshot, zygote))

    def _take(self, snapshot: Snapshot, zygote: Zygote) -> None:
        function = snapshot.function
        if not zygote.layers.namespaces or external(function.layers_directory):
            snapshot.fail()  # forks would share `/tmp`; extensions cannot be forked
            return
        try:
            session = self._session(function)
        except AwsError as error:
            _LOGGER.warning("no snapshot of %s: %s", function.arn, error.message)
            snapshot.fail()
            return
        if self._is_shut_in(function, session, zygote):
            if session is not None:
                self._access.revoke(session)
            snapshot.fail()  # each environment gets a network of its own, which forks would share
            return
        environment, closing = self._new(function, session, snapshot, "snapshot")
        snapshot.environment = environment
        self._launch(environment, zygote, closing, snapshot)

    def _new(
        self, function: Function, session: Session | None, owner: Owner, phase: str
    ) -> tuple[Environment, _Closing]:
        identifier = self._ids.uuid().replace("-", "")
        stream = stream_name(self._clock.now(), function.version, identifier)
        closing = _Closing(owner, self._temporary / identifier, session, self._access)
        log = self._logs.group(function.log_group)
        return Environment(identifier, function, session, stream, log, self._clock, closing, phase), closing

    def _launch(
        self, environment: Environment, zygote: Zygote, closing: _Closing, snapshot: Snapshot | None = None
    ) -> None:
        if environment.state is not State.INIT:
            return
        function, folder = environment.function, closing.folder
        env = launch.variables(function, environment.session, self._place, self.endpoint_url, environment.stream)
        if environment.is_kept:
            env["AWS_LAMBDA_INITIALIZATION_TYPE"] = "provisioned-concurrency"
        elif snapshot is not None:
            env["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
        listener: socket.socket | None = None
        try:
            folder.mkdir(parents=True, mode=0o700)
            program, wants_listener = launch.launch(function, env, zygote, str(folder))
            program = launch.without_state(program, self._temporary.parent)
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
                telemetry = Telemetry(self._clock, self._keep, is_reachable=network is None)
                environment.extensions.telemetry = closing.telemetry = telemetry
                environment.report = TelemetryReport(environment.report, telemetry, environment.init_phase)
            if snapshot is None:
                process = zygote.launch(program, environment.exited)
            elif environment is snapshot.environment:
                process = zygote.launch(replace(program, slots=limits.SNAPSHOT_SLOTS), environment.exited)
                snapshot.begun(process)
            else:
                process = snapshot.restore(program, environment.exited)
            process.on_extension_exit = partial(_extension_ended, environment)
            process.on_started = partial(self._started, environment, closing)
            closing.read_extensions(environment, process)
            if network is not None:
                process.on_doors = network.opened
        except (RuntimeMissing, OSError) as error:
            if listener is not None:
                listener.close()
            # Told through the same door as every other init fault, but not before the pool knows the environment.
            asyncio.get_running_loop().call_soon(environment.exited, Exit(None, 0, str(error)))
            return
        environment.attach(process)
        self._keep(self._connect(environment, process.link, listener, closing))

    def _started(self, environment: Environment, closing: _Closing, pid: int) -> None:
        groups = closing.groups = self.groups
        if groups is not None and groups.at_once:
            groups.enter(environment.id, pid, environment.function.memory_mb)

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
        if runtime_of(environment.function.runtime).speaks_by_link:
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
    """Stands between an environment and its owner: hands the reports on, and cleans up when it has ended."""

    __slots__ = ("_access", "_session", "folder", "groups", "idle", "network", "output", "owner", "ready", "server",
                 "telemetry")  # fmt: skip

    def __init__(self, owner: Owner, folder: Path, session: Session | None, access: RoleKeeper) -> None:
        self.owner = owner
        self.ready = owner.ready
        self.idle = owner.idle
        self.server: asyncio.Server | None = None
        self.network: OwnNetwork | None = None
        self.groups: ControlGroups | None = None
        self.telemetry: Telemetry | None = None
        self.output: OutputPipe | None = None
        """What its extensions write."""
        self.folder = folder
        """For its temporary files, where it has no `/tmp` of its own."""
        self._session = session
        self._access = access

    def heed(self) -> None:
        """What the environment tried until now goes to the trace of what it is doing."""
        if self.network is not None:
            self.network.heed()

    def read_extensions(self, environment: Environment, process: Process) -> None:
        """Put what extensions write into the log, apart from the function's own: they may subscribe to that."""
        if process.extension_log is None:
            return

        def line(text: str) -> None:
            environment.log(text)
            if self.telemetry is not None:
                self.telemetry.line("extension", text, is_json=False)

        self.output = OutputPipe(process.extension_log, line)

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        """Credentials die with their environment, and so do its files and its door."""
        if self._session is not None:
            self._access.revoke(self._session)
        if self.server is not None:
            self.server.close()
        if self.network is not None:
            self.network.close()
        if self.groups is not None:
            self.groups.leave(environment.id)
        if self.output is not None:
            self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.owner.ended(environment, init_fault)
