"""The Lambda API's operations on functions: create, read, change, delete, list, reserved concurrency, account.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trine.aws.ids import Ids
from trine.awslambda import limits
from trine.awslambda.api.paging import listing, page
from trine.awslambda.api.tags import check_tags, tags_of
from trine.awslambda.code import place_zip
from trine.awslambda.describe import CodeMeasure, configuration, measure_code
from trine.awslambda.errors import InvalidParameterValue, PreconditionFailed, ResourceConflict, ResourceNotFound
from trine.awslambda.function import LATEST, Function, split_name
from trine.awslambda.layers import LayerStore
from trine.awslambda.registry import not_here
from trine.awslambda.service import Service

Given = Mapping[str, Any]
_CONFIGURED = frozenset(
    ("Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "Environment", "Runtime",
     "DeadLetterConfig", "KMSKeyArn", "TracingConfig", "Layers", "EphemeralStorage", "LoggingConfig", "Architectures",
     "PackageType", "SnapStart", "Tags")
)  # fmt: skip
"""Members that the API and the template spell alike."""
_NOT_BUILT = ("CodeSigningConfigArn", "FileSystemConfigs", "ImageConfig", "TenancyConfig", "CapacityProviderConfig",
              "DurableConfig", "AcceleratorConfig", "RuntimeConfig")  # fmt: skip
"""Members that would be lost silently; they are refused by name instead."""
_CREATING = {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
_UPDATING = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}
"""Developer guide, "Lambda function states": what a change is answered. It is made by then; who asks again sees so."""
_NOT_LISTED = frozenset((*_CREATING, *_UPDATING, "RuntimeVersionConfig"))
"""API reference, ListFunctions: members that only GetFunction and GetFunctionConfiguration have."""


class Describer:
    """`FunctionConfiguration` of functions; code is measured off the event loop, once for each revision."""

    def __init__(self, is_pending: Callable[[Function], bool], layers: LayerStore, state_directory: Path) -> None:
        self._state_directory = state_directory
        self._layers = layers
        self._layer_sizes: dict[str, int] = {}
        self._measured: dict[str, CodeMeasure] = {}
        self._is_pending = is_pending
        """Whether the snapshot of a version is being taken."""

    async def describe(self, function: Function, qualifier: str | None = None) -> dict[str, Any]:
        """How a function is shown; with its ARN's `qualifier`, where it was asked for by one."""
        arn = function.arn if qualifier is None else f"{function.arn}:{qualifier}"
        shown = {**configuration(function, await self.measure(function)), "FunctionArn": arn}
        if self._is_pending(function):
            shown |= {"State": "Pending", "StateReasonCode": "Creating", "StateReason": "A snapshot is being taken."}
        if function.layers:
            shown["Layers"] = [await self._layer(layer) for layer in function.layers]
        return shown

    async def listed(self, function: Function, qualifier: str | None = None) -> dict[str, Any]:
        """As `describe`, without what no listing tells."""
        shown = await self.describe(function, qualifier)
        return {member: value for member, value in shown.items() if member not in _NOT_LISTED}

    async def _layer(self, arn: str) -> dict[str, Any]:
        size_bytes = self._layer_sizes.get(arn)
        if size_bytes is None:
            layer = self._layers.get(arn)
            if layer is None:  # another account's, or deleted: its content is not here to be measured
                return {"Arn": arn}
            size_bytes = (await asyncio.to_thread(measure_code, layer.folder, self._state_directory)).size_bytes
            self._layer_sizes[arn] = size_bytes
        return {"Arn": arn, "CodeSize": size_bytes}

    async def measure(self, function: Function) -> CodeMeasure:
        """Size and hash of a function's code."""
        measured = self._measured.get(function.revision)
        if measured is None:
            measured = await asyncio.to_thread(measure_code, function.code_directory, self._state_directory)
            if len(self._measured) > 1_000:
                self._measured.clear()
            self._measured[function.revision] = measured
        return measured


class FunctionOperations:
    """Operations on functions."""

    def __init__(self, service: Service, describer: Describer, ids: Ids) -> None:
        self._service = service
        self._describer = describer
        self._ids = ids

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "CreateFunction": self._create,
            "UpdateFunctionCode": self._update_code,
            "UpdateFunctionConfiguration": self._update_configuration,
            "DeleteFunction": self._delete,
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": self._get_configuration,
            "ListFunctions": self._list_functions,
            "GetFunctionConcurrency": self._get_concurrency,
            "PutFunctionConcurrency": self._put_concurrency,
            "DeleteFunctionConcurrency": self._delete_concurrency,
            "GetFunctionCodeSigningConfig": self._get_code_signing,
            "GetAccountSettings": self._account_settings,
        }

    # -- changing ----------------------------------------------------------------------------------------------------

    async def _create(self, given: Given) -> dict[str, Any]:
        name = self._name(given["FunctionName"])
        if self._service.registry.get(name) is not None:
            raise ResourceConflict(f"Function already exist: {name}")
        properties = self._properties(given)
        folder = await self._unpack(given["Code"])
        made = await self._changed({**properties, "FunctionName": name}, folder)
        shown = await self._describer.describe(await self._published(made, given))
        del shown["LastUpdateStatus"]
        return self._unsettled(shown, _CREATING)

    def _name(self, text: str) -> str:
        if ":" not in text:
            return text
        try:
            return split_name(text, self._service.place)[0]
        except ValueError:
            raise not_here(text, self._service.place) from None

    def _unsettled(self, shown: dict[str, Any], status: Given) -> dict[str, Any]:
        # The revision is none that is still to be met: AWS gives another once the change is made.
        return {**shown, **status, "RevisionId": self._ids.uuid()}

    def _properties(self, given: Given) -> dict[str, Any]:
        for member in _NOT_BUILT:
            if given.get(member):
                raise InvalidParameterValue(f"Trine does not offer {member}")
        check_tags(tags_of(given))
        self._check_layers(given.get("Layers") or ())
        return {key: value for key, value in given.items() if key in _CONFIGURED}

    def _check_layers(self, arns: Sequence[str]) -> None:
        missing = self._service.deployment.layers.missing(arns)
        if missing:
            raise InvalidParameterValue(f"Layer version {missing[0]} does not exist.")
        seen: dict[str, str] = {}
        for arn in arns:
            layer = arn.rpartition(":")[0]
            if layer in seen:
                raise InvalidParameterValue(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{seen[layer]} and {arn} are versions of the same layer."
                )
            seen[layer] = arn

    async def _changed(self, properties: Given, folder: Path) -> Function:
        # The role is tried first, as on AWS; the function is found again after a restart.
        deployment = self._service.deployment
        deployment.try_role(str(properties.get("Role", "")))
        return await deployment.make_function(properties, folder)

    async def _published(self, function: Function, given: Given) -> Function:
        return await self._service.deployment.publish(function.name) if given.get("Publish") else function

    async def _unpack(self, code: Given) -> Path:
        packed = code.get("ZipFile")
        if not packed:
            raise InvalidParameterValue("Trine takes code as ZipFile; packages in S3 and images are not supported")
        if len(packed) > limits.CODE_ZIPPED_MAX_BYTES:
            raise InvalidParameterValue(f"Unzipped size must be smaller than {limits.CODE_UNZIPPED_MAX_BYTES} bytes")
        return await asyncio.to_thread(place_zip, packed, self._service.deployment.state_directory)

    def _latest(self, given: Given) -> Function:
        function = self._service.registry.find(given["FunctionName"])[0].function
        check_revision(given, function.revision)
        return function

    async def _update_code(self, given: Given) -> dict[str, Any]:
        function = self._latest(given)
        folder = await self._unpack(given)
        if given.get("DryRun"):
            return await self._describer.describe(function)
        changed = await self._published(await self._changed(function.properties, folder), given)
        if changed.version != LATEST:
            shown = await self._describer.describe(changed, changed.version)
            del shown["LastUpdateStatus"]
            return self._unsettled(shown, _CREATING)
        return self._unsettled(await self._describer.describe(changed), _UPDATING)

    async def _update_configuration(self, given: Given) -> dict[str, Any]:
        function = self._latest(given)
        properties = {**function.properties, **self._properties(given)}
        changed = await self._changed(properties, function.code_directory)
        return self._unsettled(await self._describer.describe(changed), _UPDATING)

    async def _delete(self, given: Given) -> dict[str, Any]:
        name, qualifier = given["FunctionName"], given.get("Qualifier")
        try:
            entry, qualifier = self._service.registry.find(name, qualifier)
        except ResourceNotFound:
            if qualifier is None or not (qualifier == LATEST or qualifier.isdigit()):
                raise
            if qualifier.isdigit():  # a version that never was is gone already, if there is the function
                self._service.registry.find(name)
                return {"StatusCode": 204}
        if qualifier == LATEST:
            raise InvalidParameterValue("$LATEST version cannot be deleted without deleting the function.")
        if qualifier is None:
            await self._service.deployment.delete_function(entry.function.name)
        else:
            await self._service.deployment.delete_version(entry.function.name, qualifier)
        return {"StatusCode": 204}

    # -- reading -----------------------------------------------------------------------------------------------------

    async def _get_configuration(self, given: Given) -> dict[str, Any]:
        _, qualifier = self._service.registry.find(given["FunctionName"], given.get("Qualifier"))
        function = self._service.registry.function(given["FunctionName"], given.get("Qualifier"))
        return await self._describer.describe(function, qualifier)

    async def _get_function(self, given: Given) -> dict[str, Any]:
        shown = await self._get_configuration(given)
        entry, _ = self._service.registry.find(given["FunctionName"])
        function = self._service.registry.function(given["FunctionName"], given.get("Qualifier"))
        output: dict[str, Any] = {
            "Configuration": shown,
            "Code": {"RepositoryType": "Local", "Location": function.code_directory.as_uri()},
        }
        if tags := tags_of(entry.function.properties):
            output["Tags"] = tags
        if entry.function.reserved_concurrency is not None:
            output["Concurrency"] = {"ReservedConcurrentExecutions": entry.function.reserved_concurrency}
        return output

    async def _list_functions(self, given: Given) -> dict[str, Any]:
        functions = self._service.deployment.functions()
        every = given.get("FunctionVersion") == "ALL"
        if every:
            functions = [one for entry in self._service.registry for one in (entry.function, *entry.versions.values())]
        shown, marker = page(functions, lambda one: f"{one.name}\0{version_key(one.version)}", given)
        described = [await self._describer.listed(one, one.version if every else None) for one in shown]
        return listing("Functions", described, marker)

    async def _account_settings(self, given: Given) -> dict[str, Any]:
        concurrency = self._service.concurrency
        functions = self._service.deployment.functions()
        sizes = [(await self._describer.measure(function)).size_bytes for function in functions]
        return {
            "AccountLimit": {
                "TotalCodeSize": limits.CODE_STORAGE_MAX_BYTES,
                "CodeSizeUnzipped": limits.CODE_UNZIPPED_MAX_BYTES,
                "CodeSizeZipped": limits.CODE_ZIPPED_MAX_BYTES,
                "ConcurrentExecutions": concurrency.account_limit,
                "UnreservedConcurrentExecutions": concurrency.unreserved_limit,
            },
            "AccountUsage": {"FunctionCount": len(functions), "TotalCodeSize": sum(sizes)},
        }

    async def _get_code_signing(self, given: Given) -> dict[str, Any]:
        # Code signing is not offered: no function has a configuration for it, and that is what this tells.
        name = self._service.registry.find(given["FunctionName"])[0].function.name
        return {"FunctionName": name, "CodeSigningConfigArn": ""}

    # -- concurrency -------------------------------------------------------------------------------------------------

    async def _get_concurrency(self, given: Given) -> dict[str, Any]:
        reserved = self._service.registry.find(given["FunctionName"])[0].function.reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def _put_concurrency(self, given: Given) -> dict[str, Any]:
        units = given["ReservedConcurrentExecutions"]
        _, qualifier = self._service.registry.find(given["FunctionName"])
        if qualifier is not None:
            raise InvalidParameterValue(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                "operation. Please specify either a function name or an unqualified function ARN."
            )
        await self._service.deployment.reserve_concurrency(given["FunctionName"], units)
        return {"ReservedConcurrentExecutions": units}

    async def _delete_concurrency(self, given: Given) -> dict[str, Any]:
        await self._service.deployment.reserve_concurrency(given["FunctionName"], None)
        return {}


def version_key(version: str) -> str:
    """Sorts `$LATEST` before the numbers, and those by their value."""
    return "" if version == LATEST else f"{int(version):012}"


def check_revision(given: Given, revision: str) -> None:
    """Raise PreconditionFailed when the caller knows another revision than the latest."""
    wanted = given.get("RevisionId")
    if wanted is not None and wanted != revision:
        raise PreconditionFailed(
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id"
        )
