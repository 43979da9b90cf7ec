"""The corridor of the function wing: `InvokeRequest` in, a future of `InvokeResponse` out.

Order of the rooms: name → permission → size → concurrency → invocation → pool → environment → answer. Everything that
runs belongs to this object and ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from asyncio import Future
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.invoke import InvokeRequest, InvokeResponse, ServiceCaller
from trine.awslambda import limits
from trine.awslambda.admission import check_size, client_context_line, trace_header_for
from trine.awslambda.code import place_code
from trine.awslambda.concurrency import Concurrency
from trine.awslambda.environment import Environment
from trine.awslambda.errors import AccessDenied, InvalidParameterValue, ResourceNotFound, ServiceFault
from trine.awslambda.function import LATEST, Function, function_from_properties, split_name
from trine.awslambda.interpreters import Interpreters
from trine.awslambda.invocation import Invocation
from trine.awslambda.layers import LayerStore
from trine.awslambda.log import FunctionLog, LogStore
from trine.awslambda.permission import resource_policy
from trine.awslambda.pool import Pool
from trine.awslambda.reload import Reloader
from trine.awslambda.starter import Starter
from trine.awslambda.watch import Watch
from trine.awslambda.zygote import raise_descriptor_limit
from trine.clock import Clock
from trine.iam.policy import CompiledPolicy
from trine.iam.principal import Session
from trine.trace import Trace, TraceBook


class RoleKeeper(Protocol):
    """What this wing needs of `iam.access.Access`."""

    def assume_role_for_service(
        self, role_arn: str, session_name: str, service: str, duration_seconds: int = ...
    ) -> Session:
        """Temporary credentials of a role for a service."""

    def revoke(self, session: Session) -> None:
        """End a session now."""

    def authorize_service(
        self,
        service: str,
        action: str,
        resource_arn: str,
        resource_policy: CompiledPolicy | None,
        context: Mapping[str, Sequence[str]] | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Nothing when a service may do it by the resource policy, else AccessDenied."""


@dataclass(slots=True)
class _Entry:
    """A function with what belongs to it."""

    function: Function
    pool: Pool
    log: FunctionLog
    policy: tuple[str, CompiledPolicy] | None = None
    allowed: set[ServiceCaller] = field(default_factory=set)


class Service:
    """The Lambda of one account and region; an `Invoker`."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        access: RoleKeeper,
        place: Place,
        traces: TraceBook,
        state_directory: Path,
        endpoint_url: str,
        *,
        idle_seconds: float = limits.IDLE_SECONDS,
        account_concurrency: int = limits.CONCURRENCY_ACCOUNT,
        keep_logs: bool = True,
        sandboxed: bool = True,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._access = access
        self.place = place
        self._traces = traces
        self._state = state_directory
        self._idle_seconds = idle_seconds
        self.concurrency = Concurrency(account_concurrency)
        self.log_store = LogStore(clock, state_directory / "logs" if keep_logs else None)
        self.interpreters = Interpreters(clock, state_directory, sandboxed=sandboxed)
        self._starter = Starter(
            clock, ids, access, place, self.interpreters, self.log_store, state_directory / "tmp", endpoint_url
        )
        self._entries: dict[str, _Entry] = {}
        self._watch = Watch(clock, self._working)
        self.layers = LayerStore(place, state_directory)
        self._reloader = Reloader(clock, self._reload)
        self._closing = False
        self._running = 0
        self._quiet: Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the zygote in the background; needs the running event loop and returns at once."""
        self._loop = asyncio.get_running_loop()
        raise_descriptor_limit()
        self.interpreters.start()
        self._reloader.start()

    async def warm(self) -> None:
        """Wait until environments start in milliseconds (tests and benchmarks; nobody has to)."""
        await self.interpreters.own.ready()

    def _working(self) -> Iterator[Environment]:
        for entry in self._entries.values():
            yield from entry.pool.working()

    def isolation(self) -> dict[str, Any]:
        """The layers that keep functions apart on this system (known once the zygote is ready)."""
        return self.interpreters.own.layers._asdict()

    def notes(self) -> list[str]:
        """What differs from the template's wishes on this machine, one line each: missing runtimes and layers."""
        runtimes = sorted({entry.function.runtime for entry in self._entries.values()})
        notes = [note for note in map(self.interpreters.note, runtimes) if note is not None]
        for name, entry in sorted(self._entries.items()):
            missing = self.layers.missing(entry.function.layers)
            notes += [f"{name}: the layer {arn} is not part of this stack; its content is missing" for arn in missing]
        return notes

    @property
    def endpoint_url(self) -> str:
        """Where functions find the wire protocols of all services (`AWS_ENDPOINT_URL`)."""
        return self._starter.endpoint_url

    @endpoint_url.setter
    def endpoint_url(self, url: str) -> None:
        self._starter.endpoint_url = url

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Take no more invocations, give running ones `grace_seconds`, then kill whatever is left."""
        self._closing = True
        if grace_seconds > 0 and self._running:
            self._quiet = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet, grace_seconds)
        await asyncio.gather(*(self._close_pool(entry.pool) for entry in self._entries.values()))
        self._watch.close()
        self._reloader.close()
        await self._starter.close()
        await self.interpreters.close()
        self.log_store.flush()
        shutil.rmtree(self._state / "tmp", ignore_errors=True)

    async def _close_pool(self, pool: Pool) -> None:
        empty: Future[None] = asyncio.get_running_loop().create_future()
        pool.close(lambda: None if empty.done() else empty.set_result(None))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(empty, limits.SHUTDOWN_SECONDS)

    # -- functions ---------------------------------------------------------------------------------------------------

    def put_function(
        self,
        properties: Mapping[str, Any],
        code: Path | None,
        permissions: Sequence[Mapping[str, Any]] = (),
    ) -> Function:
        """Make or change a function from `AWS::Lambda::Function` properties (FunctionName included).

        `code` is the directory or zip file that CodeUri names; `permissions` are the properties of its
        `AWS::Lambda::Permission` resources. Raises InvalidParameterValue, InvalidZipFile, MalformedPolicy.
        """
        directory = place_code(properties, code, self._state)
        function = function_from_properties(
            properties, directory, self.place, revision=self._ids.uuid(), modified_at=self._clock.now()
        )
        if function.layers:
            function = replace(function, layers_directory=self.layers.folder(function.layers))
        if code is not None and code.is_dir():
            self._reloader.watch(directory, function.name)
        policy = resource_policy(permissions, function.arn, self.place)
        self.concurrency.reserve(function.name, function.reserved_concurrency)
        entry = self._entries.get(function.name)
        if entry is None:
            pool = Pool(function, self._clock, self._starter.start, self._idle_seconds, self._watch.wake)
            log = self.log_store.group(function.log_group)
            self._entries[function.name] = _Entry(function, pool, log, policy)
        else:
            entry.function, entry.policy = function, policy
            entry.log = self.log_store.group(function.log_group)
            entry.allowed.clear()
            entry.pool.replace(function)
        return function

    def put_layer(self, properties: Mapping[str, Any], content: Path) -> str:
        """Make a layer from `AWS::Lambda::LayerVersion` properties (LayerName included); the ARN of its version.

        Functions that use it are put afterwards. Raises InvalidParameterValue, InvalidZipFile.
        """
        return self.layers.put(properties, content)

    def _reload(self, name: str) -> None:
        entry = self._entries.get(name)
        if entry is not None:
            entry.function = replace(entry.function, revision=self._ids.uuid(), modified_at=self._clock.now())
            entry.pool.replace(entry.function)

    async def delete_function(self, name: str) -> None:
        """Forget a function and end its environments. Raises ResourceNotFound."""
        entry = self._find(name)
        del self._entries[entry.function.name]
        self.concurrency.reserve(entry.function.name, None)
        await self._close_pool(entry.pool)

    def reserve_concurrency(self, name: str, units: int | None) -> None:
        """Set or (None) remove a function's reserved concurrency. Raises ResourceNotFound, InvalidParameterValue."""
        entry = self._find(name)
        others = self.concurrency.unreserved_limit + (entry.function.reserved_concurrency or 0)
        if units is not None and others - units < limits.CONCURRENCY_UNRESERVED_MIN:
            raise InvalidParameterValue(
                f"Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
                f" below its minimum value of [{limits.CONCURRENCY_UNRESERVED_MIN}]."
            )
        self.concurrency.reserve(entry.function.name, units)
        entry.function = entry.pool.function = replace(entry.function, reserved_concurrency=units)

    def functions(self) -> list[Function]:
        """Every function, by name."""
        return [self._entries[name].function for name in sorted(self._entries)]

    def function(self, name: str) -> Function:
        """The function that `name` (any form) means. Raises ResourceNotFound."""
        return self._find(name).function

    def policy_text(self, name: str) -> str | None:
        """The function's resource policy as JSON, or None."""
        policy = self._find(name).policy
        return None if policy is None else policy[0]

    def policy(self, name: str) -> CompiledPolicy | None:
        """The function's resource policy, compiled, or None."""
        policy = self._find(name).policy
        return None if policy is None else policy[1]

    def logs(self, name: str) -> FunctionLog:
        """The function's log: `events`, `written`, `follow`. Raises ResourceNotFound."""
        return self._find(name).log

    def environments(self, name: str) -> list[dict[str, Any]]:
        """The function's environments as people see them."""
        return [environment.describe() for environment in self._find(name).pool.environments]

    def _find(self, text: str) -> _Entry:
        entry = self._entries.get(text)
        if entry is not None:
            return entry
        try:
            name, qualifier = split_name(text, self.place)
        except ValueError:
            raise ResourceNotFound(f"Function not found: {text}") from None
        entry = self._entries.get(name)
        if entry is None or qualifier not in (None, LATEST):
            suffix = f":{qualifier}" if qualifier else ""
            raise ResourceNotFound(f"Function not found: {self.place.function(name)}{suffix}")
        return entry

    # -- invoking ----------------------------------------------------------------------------------------------------

    def invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        """Run a function; never blocks. The future fails with AwsError when the function did not run."""
        loop = self._loop
        assert loop is not None, "start() comes first"
        answer: Future[InvokeResponse] = loop.create_future()
        request_id = self._ids.uuid()
        trace = self._traces.open("lambda", request_id, request.trace)
        try:
            entry = self._admit(request, trace)
            if request.invocation_type == "DryRun":
                self._traces.close(trace, 204)
                answer.set_result(InvokeResponse(204, b"", request_id))
                return answer
            invocation = self._invocation(request, entry, request_id, trace, answer)
            self.concurrency.take(entry.function)
            self._running += 1
        except AwsError as error:
            if trace.refusal is None:
                trace.refuse("awslambda.service", error.message, code=error.code, **error.members)
            self._traces.close(trace, error.status)
            answer.set_exception(error)
            return answer
        trace.step("awslambda.concurrency")
        if request.invocation_type == "Event":
            # Accepted now; what becomes of it its caller never hears.
            invocation.answer = loop.create_future()
            answer.set_result(InvokeResponse(202, b"", request_id))
        entry.pool.submit(invocation)
        return answer

    def _admit(self, request: InvokeRequest, trace: Trace) -> _Entry:
        entry = self._entries.get(request.function)
        if entry is None or request.qualifier is not None:
            name = request.function if request.qualifier is None else f"{request.function}:{request.qualifier}"
            entry = self._find(name)
        trace.title = entry.function.name
        if self._closing:
            raise ServiceFault("The server is shutting down")
        check_size(request)
        caller = request.caller
        if caller is not None and caller not in entry.allowed:
            self._permit(caller, entry, trace)
        return entry

    def _permit(self, caller: ServiceCaller, entry: _Entry, trace: Trace) -> None:
        context = {"aws:SourceArn": (caller.source_arn,), "aws:SourceAccount": (caller.source_account,)}
        policy = None if entry.policy is None else entry.policy[1]
        try:
            self._access.authorize_service(
                caller.service, "lambda:InvokeFunction", entry.function.arn, policy, context, trace
            )
        except AwsError as error:
            raise AccessDenied(error.message) from error
        if len(entry.allowed) < 1_000:
            entry.allowed.add(caller)

    def _invocation(
        self, request: InvokeRequest, entry: _Entry, request_id: str, trace: Trace, answer: Future[InvokeResponse]
    ) -> Invocation:
        invocation = Invocation(request_id, entry.function, request.payload or b"{}", trace, answer, self._done)
        invocation.trace_header = request.trace_header or trace_header_for(request_id, self._clock.now())
        if request.client_context:
            invocation.client_context = client_context_line(request.client_context)
        if request.tail_log:
            invocation.keep_tail()
        return invocation

    def _done(self, invocation: Invocation, status: int) -> None:
        self.concurrency.give_back(invocation.function.name)
        self._running -= 1
        if self._running == 0 and self._quiet is not None and not self._quiet.done():
            self._quiet.set_result(None)
        self._traces.close(invocation.trace, status)
