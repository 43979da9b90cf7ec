"""The Lambda API's operations on event source mappings.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.aws.pages import page
from trine.awslambda.api.paging import listing
from trine.awslambda.errors import InvalidParameterValue, ResourceNotFound
from trine.awslambda.service import Service
from trine.awslambda.sources.mappings import Source

Given = Mapping[str, Any]
PAGE_MAX = 100
"""API reference, ListEventSourceMappings: at most 100 in one answer."""


class SourceOperations:
    """Operations on event source mappings."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "CreateEventSourceMapping": self._create,
            "UpdateEventSourceMapping": self._update,
            "GetEventSourceMapping": self._get,
            "ListEventSourceMappings": self._list,
            "DeleteEventSourceMapping": self._delete,
        }

    async def _create(self, given: Given) -> dict[str, Any]:
        try:
            self._service.registry.find(given["FunctionName"])
        except ResourceNotFound:
            raise InvalidParameterValue("Function does not exist") from None
        return self._shown(await self._service.sources.create(given))

    async def _update(self, given: Given) -> dict[str, Any]:
        return self._shown(await self._service.sources.update(given["UUID"], given))

    async def _get(self, given: Given) -> dict[str, Any]:
        return self._shown(self._service.sources.get(given["UUID"]))

    async def _delete(self, given: Given) -> dict[str, Any]:
        return self._shown(await self._service.sources.delete(given["UUID"]))

    async def _list(self, given: Given) -> dict[str, Any]:
        wanted = given.get("FunctionName")
        try:
            entry = None if wanted is None else self._service.registry.find(wanted)
        except ResourceNotFound:  # a listing does not mind on AWS
            return listing("EventSourceMappings", [], None)
        found = [
            source
            for source in self._service.sources
            if given.get("EventSourceArn") in (None, source.mapping.source_arn)
            and (entry is None or self._finds(source, entry))
        ]
        try:
            sources, marker = page(found, given.get("Marker"), min(int(given.get("MaxItems") or PAGE_MAX), PAGE_MAX))
        except ValueError:
            raise InvalidParameterValue("Invalid Marker") from None
        return listing("EventSourceMappings", [self._shown(one) for one in sources], marker)

    def _finds(self, source: Source, entry: object) -> bool:
        try:
            return self._service.registry.find(source.mapping.function) == entry
        except ResourceNotFound:
            return False

    def _shown(self, source: Source) -> dict[str, Any]:
        """EventSourceMappingConfiguration, with the members that AWS shows for the kind of source."""
        mapping = source.mapping
        arn = mapping.function
        if not arn.startswith("arn:"):
            try:
                arn = source.target.arn
            except ResourceNotFound:
                arn = self._service.place.function(arn)
        shown: dict[str, Any] = {
            "UUID": source.uuid,
            "EventSourceMappingArn": self._service.place.arn("lambda", f"event-source-mapping:{source.uuid}"),
            "EventSourceArn": mapping.source_arn,
            "FunctionArn": arn,
            "BatchSize": mapping.batch_size,
            "MaximumBatchingWindowInSeconds": mapping.window_seconds,
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if mapping.report_failures else [],
            "LastModified": source.modified_at,
            "State": source.state,
        }
        if mapping.patterns:
            shown["FilterCriteria"] = {"Filters": [{"Pattern": pattern.text} for pattern in mapping.patterns]}
        if mapping.kind == "queue":
            shown["StateTransitionReason"] = "USER_INITIATED"
            if mapping.max_concurrency is not None:
                shown["ScalingConfig"] = {"MaximumConcurrency": mapping.max_concurrency}
            return shown
        destination = {} if mapping.on_failure is None else {"Destination": mapping.on_failure}
        return shown | {
            "StateTransitionReason": "User action",
            "LastProcessingResult": source.target.last_result,
            "StartingPosition": mapping.starting_position,
            "ParallelizationFactor": mapping.parallelization,
            "MaximumRetryAttempts": mapping.retries,
            "MaximumRecordAgeInSeconds": mapping.record_age_seconds,
            "BisectBatchOnFunctionError": mapping.bisect,
            "TumblingWindowInSeconds": mapping.tumbling_seconds,
            "DestinationConfig": {"OnFailure": destination},
        }
