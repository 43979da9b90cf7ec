"""The Lambda API's operations on versions and aliases.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.awslambda.api.functions import Describer, check_revision, version_key
from trine.awslambda.api.paging import listing, page
from trine.awslambda.errors import InvalidParameterValue, ResourceNotFound
from trine.awslambda.registry import Alias, Entry
from trine.awslambda.service import Service

Given = Mapping[str, Any]


class VersionOperations:
    """Operations on versions and aliases."""

    def __init__(self, service: Service, describer: Describer) -> None:
        self._service = service
        self._describer = describer

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
        }

    async def _publish(self, given: Given) -> dict[str, Any]:
        latest = self._service.registry.find(given["FunctionName"])[0].function
        check_revision(given, latest.revision)
        wanted = given.get("CodeSha256")
        sha256 = (await self._describer.measure(latest)).sha256
        if wanted not in (None, sha256):
            raise InvalidParameterValue(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({sha256}). Please try again "
                "with the CodeSHA256 in $LATEST."
            )
        version = await self._service.deployment.publish(latest.name, given.get("Description"))
        return await self._describer.describe(version, version.version)

    async def _list_versions(self, given: Given) -> dict[str, Any]:
        entry, _ = self._service.registry.find(given["FunctionName"])
        functions = [entry.function, *entry.versions.values()]
        shown, marker = page(functions, lambda one: f"v{version_key(one.version)}", given)
        return listing("Versions", [await self._describer.listed(one, one.version) for one in shown], marker)

    async def _create_alias(self, given: Given) -> dict[str, Any]:
        alias = Alias(given["Name"], given["FunctionVersion"], given.get("Description", ""), _weights(given))
        return await self._put(given, alias, create=True)

    async def _put(self, given: Given, alias: Alias, *, create: bool = False) -> dict[str, Any]:
        name = self._service.registry.find(given["FunctionName"])[0].function.name
        made = await self._service.deployment.make_alias(name, alias, create=create)
        return _shown(self._service.registry.find(name)[0], made)

    async def _update_alias(self, given: Given) -> dict[str, Any]:
        alias = self._find(given, "Alias not found: {}")[1]
        check_revision(given, alias.revision)
        return await self._put(
            given,
            Alias(
                alias.name,
                given.get("FunctionVersion", alias.version),
                given.get("Description", alias.description),
                _weights(given) if "RoutingConfig" in given else alias.weights,
            ),
        )

    async def _get_alias(self, given: Given) -> dict[str, Any]:
        return _shown(*self._find(given))

    async def _list_aliases(self, given: Given) -> dict[str, Any]:
        entry, _ = self._service.registry.find(given["FunctionName"])
        wanted = given.get("FunctionVersion")
        found = [
            alias
            for alias in sorted(entry.aliases.values(), key=lambda alias: alias.name)
            if wanted is None or wanted == alias.version or wanted in alias.weights
        ]
        shown, marker = page(found, lambda alias: alias.name, given)
        return listing("Aliases", [_shown(entry, alias) for alias in shown], marker)

    async def _delete_alias(self, given: Given) -> dict[str, Any]:
        await self._service.deployment.delete_alias(given["FunctionName"], given["Name"])
        return {}

    def _find(self, given: Given, refusal: str = "Cannot find alias arn: {}") -> tuple[Entry, Alias]:
        entry, _ = self._service.registry.find(given["FunctionName"])
        alias = entry.aliases.get(given["Name"])
        if alias is None:
            raise ResourceNotFound(refusal.format(f"{entry.function.arn}:{given['Name']}"))
        return entry, alias


def _shown(entry: Entry, alias: Alias) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "AliasArn": f"{entry.function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.weights:
        shown["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return shown


def _weights(given: Given) -> dict[str, float]:
    return dict((given.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
