"""The Lambda API's operations on layers: publish, read, list, delete, and the permissions of a version.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from trine.awslambda import limits
from trine.awslambda.api.paging import listing, page
from trine.awslambda.api.policy import revision_of
from trine.awslambda.code import place_zip
from trine.awslambda.describe import measure_code
from trine.awslambda.errors import (
    InvalidParameterValue,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
)
from trine.awslambda.layers import LayerVersion, layer_name, policy_text
from trine.awslambda.service import Service

Given = Mapping[str, Any]
_SHOWN = ("CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")


class LayerOperations:
    """Operations on layers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._layers = service.deployment.layers

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "PublishLayerVersion": self._publish,
            "GetLayerVersion": self._get,
            "GetLayerVersionByArn": self._get_by_arn,
            "ListLayers": self._list,
            "ListLayerVersions": self._list_versions,
            "DeleteLayerVersion": self._delete,
            "AddLayerVersionPermission": self._add_permission,
            "RemoveLayerVersionPermission": self._remove_permission,
            "GetLayerVersionPolicy": self._get_policy,
        }

    async def _publish(self, given: Given) -> dict[str, Any]:
        packed = given["Content"].get("ZipFile")
        if not packed:
            raise InvalidParameterValue("Trine takes a layer's content as ZipFile; packages in S3 are not supported")
        if len(packed) > limits.CODE_ZIPPED_MAX_BYTES:
            raise InvalidParameterValue(f"Unzipped size must be smaller than {limits.CODE_UNZIPPED_MAX_BYTES} bytes")
        folder = await asyncio.to_thread(place_zip, packed, self._service.deployment.state_directory)
        properties = {key: given[key] for key in ("Description", *_SHOWN) if key in given}
        name = layer_name(given["LayerName"], self._service.place)
        return await self._described(await self._layers.publish(name, properties, folder))

    async def _get(self, given: Given) -> dict[str, Any]:
        return await self._described(self._find(given))

    async def _get_by_arn(self, given: Given) -> dict[str, Any]:
        return await self._described(self._layers.find(given["Arn"]))

    async def _described(self, layer: LayerVersion) -> dict[str, Any]:
        measured = await asyncio.to_thread(measure_code, layer.folder, self._service.deployment.state_directory)
        content = {
            "Location": layer.folder.as_uri(),
            "CodeSha256": measured.sha256,
            "CodeSize": measured.size_bytes,
        }
        return {"Content": content, "LayerArn": _plain_arn(layer), **_shown(layer)}

    async def _list(self, given: Given) -> dict[str, Any]:
        newest = {layer.name: layer for layer in self._matching(given)}
        shown, marker = page(list(newest.values()), lambda layer: layer.name, given)
        layers = [
            {"LayerName": layer.name, "LayerArn": _plain_arn(layer), "LatestMatchingVersion": _shown(layer)}
            for layer in shown
        ]
        return listing("Layers", layers, marker)

    async def _list_versions(self, given: Given) -> dict[str, Any]:
        name = layer_name(given["LayerName"], self._service.place)
        found = [layer for layer in self._matching(given) if layer.name == name]
        found.reverse()  # the newest first, as on AWS
        shown, marker = page(found, lambda layer: f"{10**12 - layer.version:012}", given)
        return listing("LayerVersions", [_shown(layer) for layer in shown], marker)

    def _matching(self, given: Given) -> Iterator[LayerVersion]:
        for layer in self._layers:
            runtimes = layer.properties.get("CompatibleRuntimes") or ()
            architectures = layer.properties.get("CompatibleArchitectures") or ()
            if given.get("CompatibleRuntime") not in (None, *runtimes):
                continue
            if given.get("CompatibleArchitecture") in (None, *architectures):
                yield layer

    async def _delete(self, given: Given) -> dict[str, Any]:
        await self._layers.remove(self._arn(given))
        return {}

    # -- permissions -------------------------------------------------------------------------------------------------

    async def _add_permission(self, given: Given) -> dict[str, Any]:
        layer = self._permitted(given)
        self._check_revision(layer, given)
        sid = given["StatementId"]
        if any(statement["Sid"] == sid for statement in layer.statements):
            raise ResourceConflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            )
        statement = self._layers.permit(layer, sid, given)
        await self._layers.keep(layer)
        return {"Statement": json.dumps(statement), "RevisionId": revision_of(policy_text(layer))}

    async def _remove_permission(self, given: Given) -> dict[str, Any]:
        layer = self._permitted(given)
        kept = [statement for statement in layer.statements if statement["Sid"] != given["StatementId"]]
        if len(kept) == len(layer.statements):
            raise ResourceNotFound(f"Statement {given['StatementId']} is not found in resource policy.")
        self._check_revision(layer, given)
        layer.statements = kept
        await self._layers.keep(layer)
        return {}

    async def _get_policy(self, given: Given) -> dict[str, Any]:
        layer = self._permitted(given)
        if not layer.statements:
            raise ResourceNotFound("No policy is associated with the given resource.")
        text = policy_text(layer)
        return {"Policy": text, "RevisionId": revision_of(text)}

    def _check_revision(self, layer: LayerVersion, given: Given) -> None:
        wanted = given.get("RevisionId")
        if wanted is not None and wanted != revision_of(policy_text(layer)):
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to "
                "retrieve the latest Revision Id"
            )

    def _arn(self, given: Given) -> str:
        if given["VersionNumber"] < 1:
            raise InvalidParameterValue("Layer Version Cannot be less than 1")
        name = layer_name(given["LayerName"], self._service.place)
        return self._service.place.arn("lambda", f"layer:{name}:{given['VersionNumber']}")

    def _find(self, given: Given) -> LayerVersion:
        return self._layers.find(self._arn(given))

    def _permitted(self, given: Given) -> LayerVersion:
        arn = self._arn(given)
        found = self._layers.get(arn)
        if found is None:
            raise ResourceNotFound(f"Layer version {arn} does not exist.")
        return found


def _plain_arn(layer: LayerVersion) -> str:
    return layer.arn.rpartition(":")[0]


def _shown(layer: LayerVersion) -> dict[str, Any]:
    created = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(layer.created_at))
    return {
        "LayerVersionArn": layer.arn,
        "Version": layer.version,
        "CreatedDate": f"{created}.{int(layer.created_at * 1000) % 1000:03d}+0000",
        "Description": layer.properties.get("Description", ""),
        **{key: layer.properties[key] for key in _SHOWN if layer.properties.get(key)},
    }
