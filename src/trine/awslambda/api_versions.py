"""The Lambda API's operations on versions, aliases and the treatment of asynchronous events.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from trine.awslambda.api_functions import FunctionOperations
from trine.awslambda.async_event import EventConfig
from trine.awslambda.errors import ResourceNotFound
from trine.awslambda.registry import Alias
from trine.awslambda.service import Service

Given = Mapping[str, Any]


class VersionOperations:
    """Operations on versions and aliases."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._functions = FunctionOperations(service)

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "PublishVersion": self._publish,
            "ListVersionsByFunction": self._list_versions,
            "CreateAlias": self._create_alias,
            "UpdateAlias": self._update_alias,
            "GetAlias": self._get_alias,
            "ListAliases": self._list_aliases,
            "DeleteAlias": self._delete_alias,
            "PutFunctionEventInvokeConfig": self._put_event_config,
            "GetFunctionEventInvokeConfig": self._get_event_config,
            "DeleteFunctionEventInvokeConfig": self._delete_event_config,
        }

    async def _publish(self, given: Given) -> dict[str, Any]:
        return await self._functions.describe(self._service.deployment.put_version(given["FunctionName"]))

    async def _list_versions(self, given: Given) -> dict[str, Any]:
        entry, _ = self._service.registry.find(given["FunctionName"])
        shown = [entry.function, *entry.versions.values()]
        return {"Versions": [await self._functions.describe(function) for function in shown]}

    async def _create_alias(self, given: Given) -> dict[str, Any]:
        alias = Alias(given["Name"], given["FunctionVersion"], given.get("Description", ""), _weights(given))
        self._service.registry.put_alias(given["FunctionName"], alias, create=True)
        return self._shown(given["FunctionName"], alias)

    async def _update_alias(self, given: Given) -> dict[str, Any]:
        alias = self._find(given)
        if "RoutingConfig" in given:
            alias = replace(alias, weights=_weights(given))
        alias = replace(
            alias,
            version=given.get("FunctionVersion", alias.version),
            description=given.get("Description", alias.description),
        )
        self._service.registry.put_alias(given["FunctionName"], alias)
        return self._shown(given["FunctionName"], alias)

    async def _get_alias(self, given: Given) -> dict[str, Any]:
        return self._shown(given["FunctionName"], self._find(given))

    async def _list_aliases(self, given: Given) -> dict[str, Any]:
        entry, _ = self._service.registry.find(given["FunctionName"])
        return {"Aliases": [self._shown(given["FunctionName"], entry.aliases[name]) for name in sorted(entry.aliases)]}

    async def _delete_alias(self, given: Given) -> dict[str, Any]:
        self._service.registry.remove_alias(given["FunctionName"], given["Name"])
        return {}

    def _find(self, given: Given) -> Alias:
        entry, _ = self._service.registry.find(given["FunctionName"])
        alias = entry.aliases.get(given["Name"])
        if alias is None:
            raise ResourceNotFound(f"Alias not found: {entry.function.arn}:{given['Name']}")
        return alias

    def _shown(self, name: str, alias: Alias) -> dict[str, Any]:
        function = self._service.registry.find(name)[0].function
        shown: dict[str, Any] = {
            "AliasArn": f"{function.arn}:{alias.name}",
            "Name": alias.name,
            "FunctionVersion": alias.version,
            "Description": alias.description,
            "RevisionId": function.revision,
        }
        if alias.weights:
            shown["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
        return shown

    # -- asynchronous events -----------------------------------------------------------------------------------------

    async def _put_event_config(self, given: Given) -> dict[str, Any]:
        self._service.events.put_config(given)
        return await self._get_event_config(given)

    async def _get_event_config(self, given: Given) -> dict[str, Any]:
        config = self._service.events.config(given["FunctionName"], given.get("Qualifier"))
        if config is None:
            arn = self._service.registry.function(given["FunctionName"], given.get("Qualifier")).arn
            raise ResourceNotFound(f"The function {arn}:$LATEST doesn't have an EventInvokeConfig")
        function = self._service.registry.function(given["FunctionName"])
        return {
            "LastModified": function.modified_at,
            "FunctionArn": f"{function.arn}:{given.get('Qualifier', '$LATEST')}",
            "MaximumRetryAttempts": config.retries,
            "MaximumEventAgeInSeconds": config.age_seconds,
            "DestinationConfig": _destinations(config),
        }

    async def _delete_event_config(self, given: Given) -> dict[str, Any]:
        self._service.events.remove_config(given["FunctionName"], given.get("Qualifier"))
        return {}


def _weights(given: Given) -> dict[str, float]:
    return dict((given.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def _destinations(config: EventConfig) -> dict[str, Any]:
    return {
        "OnSuccess": {} if config.on_success is None else {"Destination": config.on_success},
        "OnFailure": {} if config.on_failure is None else {"Destination": config.on_failure},
    }
