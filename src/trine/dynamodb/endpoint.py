"""The table's corridor: the order of the rooms that a request passes, and nothing else.

An `http.Request` enters; a `Response` leaves at once for reads, in a future for writes. On the way: signature, shape,
policy, expressions, table and store. Every error changes into AWS's JSON here, the unexpected into a logged 500.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.dynamodb.compression import plain_body
from trine.dynamodb.consistency.lag import Lag
from trine.dynamodb.dispatch import import_usual, operation_of
from trine.dynamodb.errors import (
    ConditionalCheckFailedException,
    InternalServerError,
    ResourceNotFoundException,
    ThrottledError,
    TransactionCanceledException,
    ValidationException,
)
from trine.dynamodb.front import JSON_1_0, NOT_FOUND, body_first, dressed, media_type
from trine.dynamodb.limits import ITEM_COLLECTION_MAX_BYTES, REQUEST_BODY_MAX_BYTES
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.regions import Region, Regions
from trine.dynamodb.response import answer, error_answer, health_answer, plain_answer
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.metering import Metering
from trine.dynamodb.storage.source import Store, StoreError
from trine.dynamodb.storage.sweep import Sweeper
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.dynamodb.stream_reader import Bell, TableStreams
from trine.dynamodb.template import table_from_template
from trine.http.answer import Answer, when_settled
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.acting import Acting
from trine.metering.usage import elsewhere
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.dynamodb")


class DynamoDB:
    """The table service of one account: in the region where it stands, and in each other one that is signed for."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        access: Access,
        place: Place,
        traces: TraceBook,
        *,
        catalogue: DocumentCatalogue | None = None,
        replica_lag_seconds: float | Lag = 0.0,
        throttling: bool = True,
        buckets_directory: Path | None = None,
        item_collection_max_bytes: int = ITEM_COLLECTION_MAX_BYTES,
    ) -> None:
        """`replica_lag_seconds`: how far eventually consistent reads trail, fixed or drawn (`consistency.lag.Lag`).
        `throttling` False counts units and refuses nothing. `buckets_directory`: where the folders lie that stand for
        S3 buckets in exports and imports. `item_collection_max_bytes`: what all items of one partition key may have in
        a table with local indexes, 10 GB on AWS; tests choose less.
        """
        self.catalogue = catalogue if catalogue is not None else DocumentCatalogue(store)
        """Durable documents for every wing."""
        self.written = Bell()
        """Rings after every write that may have left a record in a stream."""

        def region(place: Place, catalogue: DocumentCatalogue) -> Region:
            tables = Tables(store, catalogue, place, clock, ids, item_collection_max_bytes)
            return Region(
                Rooms(store, catalogue, tables, clock, ids, place, replica_lag_seconds, buckets_directory),
                Metering(store, catalogue, tables, clock, throttling=throttling),
                Sweeper(store, tables, clock, self.written.ring),
            )

        self.regions = Regions(place, self.catalogue, region)
        self.rooms, self.metering = self.regions.home.rooms, self.regions.home.metering
        """Of the region where the stack stands: its tables, and their capacity with auto scaling."""
        self._region = place.region
        self._access, self._traces = access, traces
        self._request_id, self._tick = ids.dynamodb_request_id, clock.monotonic_ns

    def start(self) -> None:
        """Go on with what the last stop interrupted; needs the running loop."""
        self.regions.start()

    def warm(self) -> None:
        """Import what most stacks ask for first, so that no request waits for it."""
        import_usual()

    async def close(self) -> None:
        """End the wing's own tasks; the store is its owner's to close."""
        await self.regions.close()

    async def create_table_from_template(self, properties: Mapping[str, Any], stream_label: str | None = None) -> Table:
        """The table of an `AWS::DynamoDB::Table`'s properties, created or brought in line with them; its stream under
        the label by which the template knows it.

        The table has `name`, `arn`, `stream_arn`. AwsError when the properties are wrong or ask for another key.
        """
        return await table_from_template(self.rooms, properties, stream_label)

    def handle(self, request: Request) -> Response | Future[Response]:
        """Answer one request: a response, or a future of one that is resolved when its write is durable."""
        headers = request.headers.by_name
        if headers.get(b"content-type") == JSON_1_0 and b"origin" not in headers:
            return self._answered(request, headers)
        kind = media_type(request)
        if kind is not None or request.method != "POST" or len(request.body) > REQUEST_BODY_MAX_BYTES:
            return dressed(self._answered(request, headers), request, kind or JSON_1_0)
        trace = self._traces.begin("dynamodb", self._request_id())
        trace.refuse("dynamodb.front", "The body has no media type that DynamoDB takes: application/x-amz-json-1.0")
        self._traces.close(trace, 404)
        return dressed(plain_answer(404, NOT_FOUND, trace.request_id), request, JSON_1_0)

    def _answered(self, request: Request, headers: Mapping[bytes, bytes]) -> Response | Future[Response]:
        request_id = self._request_id()
        if request.method != "POST":
            return _not_an_operation(request, self._region, request_id)
        if len(request.body) > REQUEST_BODY_MAX_BYTES:
            return plain_answer(413, b"Request Entity Too Large", request_id)
        trace = self._traces.begin("dynamodb", request_id)
        try:
            outcome = self._pass(request, headers, trace)
        except Exception as fault:
            return self._refused(body_first(fault, request), trace)
        if isinstance(outcome, bytes):
            self._traces.close(trace, 200, "dynamodb.read")
            return answer(outcome, request_id, request)
        if outcome.done():  # a store in memory: nothing to wait for
            return self._finished(outcome, request, trace)
        return self._later(outcome, request, trace)

    def error_response(self, status: int, reason: str) -> Response:
        """The answer to what the HTTP server refuses before it becomes a request."""
        # DynamoDB's own front answers 400 to request lines and headers that are too long, and knows no 501 or 505.
        return plain_answer(400 if status in (414, 431, 501, 505) else status, reason.encode(), self._request_id())

    def _pass(self, request: Request, headers: Mapping[bytes, bytes], trace: Trace) -> bytes | Future[bytes]:
        """The rooms in their order. What each took is noted in one piece, whether it was reached or not."""
        tick, rooms = self._tick, self.rooms
        signed_ns = shaped_ns = allowed_ns = prepared_ns = 0
        who = allowed = None
        try:
            operation: Operation = operation_of(headers.get(b"x-amz-target"))
            trace.title = operation.name
            caller = self._access.recognise(request, "dynamodb", trace)
            if (who := caller.detail) is not None:
                signed_ns = tick()
            if caller.region != self._region:
                rooms = self.regions.rooms(caller.region)
            session = caller.session
            if session is None or session.trace is None:
                trace.payer = caller.principal.arn
            else:
                trace.link_to(session.trace)
            encoding = headers.get(b"content-encoding")
            document = operation.decode(request.body if encoding is None else plain_body(request.body, encoding))
            shaped_ns = tick()
            settled = caller.settled
            for action, resource_arn, context in operation.permissions(rooms, document):
                trace.title = _title(action, resource_arn)
                policy = rooms.policies.of(resource_arn) if rooms.policies.compiled else None
                if policy is None and (known := settled.get((action, resource_arn, None))) is not None:
                    if allowed is not None:
                        trace.step("iam.policy", known)
                    else:
                        allowed, allowed_ns = known, tick()
                    continue
                facts = None
                if context is not None and caller.needs(action, resource_arn, policy):
                    facts = context(rooms, document)
                self._access.authorize(caller.of(request), action, resource_arn, facts, policy, trace)
            try:
                plan = operation.prepare(document)
                prepared_ns = tick()
                rooms.trace = trace
                return operation.execute(rooms, document, plan)
            except (ValidationException, ResourceNotFoundException):
                if operation.earlier is not None:
                    operation.earlier(document)
                raise
            finally:
                rooms.trace = None
        finally:
            if rooms is not self.rooms:
                trace.title = _elsewhere(trace.title, rooms.place.region)
            trace.way = (_WAY, who, signed_ns, None, shaped_ns, allowed, allowed_ns, None, prepared_ns)

    def _later(self, outcome: Future[bytes], request: Request, trace: Trace) -> Future[Response]:
        # Not by `get_running_loop`: up to Python 3.11 that asks the kernel which process this is.
        answered: Answer[Response] = Answer(loop=outcome.get_loop())

        def finish(done: Future[bytes]) -> None:
            if not answered.done():
                answered.set_result(self._finished(done, request, trace))

        when_settled(outcome, finish)
        return answered

    def streams(self) -> TableStreams:
        """The tables' streams, for event source mappings."""
        return TableStreams(self.rooms, self.written, Acting(self._access))

    def _finished(self, done: Future[bytes], request: Request, trace: Trace) -> Response:
        self.written.ring()
        fault = done.exception() if not done.cancelled() else InternalServerError("The request was abandoned")
        if fault is not None:
            return self._refused(fault, trace)
        self._traces.close(trace, 200, "dynamodb.commit")
        return answer(done.result(), trace.request_id, request)

    def _refused(self, fault: BaseException, trace: Trace) -> Response:
        error = _as_aws_error(fault)
        if trace.refusal is None:
            facts = error.facts if isinstance(error, ThrottledError) else {}
            room = "dynamodb.throughput" if facts else _room_of(trace, error)
            trace.refuse(room, error.message or str(error.__cause__ or error.code), code=error.code, **facts)
        self._traces.close(trace, error.status)
        return error_answer(error, trace.request_id)


@lru_cache(1024)
def _title(action: str, resource_arn: str) -> str:
    return f"{action} {resource_arn.partition('/')[2]}"


def _elsewhere(title: str, region: str) -> str:
    """The title of a call to another region: its table bears the region's name."""
    action, _, named = title.partition(" ")
    table, slash, rest = named.partition("/")
    return f"{action} {elsewhere(table, region)}{slash}{rest}" if table else title


_WAY = ("iam.signature", "dynamodb.shape", "iam.policy", "dynamodb.expressions")
"""The rooms of every call, as its trace keeps them."""
_NEXT_ROOMS = {
    "": "dynamodb.dispatch",
    "iam.signature": "dynamodb.shape",
    "dynamodb.shape": "dynamodb.shape",
    "iam.policy": "dynamodb.expressions",
}


def _room_of(trace: Trace, error: AwsError) -> str:
    """The room in which a request ended: the one after the last it had passed."""
    if isinstance(error, ConditionalCheckFailedException | TransactionCanceledException):
        return "dynamodb.commit"
    return _NEXT_ROOMS.get(trace.last_room, "dynamodb.table")


def _as_aws_error(fault: BaseException) -> AwsError:
    if isinstance(fault, AwsError):
        return fault
    if isinstance(fault, StoreError):
        _log.error("the store refused a request: %s", fault)
        return InternalServerError(f"The store could not keep the request: {fault}")
    _log.error("a request to the table failed", exc_info=fault)
    return InternalServerError("The request processing has failed because of an unknown error, exception or failure.")


def _not_an_operation(request: Request, region: str, request_id: str) -> Response:
    if request.method == "GET" and request.path == b"/":
        return health_answer(region, request_id)
    preflight = request.method == "OPTIONS" and request.headers.get(b"origin") is not None
    return plain_answer(200, b"", request_id) if preflight else plain_answer(404, NOT_FOUND, request_id)
