"""Asynchronous invocation put together: the queue, each function's configuration for it, and the destinations.

Enters accepted events and `AWS::Lambda::EventInvokeConfig` properties; the rooms do the work.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from trine.aws.catalogue import Catalogue
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.aws.shapes import bounded_in
from trine.awslambda import limits
from trine.awslambda.asynchronous.destination import Destinations, is_delivered
from trine.awslambda.asynchronous.event import AsyncEvent, EventConfig, Outcome
from trine.awslambda.asynchronous.invoke import AsyncInvoker
from trine.awslambda.asynchronous.store import EventStore
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.function import LATEST, Function
from trine.awslambda.neighbours import Neighbours
from trine.awslambda.registry import Registry
from trine.awslambda.roles import RoleKeeper
from trine.clock import Clock


class AsyncEvents:
    """The asynchronous side of one service."""

    def __init__(
        self,
        clock: Clock,
        catalogue: Catalogue | None,
        access: RoleKeeper,
        registry: Registry,
        run: Callable[[AsyncEvent], Future[InvokeResponse]],
        invoke: Callable[[InvokeRequest], Future[InvokeResponse]],
        neighbours: Neighbours,
    ) -> None:
        self._access = access
        self._registry = registry
        self._invoke = invoke
        self._clock = clock
        self.notes: list[str] = []
        """Destinations that nothing is delivered to here, one line each."""
        self.destinations = Destinations(clock, neighbours, self._permit, self._invoke_later)
        self.queue = AsyncInvoker(clock, EventStore(catalogue), run, self._config, self._tell)

    def put_config(self, properties: Mapping[str, Any]) -> None:
        """Set a function's configuration. Raises InvalidParameterValue, ResourceNotFound."""
        entry, qualifier = self._registry.find(str(properties.get("FunctionName")), properties.get("Qualifier"))
        plain = None if qualifier == LATEST else qualifier
        config = config_from_properties(properties)
        entry.event_configs[plain] = replace(config, modified_at=self._clock.now(), properties=dict(properties))
        for destination in (config.on_success, config.on_failure):
            if destination is not None and not is_delivered(destination):
                self.notes.append(
                    f"{entry.function.name}: what becomes of asynchronous events is not told to {destination} here"
                )

    def _config(self, event: AsyncEvent) -> EventConfig:
        entry = self._registry.get(event.function)
        if entry is None:
            return _DEFAULT
        config = entry.event_configs.get(event.qualifier, _DEFAULT)
        letter = (entry.function.properties.get("DeadLetterConfig") or {}).get("TargetArn")
        return config if letter is None else replace(config, dead_letter=str(letter))

    def _tell(self, event: AsyncEvent, config: EventConfig, outcome: Outcome) -> Sequence[Future[Any]]:
        entry = self._registry.get(event.function)
        return () if entry is None else self.destinations.tell(entry.function, event, config, outcome)

    def _permit(self, function: Function, action: str, resource_arn: str) -> None:
        session = self._access.assume_role_for_service(function.role_arn, function.name, "lambda.amazonaws.com")
        try:
            self._access.authorize(self._access.caller_of(session), action, resource_arn)
        finally:
            self._access.revoke(session)

    def _invoke_later(self, arn: str, payload: bytes) -> Future[InvokeResponse]:
        return self._invoke(InvokeRequest(arn, payload, "Event"))


_DEFAULT = EventConfig()
_number = partial(bounded_in, fault=InvalidParameterValue)


def config_from_properties(properties: Mapping[str, Any]) -> EventConfig:
    """`AWS::Lambda::EventInvokeConfig` as a value. Raises InvalidParameterValue."""
    destinations = properties.get("DestinationConfig") or {}
    return EventConfig(
        _number(properties, "MaximumRetryAttempts", limits.ASYNC_RETRIES_MAX, 0, limits.ASYNC_RETRIES_MAX),
        _number(
            properties,
            "MaximumEventAgeInSeconds",
            limits.ASYNC_AGE_MAX_SECONDS,
            limits.ASYNC_AGE_MIN_SECONDS,
            limits.ASYNC_AGE_MAX_SECONDS,
        ),
        (destinations.get("OnSuccess") or {}).get("Destination"),
        (destinations.get("OnFailure") or {}).get("Destination"),
    )
