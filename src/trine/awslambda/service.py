"""The corridor of the function wing: `InvokeRequest` in, a future of `InvokeResponse` out.

Order of the rooms: name → permission → size → concurrency → invocation → pool → environment → answer. The rooms are
made here; what functions are made of lies in `deployment`, what runs them in `machinery`, and all of it ends with this.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Future
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.invoke import InvokeRequest, InvokeResponse, ServiceCaller, StreamedResponse
from trine.awslambda import limits
from trine.awslambda.admission import check_size, client_context_line, trace_header_for, traced
from trine.awslambda.asynchronous.event import AsyncEvent
from trine.awslambda.asynchronous.events import AsyncEvents
from trine.awslambda.concurrency import Concurrency
from trine.awslambda.deployment import Deployment
from trine.awslambda.environments.machinery import Machinery
from trine.awslambda.environments.pool import Pool
from trine.awslambda.errors import AccessDenied, ServiceFault
from trine.awslambda.function import LATEST
from trine.awslambda.head_start import Started
from trine.awslambda.invocation import Invocation, StreamedInvocation
from trine.awslambda.neighbours import Neighbours
from trine.awslambda.provisioned import Provisioned
from trine.awslambda.registry import Entry, Registry
from trine.awslambda.roles import RoleKeeper
from trine.clock import Clock
from trine.http.answer import Answer
from trine.logs.store import LogStore
from trine.trace import Trace, TraceBook

if TYPE_CHECKING:
    from trine.awslambda.sources.mappings import Mappings

SOURCE_KIND = "lambda:event-source-mapping"
"""The catalogue's kind of mappings that the API made."""


_WAY = ("awslambda.concurrency", "awslambda.pool")
"""The rooms of an invocation, as its trace keeps them."""


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
        catalogue: Catalogue | None = None,
        sandboxed: bool = True,
        quick_sdk: bool = True,
        limits_cpu: bool = False,
        neighbours: Neighbours | None = None,
        head_starts: Mapping[str, Started] | None = None,
        throttling: bool = True,
        logs: LogStore | None = None,
    ) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._neighbours = neighbours or Neighbours()
        self._ids = ids
        self._access = access
        self._traces = traces
        self.place = place
        self.machinery = Machinery(
            clock,
            ids,
            access,
            place,
            state_directory,
            endpoint_url,
            lambda: self.registry.working(),
            idle_seconds=idle_seconds,
            logs=logs or LogStore(clock, None),
            sandboxed=sandboxed,
            quick_sdk=quick_sdk,
            limits_cpu=limits_cpu,
            head_starts=head_starts,
        )
        self.registry = Registry(place, self.machinery.new_pool, lambda: int.from_bytes(ids.random_bytes(4)) / 2**32)
        self.concurrency = Concurrency(account_concurrency, clock, throttling=throttling)
        self.provisioned = Provisioned(self.registry, self.concurrency, clock)
        self.registry.on_versions_changed = self.provisioned.refresh
        self.deployment = Deployment(
            clock, ids, access, place, state_directory, catalogue, self.registry, self.concurrency, self.machinery
        )
        self.urls = self.deployment.urls
        self.events = AsyncEvents(
            clock, catalogue, access, self.registry, self.run_event, self.invoke, self._neighbours
        )
        self._sources: Mappings | None = None
        self._opened = False
        self._closing = False
        self._running = 0
        self._quiet: Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the rooms ready; needs the running event loop and returns at once."""
        self._loop = asyncio.get_running_loop()
        self.machinery.start()
        self._loop.call_soon(self.deployment.start)

    @property
    def sources(self) -> Mappings:
        """The event source mappings; made (and their code loaded) when first asked for."""
        if self._sources is None:
            from trine.awslambda.sources.mappings import Mappings

            self._sources = Mappings(
                self._clock, self._ids, self._catalogue, self.registry, self.invoke, self._neighbours
            )
            if self._opened:  # neither the template nor an earlier run had one
                self._sources.open()
        return self._sources

    def event_notes(self) -> list[str]:
        """Event sources of the template that nothing reads here, and destinations that nothing is told, one line
        each."""
        return [*self.events.notes, *([] if self._sources is None else self._sources.notes)]

    def open(self) -> None:
        """Go on with the events of an earlier run, and start the pollers: once the template's functions are there."""
        self.events.queue.start()
        self._opened = True
        kept = self._catalogue is not None and next(self._catalogue.list(SOURCE_KIND), None) is not None
        if kept or self._sources is not None:
            self.sources.open()

    async def warm(self) -> None:
        """Wait until environments start in milliseconds (tests and benchmarks; nobody has to)."""
        await self.machinery.warm()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Take no more invocations, give running ones `grace_seconds`, then kill whatever is left."""
        self._closing = True
        self.events.queue.close()
        if self._sources is not None:
            await self._sources.close()
        if grace_seconds > 0 and self._running:
            self._quiet = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet, grace_seconds)
        await self.machinery.close_pools([pool for entry in self.registry for pool in entry.pools.values()])
        self.deployment.close()
        await self.machinery.close()

    # -- invoking ----------------------------------------------------------------------------------------------------

    def invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        """Run a function; never blocks. The future fails with AwsError when the function did not run."""
        loop = self._loop
        assert loop is not None, "start() comes first"
        answer: Answer[InvokeResponse] = Answer(loop=loop)
        request_id = request.request_id or self._ids.uuid()
        trace = self._traces.open("lambda", request_id, request.trace)
        try:
            entry, qualifier = self._admit(request, trace)
            if request.invocation_type == "RequestResponse":
                pool = entry.pools[LATEST] if qualifier is None else self.registry.pool_of(entry, qualifier)
                invocation = Invocation(request_id, pool.function, request.payload or b"{}", trace, answer, self._done)
                self._submit(invocation, pool, request, entry, qualifier)
            elif request.invocation_type == "DryRun":
                self._traces.close(trace, 204)
                answer.set_result(InvokeResponse(204, b"", request_id))
            else:
                self._accept(request, entry, qualifier, request_id, trace, answer)
        except AwsError as error:
            self._refuse(error, trace, answer)
        return answer

    def invoke_with_response_stream(self, request: InvokeRequest) -> Future[StreamedResponse]:
        """Run a function and hand its answer on while it is being made; never blocks. See `StreamInvoker`."""
        loop = self._loop
        assert loop is not None, "start() comes first"
        answer: Future[StreamedResponse] = loop.create_future()
        request_id = request.request_id or self._ids.uuid()
        trace = self._traces.open("lambda", request_id, request.trace)
        try:
            entry, qualifier = self._admit(request, trace)
            pool = self.registry.pool_of(entry, qualifier)
            function, payload = pool.function, request.payload or b"{}"
            invocation = StreamedInvocation(request_id, function, payload, trace, answer, self._done)
            self._submit(invocation, pool, request, entry, qualifier)
        except AwsError as error:
            self._refuse(error, trace, answer)
        return answer

    def _refuse(self, error: AwsError, trace: Trace, answer: Future[InvokeResponse] | Future[StreamedResponse]) -> None:
        if trace.refusal is None:
            trace.refuse("awslambda.service", error.message, code=error.code, **error.members)
        self._traces.close(trace, error.status)
        answer.set_exception(error)

    def _admit(self, request: InvokeRequest, trace: Trace) -> tuple[Entry, str | None]:
        entry, qualifier = self.registry.find(request.function, request.qualifier)
        trace.title = entry.function.name
        if request.source is not None:
            trace.payer = request.source  # nobody asked for it: it goes on the account of what sent the event
        if self._closing:
            raise ServiceFault("The server is shutting down")
        if len(request.payload) > limits.EVENT_ASYNC_MAX_BYTES:  # the smaller of the two that it knows
            check_size(request)
        caller = request.caller
        if caller is not None and (caller, qualifier) not in entry.allowed:
            self._permit(caller, entry, qualifier, trace)
        return entry, qualifier

    def _submit(
        self,
        invocation: Invocation,
        pool: Pool,
        request: InvokeRequest,
        entry: Entry,
        qualifier: str | None,
        *,
        asynchronous: bool = False,
    ) -> None:
        header = request.trace_header or trace_header_for(invocation.request_id, self._clock.now())
        invocation.trace_header = traced(header, invocation.request_id) if entry.function.is_traced else header
        if qualifier is not None:
            invocation.invoked_arn = entry.arn(qualifier)
        if request.client_context:
            invocation.client_context = client_context_line(request.client_context)
        if request.tail_log:
            invocation.keep_tail()
        self.concurrency.take(entry.function, asynchronous=asynchronous)
        self._running += 1
        invocation.admitted_ns = invocation.trace.reached()
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
            pool = self.registry.pool_of(entry, qualifier)
            function, payload = pool.function, request.payload or b"{}"
            invocation = Invocation(event.request_id, function, payload, trace, answer, self._done)
            self._submit(invocation, pool, request, entry, qualifier, asynchronous=True)
        except AwsError as error:
            self._refuse(error, trace, answer)
        return answer

    def _permit(self, caller: ServiceCaller, entry: Entry, qualifier: str | None, trace: Trace) -> None:
        context = {"aws:SourceArn": (caller.source_arn,), "aws:SourceAccount": (caller.source_account,)}
        try:
            self._access.authorize_service(
                caller.service, "lambda:InvokeFunction", entry.arn(qualifier), entry.policy(qualifier), context, trace
            )
        except AwsError as error:
            raise AccessDenied(error.message) from error
        if len(entry.allowed) < 1_000:
            entry.allowed.add((caller, qualifier))

    def _done(self, invocation: Invocation, status: int) -> None:
        self.concurrency.give_back(invocation.function.name)
        self._running -= 1
        if self._running == 0 and self._quiet is not None and not self._quiet.done():
            self._quiet.set_result(None)
        trace = invocation.trace
        trace.way = (_WAY, None, invocation.admitted_ns, invocation.how, invocation.placed_ns)
        ran_well = status == 200 and trace.refusal is None
        self._traces.close(trace, status, "awslambda.handler" if ran_well else None)
