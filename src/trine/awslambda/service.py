"""The corridor of the function wing: `InvokeRequest` in, a future of `InvokeResponse` out.

Order of the rooms: name → permission → size → concurrency → invocation → pool → environment → answer. Everything that
runs belongs to this object and ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from asyncio import Future
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.invoke import InvokeRequest, InvokeResponse, ServiceCaller
from trine.awslambda import limits
from trine.awslambda.admission import check_size, client_context_line, trace_header_for
from trine.awslambda.async_events import AsyncEvents
from trine.awslambda.async_invoke import AsyncEvent
from trine.awslambda.code import place_code
from trine.awslambda.concurrency import Concurrency
from trine.awslambda.errors import AccessDenied, InvalidParameterValue, ServiceFault
from trine.awslambda.function import Function, function_from_properties
from trine.awslambda.function_store import FunctionStore, KeptFunction
from trine.awslambda.interpreters import Interpreters
from trine.awslambda.invocation import Invocation
from trine.awslambda.layers import LayerStore
from trine.awslambda.log import FunctionLog, LogStore
from trine.awslambda.permission import resource_policy
from trine.awslambda.pool import Pool
from trine.awslambda.registry import Alias, Entry, Registry
from trine.awslambda.reload import Reloader
from trine.awslambda.roles import RoleKeeper
from trine.awslambda.starter import Starter
from trine.awslambda.watch import Watch
from trine.awslambda.zygote import raise_descriptor_limit
from trine.clock import Clock
from trine.iam.policy import CompiledPolicy
from trine.trace import Trace, TraceBook


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
        catalogue: Catalogue | None = None,
        sandboxed: bool = True,
        quick_sdk: bool = True,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._access = access
        self.place = place
        self._traces = traces
        self.state_directory = state_directory
        """Where unpacked code, logs and temporary files lie."""
        self._idle_seconds = idle_seconds
        self.concurrency = Concurrency(account_concurrency)
        self.log_store = LogStore(clock, state_directory / "logs" if keep_logs else None)
        self.interpreters = Interpreters(clock, state_directory, sandboxed=sandboxed, quick_sdk=quick_sdk)
        self._starter = Starter(
            clock, ids, access, place, self.interpreters, self.log_store, state_directory / "tmp", endpoint_url
        )
        self.registry = Registry(place, self._new_pool, lambda: int.from_bytes(ids.random_bytes(4)) / 2**32)
        self.kept = FunctionStore(catalogue)
        self.events = AsyncEvents(clock, catalogue, access, self.registry, self.run_event, self.invoke)
        self._watch = Watch(clock, self.registry.working)
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
        self._loop.call_soon(self._restore)
        self._loop.call_soon(self.events.queue.start)

    async def warm(self) -> None:
        """Wait until environments start in milliseconds (tests and benchmarks; nobody has to)."""
        await self.interpreters.own.ready()

    def isolation(self) -> dict[str, Any]:
        """The layers that keep functions apart on this system (known once the zygote is ready)."""
        return self.interpreters.own.layers._asdict()

    def notes(self) -> list[str]:
        """What differs from the template's wishes on this machine, one line each: missing runtimes and layers."""
        runtimes = sorted({entry.function.runtime for entry in self.registry})
        notes = [note for note in map(self.interpreters.note, runtimes) if note is not None]
        for function in self.functions():
            missing = self.layers.missing(function.layers)
            notes += [
                f"{function.name}: the layer {arn} is not part of this stack; its content is missing" for arn in missing
            ]
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
        self.events.queue.close()
        if grace_seconds > 0 and self._running:
            self._quiet = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet, grace_seconds)
        pools = [pool for entry in self.registry for pool in entry.pools.values()]
        await asyncio.gather(*map(self._close_pool, pools))
        self._watch.close()
        self._reloader.close()
        await self._starter.close()
        await self.interpreters.close()
        self.log_store.flush()
        shutil.rmtree(self.state_directory / "tmp", ignore_errors=True)

    def _new_pool(self, function: Function) -> Pool:
        return Pool(function, self._clock, self._starter.start, self._idle_seconds, self._watch.wake)

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
        directory = place_code(properties, code, self.state_directory)
        function = function_from_properties(
            properties, directory, self.place, revision=self._ids.uuid(), modified_at=self._clock.now()
        )
        if function.layers:
            function = replace(function, layers_directory=self.layers.folder(function.layers))
        if code is not None and code.is_dir():
            self._reloader.watch(directory, function.name)
        policy = resource_policy(permissions, function.arn, self.place)
        self.concurrency.reserve(function.name, function.reserved_concurrency)
        self.interpreters.prepare(function.runtime)
        entry = self.registry.put(function, self.log_store.group(function.log_group))
        entry.permissions, entry.policy = list(permissions), policy
        return function

    def try_role(self, role_arn: str) -> None:
        """InvalidParameterValue when Lambda may not assume a role."""
        try:
            session = self._access.assume_role_for_service(role_arn, "validation", "lambda.amazonaws.com")
        except AwsError as error:
            raise InvalidParameterValue("The role defined for the function cannot be assumed by Lambda.") from error
        self._access.revoke(session)

    def set_permissions(self, name: str, permissions: Sequence[Mapping[str, Any]]) -> None:
        """Replace what a function's resource policy is made of. Raises InvalidParameterValue, MalformedPolicy."""
        entry, _ = self.registry.find(name)
        entry.policy = resource_policy(permissions, entry.function.arn, self.place)
        entry.permissions = list(permissions)
        entry.allowed.clear()
        if self.kept.has(entry.function.name):
            kept = KeptFunction(entry.function.properties, entry.function.code_directory, entry.permissions)
            self.kept.put(entry.function.name, kept)

    def _restore(self) -> None:
        for kept in self.kept.load():
            if self.registry.get(str(kept.properties.get("FunctionName"))) is None:
                self.put_function(kept.properties, kept.code, kept.permissions)

    def put_layer(self, properties: Mapping[str, Any], content: Path) -> str:
        """Make a layer from `AWS::Lambda::LayerVersion` properties (LayerName included); the ARN of its version.

        Functions that use it are put afterwards. Raises InvalidParameterValue, InvalidZipFile.
        """
        return self.layers.put(properties, content)

    def put_version(self, name: str) -> Function:
        """Publish what `$LATEST` is now (`AWS::Lambda::Version`); `version` of the answer is its number."""
        return self.registry.publish(name)

    def put_alias(self, name: str, alias: str, version: str, weights: Mapping[str, float] | None = None) -> Alias:
        """Make or change an alias (`AWS::Lambda::Alias`). ResourceNotFound when a version does not exist."""
        return self.registry.put_alias(name, Alias(alias, version, weights=weights or {}))

    def put_event_config(self, properties: Mapping[str, Any]) -> None:
        """How a function's asynchronous events are treated, from `AWS::Lambda::EventInvokeConfig` properties."""
        self.events.put_config(properties)

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        """What functions sent to a queue, topic or bus as dead letters or destinations, the oldest first."""
        return self.events.destinations.messages(arn)

    def _reload(self, name: str) -> None:
        now, revision = self._clock.now(), self._ids.uuid()
        self.registry.reload(name, lambda function: replace(function, revision=revision, modified_at=now))

    async def delete_function(self, name: str) -> None:
        """Forget a function and end its environments. Raises ResourceNotFound."""
        await self.kept.remove(self.registry.find(name)[0].function.name)
        entry = self.registry.remove(self.registry.find(name)[0].function.name)
        self.concurrency.reserve(entry.function.name, None)
        await asyncio.gather(*map(self._close_pool, entry.pools.values()))

    def reserve_concurrency(self, name: str, units: int | None) -> None:
        """Set or (None) remove a function's reserved concurrency. Raises ResourceNotFound, InvalidParameterValue."""
        entry, _ = self.registry.find(name)
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
        return [entry.function for entry in self.registry]

    def function(self, name: str, qualifier: str | None = None) -> Function:
        """The function that `name` (any form) means. Raises ResourceNotFound."""
        return self.registry.function(name, qualifier)

    def policy_text(self, name: str) -> str | None:
        """The function's resource policy as JSON, or None."""
        policy = self.registry.find(name)[0].policy
        return None if policy is None else policy[0]

    def policy(self, name: str) -> CompiledPolicy | None:
        """The function's resource policy, compiled, or None."""
        policy = self.registry.find(name)[0].policy
        return None if policy is None else policy[1]

    def logs(self, name: str) -> FunctionLog:
        """The function's log: `events`, `written`, `follow`. Raises ResourceNotFound."""
        return self.registry.find(name)[0].log

    def environments(self, name: str) -> list[dict[str, Any]]:
        """The function's environments as people see them."""
        return self.registry.describe_environments(name)

    # -- invoking ----------------------------------------------------------------------------------------------------

    def invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        """Run a function; never blocks. The future fails with AwsError when the function did not run."""
        loop = self._loop
        assert loop is not None, "start() comes first"
        answer: Future[InvokeResponse] = loop.create_future()
        request_id = self._ids.uuid()
        trace = self._traces.open("lambda", request_id, request.trace)
        try:
            entry, qualifier = self._admit(request, trace)
            if request.invocation_type == "RequestResponse":
                self._run(request, entry, qualifier, request_id, trace, answer)
            elif request.invocation_type == "DryRun":
                self._traces.close(trace, 204)
                answer.set_result(InvokeResponse(204, b"", request_id))
            else:
                self._accept(request, entry, qualifier, request_id, trace, answer)
        except AwsError as error:
            self._refuse(error, trace, answer)
        return answer

    def _refuse(self, error: AwsError, trace: Trace, answer: Future[InvokeResponse]) -> None:
        if trace.refusal is None:
            trace.refuse("awslambda.service", error.message, code=error.code, **error.members)
        self._traces.close(trace, error.status)
        answer.set_exception(error)

    def _admit(self, request: InvokeRequest, trace: Trace) -> tuple[Entry, str | None]:
        entry, qualifier = self.registry.find(request.function, request.qualifier)
        trace.title = entry.function.name
        if self._closing:
            raise ServiceFault("The server is shutting down")
        check_size(request)
        caller = request.caller
        if caller is not None and caller not in entry.allowed:
            self._permit(caller, entry, trace)
        return entry, qualifier

    def _run(
        self,
        request: InvokeRequest,
        entry: Entry,
        qualifier: str | None,
        request_id: str,
        trace: Trace,
        answer: Future[InvokeResponse],
    ) -> None:
        pool = entry.pool if qualifier is None else self.registry.pool_of(entry, qualifier)
        invocation = Invocation(request_id, pool.function, request.payload or b"{}", trace, answer, self._done)
        invocation.trace_header = request.trace_header or trace_header_for(request_id, self._clock.now())
        if qualifier is not None:
            invocation.invoked_arn = f"{entry.function.arn}:{qualifier}"
        if request.client_context:
            invocation.client_context = client_context_line(request.client_context)
        if request.tail_log:
            invocation.keep_tail()
        self.concurrency.take(entry.function)
        self._running += 1
        trace.step("awslambda.concurrency")
        pool.submit(invocation)

    def _accept(
        self,
        request: InvokeRequest,
        entry: Entry,
        qualifier: str | None,
        request_id: str,
        trace: Trace,
        answer: Future[InvokeResponse],
    ) -> None:
        # Accepted when it is durable; what becomes of it its caller never hears.
        if request.client_context:
            client_context_line(request.client_context)
        event = self.events.queue.event_for(request, entry.function.name, qualifier, request_id)

        def kept(stored: Future[None]) -> None:
            if answer.cancelled():
                return
            if stored.exception() is not None:
                self._refuse(ServiceFault("The event could not be stored"), trace, answer)
                return
            trace.step("awslambda.async_invoke")
            self._traces.close(trace, 202)
            answer.set_result(InvokeResponse(202, b"", request_id))

        self.events.queue.put(event).add_done_callback(kept)

    def run_event(self, event: AsyncEvent) -> Future[InvokeResponse]:
        """Run an accepted event now, under the request id it was accepted with. The asynchronous queue calls this."""
        assert self._loop is not None
        answer: Future[InvokeResponse] = self._loop.create_future()
        trace = self._traces.open("lambda", event.request_id)
        request = event.request()
        try:
            entry, qualifier = self._admit(request, trace)
            self._run(request, entry, qualifier, event.request_id, trace, answer)
        except AwsError as error:
            self._refuse(error, trace, answer)
        return answer

    def _permit(self, caller: ServiceCaller, entry: Entry, trace: Trace) -> None:
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

    def _done(self, invocation: Invocation, status: int) -> None:
        self.concurrency.give_back(invocation.function.name)
        self._running -= 1
        if self._running == 0 and self._quiet is not None and not self._quiet.done():
            self._quiet.set_result(None)
        self._traces.close(invocation.trace, status)
