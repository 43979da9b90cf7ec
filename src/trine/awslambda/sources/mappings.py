"""All event source mappings of one service: made, changed, deleted, kept, and their pollers started and ended.

Enters what the Lambda API or a template wishes, leaves running pollers. Mappings of the API are kept in the catalogue;
those of a template are made anew by it under the same UUID, so both find their checkpoints after a restart.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from trine.aws.actor import Actor
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.awslambda.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from trine.awslambda.neighbours import Neighbours
from trine.awslambda.registry import Registry
from trine.awslambda.sources import limits
from trine.awslambda.sources.checkpoint import CheckpointStore
from trine.awslambda.sources.mapping import Mapping, destination_elsewhere, kind_of, mapping_from
from trine.awslambda.sources.queue_poller import QueuePoller
from trine.awslambda.sources.stream_poller import StreamPoller
from trine.awslambda.sources.target import Target
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)
KIND = "lambda:event-source-mapping"
"""Also known to `service`, which asks whether there are any without loading this room."""


@dataclass(slots=True)
class Source:
    """One mapping with its state."""

    uuid: str
    given: Map[str, Any]
    mapping: Mapping
    target: Target
    modified_at: float
    state: str = "Creating"
    poller: StreamPoller | QueuePoller | None = field(default=None, repr=False)


class Mappings:
    """The mappings."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        catalogue: Catalogue | None,
        registry: Registry,
        invoke: Callable[[InvokeRequest], Future[InvokeResponse]],
        neighbours: Neighbours,
    ) -> None:
        self._clock, self._ids = clock, ids
        self._catalogue = catalogue
        self._registry = registry
        self._invoke = invoke
        self._neighbours = neighbours
        self._checkpoints = CheckpointStore(catalogue)
        self._sources: dict[str, Source] = {}
        self._ended: set[asyncio.Task[None]] = set()
        self._open = False
        self.notes: list[str] = []
        """Sources of a template that Trine has no poller for, one line each."""

    def __iter__(self) -> Iterator[Source]:
        return iter([self._sources[uuid] for uuid in sorted(self._sources)])

    # -- life --------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make again what the API made in an earlier run, and start every poller; needs the running event loop."""
        self._open = True
        kept = [] if self._catalogue is None else list(self._catalogue.list(KIND))
        for uuid, document in kept:
            if uuid in self._sources:
                continue
            try:
                source = self._made(uuid, document["given"])
            except AwsError as error:
                _LOGGER.warning("the event source mapping %s could not be made again: %s", uuid, error)
                continue
            source.modified_at = document["modified_at"]
        for source in self._sources.values():
            self._run(source)

    async def close(self) -> None:
        """End every poller."""
        self._open = False
        pollers = [source.poller for source in self._sources.values() if source.poller is not None]
        for source in self._sources.values():
            source.poller = None
        await asyncio.gather(*[poller.close() for poller in pollers], *self._ended)

    # -- the operations ----------------------------------------------------------------------------------------------

    async def create(self, given: Map[str, Any]) -> Source:
        """CreateEventSourceMapping. InvalidParameterValue, ResourceConflict, ResourceNotFound."""
        if len(self._sources) >= limits.MAPPINGS_MAX:
            raise InvalidParameterValue(f"More than {limits.MAPPINGS_MAX} event source mappings")
        mapping = mapping_from(given)
        for other in self._sources.values():
            if other.mapping.source_arn == mapping.source_arn and self._same_function(other.mapping, mapping):
                raise _exists(mapping, other)
        source = self._made(self._ids.uuid(), given)
        if not mapping.enabled:
            source.state = "Disabled"
        await self._keep(source)
        asyncio.get_running_loop().call_soon(self._run, source)
        return source

    def put(self, given: Map[str, Any], uuid: str) -> None:
        """Make a template's mapping; what Trine does not read from, or tell failures to, becomes a note. AwsError."""
        name, source_arn = given.get("FunctionName"), str(given.get("EventSourceArn") or "")
        if not source_arn and given.get("SelfManagedEventSource"):
            source_arn = "of a Kafka cluster"
        elif not source_arn or kind_of(source_arn) is not None:
            elsewhere = destination_elsewhere(given)
            if elsewhere is not None:
                self.notes.append(f"{name}: what becomes of batches that fail is not told to {elsewhere} here")
                given = {key: one for key, one in given.items() if key != "DestinationConfig"}
            self._made(uuid, given)
            return
        self.notes.append(f"{name}: nothing reads the event source {source_arn} here")

    async def update(self, uuid: str, given: Map[str, Any]) -> Source:
        """UpdateEventSourceMapping: what is given changes, the rest stays. ResourceNotFound, InvalidParameterValue."""
        source = self.get(uuid)
        wished = {**source.given, **{name: value for name, value in given.items() if name != "UUID"}}
        mapping = mapping_from(wished)
        self._check(mapping, self._target(mapping))
        await self._stop(source)
        was_enabled = source.mapping.enabled
        source.given, source.mapping, source.target = wished, mapping, self._target(mapping, source.target)
        source.modified_at, source.state = self._clock.now(), _moving(was_enabled, mapping.enabled)
        await self._keep(source)
        asyncio.get_running_loop().call_soon(self._run, source)
        return source

    async def delete(self, uuid: str) -> Source:
        """DeleteEventSourceMapping. ResourceNotFound."""
        source = self.get(uuid)
        await self._stop(source)
        source.state = "Deleting"
        self._sources.pop(uuid, None)
        self._checkpoints.forget(f"{uuid}/")
        if self._catalogue is not None and self._catalogue.get(KIND, uuid) is not None:
            await self._catalogue.delete(KIND, uuid)
        return source

    def get(self, uuid: str) -> Source:
        """The mapping. ResourceNotFound."""
        source = self._sources.get(uuid)
        if source is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return source

    # -- making ------------------------------------------------------------------------------------------------------

    def _made(self, uuid: str, given: Map[str, Any]) -> Source:
        mapping = mapping_from(given)
        target = self._target(mapping)
        self._check(mapping, target)
        source = self._sources[uuid] = Source(uuid, dict(given), mapping, target, self._clock.now())
        return source

    def _target(self, mapping: Mapping, before: Target | None = None) -> Target:
        messenger = self._neighbours.messenger
        target = Target(
            mapping.function, self._registry, self._invoke, messenger, mapping.on_failure, mapping.source_arn
        )
        if before is not None:
            target.last_result = before.last_result
        return target

    def _check(self, mapping: Mapping, target: Target) -> None:
        """The source exists and the function's role may read it. InvalidParameterValue, ResourceNotFound."""
        actor = target.actor()
        if mapping.kind == "stream":
            self._check_stream(mapping, actor)
        else:
            self._check_queue(mapping, actor, target.timeout_seconds)

    def _check_stream(self, mapping: Mapping, actor: Actor) -> None:
        streams = self._neighbours.streams
        if streams is None or streams.shard_of(mapping.source_arn) is None:
            raise InvalidParameterValue(f"Stream not found: {mapping.source_arn}")
        try:
            streams.permit(actor, mapping.source_arn)
        except AwsError as error:
            raise InvalidParameterValue(
                f"Cannot access stream {mapping.source_arn}. Please ensure the role can perform the GetRecords, "
                f"GetShardIterator, DescribeStream, and ListStreams Actions on your stream in DynamoDB. {error.message}"
            ) from error

    def _check_queue(self, mapping: Mapping, actor: Actor, timeout_seconds: int) -> None:
        queues = self._neighbours.queues
        facts = None if queues is None else queues.facts(mapping.source_arn)
        if queues is None or facts is None:
            raise InvalidParameterValue(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS "
                "Error Message: The specified queue does not exist."
            )
        try:
            queues.permit(actor, mapping.source_arn)
        except AwsError as error:
            raise InvalidParameterValue(
                f"The provided execution role does not have permissions to call ReceiveMessage on SQS. {error.message}"
            ) from error
        if facts.visibility_timeout_seconds < timeout_seconds:
            raise InvalidParameterValue(
                f"Invalid request provided: Queue visibility timeout: {facts.visibility_timeout_seconds} seconds is "
                f"less than Function timeout: {timeout_seconds} seconds"
            )

    def _same_function(self, one: Mapping, other: Mapping) -> bool:
        found = [self._registry.find(mapping.function) for mapping in (one, other)]
        return found[0] == found[1]

    def _keep(self, source: Source) -> Future[None]:
        if self._catalogue is not None:
            document = {"given": dict(source.given), "modified_at": source.modified_at}
            return self._catalogue.put(KIND, source.uuid, document)
        kept: Future[None] = asyncio.get_running_loop().create_future()
        kept.set_result(None)
        return kept

    # -- pollers -----------------------------------------------------------------------------------------------------

    def _run(self, source: Source) -> None:
        if not self._open or self._sources.get(source.uuid) is not source or source.poller is not None:
            return
        if not source.mapping.enabled:
            source.state = "Disabled"
            return
        source.state = "Enabled"
        mapping = source.mapping
        streams, queues = self._neighbours.streams, self._neighbours.queues
        if mapping.kind == "queue":
            assert queues is not None
            source.poller = QueuePoller(self._clock, mapping, queues, source.target)
            return
        assert streams is not None
        shard_id = streams.shard_of(mapping.source_arn)
        if shard_id is None:
            source.target.last_result = f"PROBLEM: Stream not found: {mapping.source_arn}"
            return
        source.poller = StreamPoller(
            self._clock, self._ids, source.uuid, mapping, shard_id, streams, source.target, self._checkpoints
        )

    async def _stop(self, source: Source) -> None:
        poller, source.poller = source.poller, None
        if poller is not None:
            await poller.close()


def _moving(was_enabled: bool, is_enabled: bool) -> str:
    """The state that an update answers with."""
    if was_enabled == is_enabled:
        return "Updating"
    return "Enabling" if is_enabled else "Disabling"


def _exists(mapping: Mapping, other: Source) -> ResourceConflict:
    name = mapping.function.rpartition(":")[2]
    if mapping.kind == "stream":
        start = f'The event source arn (" {mapping.source_arn} ") and function (" {name} ") provided mapping'
    else:
        start = f'An event source mapping with SQS arn (" {mapping.source_arn} ") and function (" {name} ")'
    return ResourceConflict(
        f"{start} already exists. Please update or delete the existing mapping with UUID {other.uuid}"
    )
