"""The Lambda API's operations on the treatment of asynchronous events.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.awslambda.api.paging import listing, page
from trine.awslambda.asynchronous.event import EventConfig
from trine.awslambda.errors import InvalidParameterValue, ResourceNotFound
from trine.awslambda.function import LATEST
from trine.awslambda.registry import Entry
from trine.awslambda.service import Service

Given = Mapping[str, Any]
_NO_FUNCTION = "The function doesn't exist."


class EventConfigOperations:
    """Operations on event invoke configurations."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "PutFunctionEventInvokeConfig": self._put,
            "UpdateFunctionEventInvokeConfig": self._update,
            "GetFunctionEventInvokeConfig": self._get,
            "DeleteFunctionEventInvokeConfig": self._delete,
            "ListFunctionEventInvokeConfigs": self._list,
        }

    async def _put(self, given: Given) -> dict[str, Any]:
        if not given.keys() & {"MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"}:
            raise InvalidParameterValue("You must specify at least one of error handling or destination setting.")
        try:
            self._service.events.put_config(given)
        except ResourceNotFound:
            raise ResourceNotFound(_NO_FUNCTION) from None
        await self._service.deployment.keep(given["FunctionName"])
        return await self._get(given)

    async def _update(self, given: Given) -> dict[str, Any]:
        try:
            self._service.registry.find(given["FunctionName"])
        except ResourceNotFound:
            raise ResourceNotFound(_NO_FUNCTION) from None
        _, _, config = self._find(given)
        return await self._put({**config.properties, **given})

    async def _get(self, given: Given) -> dict[str, Any]:
        return _shown(*self._find(given))

    async def _delete(self, given: Given) -> dict[str, Any]:
        entry, qualifier, _ = self._find(given)
        del entry.event_configs[qualifier]
        await self._service.deployment.keep(entry.function.name)
        return {}

    async def _list(self, given: Given) -> dict[str, Any]:
        try:
            entry, _ = self._service.registry.find(given["FunctionName"])
        except ResourceNotFound:
            raise ResourceNotFound(_NO_FUNCTION) from None
        found = sorted(entry.event_configs, key=lambda qualifier: qualifier or "")
        shown, marker = page(found, lambda qualifier: qualifier or "", given)
        configs = [_shown(entry, qualifier, entry.event_configs[qualifier]) for qualifier in shown]
        return listing("FunctionEventInvokeConfigs", configs, marker)

    def _find(self, given: Given) -> tuple[Entry, str | None, EventConfig]:
        entry, qualifier = self._service.registry.find(given["FunctionName"], given.get("Qualifier"))
        plain = None if qualifier == LATEST else qualifier
        config = entry.event_configs.get(plain)
        if config is None:
            arn = f"{entry.function.arn}:{qualifier or LATEST}"
            raise ResourceNotFound(f"The function {arn} doesn't have an EventInvokeConfig")
        return entry, plain, config


def _shown(entry: Entry, qualifier: str | None, config: EventConfig) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "LastModified": config.modified_at,
        "FunctionArn": f"{entry.function.arn}:{qualifier or LATEST}",
        "DestinationConfig": {
            "OnSuccess": {} if config.on_success is None else {"Destination": config.on_success},
            "OnFailure": {} if config.on_failure is None else {"Destination": config.on_failure},
        },
    }
    # Bounds that were not given are not told: the defaults count.
    bounds = {"MaximumRetryAttempts": config.retries, "MaximumEventAgeInSeconds": config.age_seconds}
    return shown | {member: value for member, value in bounds.items() if config.properties.get(member) is not None}
