"""The Lambda API's operations on function URLs.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.aws.ids import Ids
from trine.awslambda.api.paging import listing, page
from trine.awslambda.errors import ResourceNotFound
from trine.awslambda.fault import instant
from trine.awslambda.service import Service
from trine.awslambda.urls.config import UrlConfig

Given = Mapping[str, Any]
URL_ID_CHARACTERS = 32
_NO_FUNCTION = "Function does not exist"


class UrlOperations:
    """Operations on function URLs."""

    def __init__(self, service: Service, ids: Ids) -> None:
        self._service = service
        self._ids = ids

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "CreateFunctionUrlConfig": self._create,
            "UpdateFunctionUrlConfig": self._update,
            "GetFunctionUrlConfig": self._get,
            "DeleteFunctionUrlConfig": self._delete,
            "ListFunctionUrlConfigs": self._list,
        }

    async def _create(self, given: Given) -> dict[str, Any]:
        properties = {**given, "TargetFunctionArn": given["FunctionName"]}
        url_id = self._ids.lower(URL_ID_CHARACTERS)
        try:
            config = await self._service.deployment.make_url(url_id, properties, create=True)
        except ResourceNotFound:
            raise ResourceNotFound(_NO_FUNCTION) from None
        shown = self._shown(config)
        del shown["LastModifiedTime"]
        return shown

    async def _update(self, given: Given) -> dict[str, Any]:
        known = self._find(given, _NO_FUNCTION)
        properties = {**known.properties, **given, "TargetFunctionArn": given["FunctionName"]}
        return self._shown(await self._service.deployment.make_url(known.id, properties))

    async def _get(self, given: Given) -> dict[str, Any]:
        return self._shown(self._find(given))

    async def _delete(self, given: Given) -> dict[str, Any]:
        await self._service.deployment.remove_url(self._find(given))
        return {}

    async def _list(self, given: Given) -> dict[str, Any]:
        try:
            name = self._service.registry.find(given["FunctionName"])[0].function.name
        except ResourceNotFound:
            raise ResourceNotFound(_NO_FUNCTION) from None
        found = [config for config in self._service.urls if config.function == name]
        shown, marker = page(found, lambda config: config.qualifier or "", given)
        return listing("FunctionUrlConfigs", [self._shown(config) for config in shown], marker)

    def _find(self, given: Given, refusal: str = "The resource you requested does not exist.") -> UrlConfig:
        try:
            entry, qualifier = self._service.registry.find(given["FunctionName"], given.get("Qualifier"))
        except ResourceNotFound:
            raise ResourceNotFound(refusal) from None
        return self._service.urls.of(entry.function.name, qualifier)

    def _shown(self, config: UrlConfig) -> dict[str, Any]:
        arn = self._service.place.function(config.function)
        shown: dict[str, Any] = {
            "FunctionUrl": self._service.urls.address(config.id),
            "FunctionArn": arn if config.qualifier is None else f"{arn}:{config.qualifier}",
            "AuthType": config.auth,
            "CreationTime": instant(config.created_at),
            "LastModifiedTime": instant(config.modified_at),
        }
        shown |= {member: config.properties[member] for member in ("InvokeMode", "Cors") if member in config.properties}
        return shown
