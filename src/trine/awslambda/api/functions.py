"""The Lambda API's operations on functions: create, read, change, delete, list, reserved concurrency, account.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from trine.awslambda import limits
from trine.awslambda.api.paging import listing, page
from trine.awslambda.api.tags import check_tags, tags_of
from trine.awslambda.code import place_zip
from trine.awslambda.describe import CodeMeasure, configuration, measure_code
from trine.awslambda.errors import InvalidParameterValue, PreconditionFailed, ResourceConflict
from trine.awslambda.function import LATEST, Function
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


class Describer:
    """`FunctionConfiguration` of functions; code is measured off the event loop, once for each revision."""

    def __init__(self, is_pending: Callable[[Function], bool], state_directory: Path) -> None:
        self._state_directory = state_directory
        self._measured: dict[str, CodeMeasure] = {}
        self._is_pending = is_pending
        """Whether the snapshot of a version is being taken."""

    async def describe(self, function: Function, qualifier: str | None = None) -> dict[str, Any]:
        """How a function is shown; with its ARN's `qualifier`, where it was asked for by one."""
        arn = function.arn if qualifier is None else f"{function.arn}:{qualifier}"
        shown = {**configuration(function, await self.measure(function)), "FunctionArn": arn}
        if self._is_pending(function):
            shown |= {"State": "Pending", "StateReasonCode": "Creating", "StateReason": "A snapshot is being taken."}
        return shown

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

    def __init__(self, service: Service, describer: Describer) -> None:
        self._service = service
        self._describer = describer

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
        name = given["FunctionName"]
        if self._service.registry.get(name) is not None:
            raise ResourceConflict(f"Function already exist: {name}")
        properties = self._properties(given)
        folder = await self._unpack(given["Code"])
        return await self._changed({**properties, "FunctionName": name}, folder, publish=bool(given.get("Publish")))

    def _properties(self, given: Given) -> dict[str, Any]:
        for member in _NOT_BUILT:
            if given.get(member):
                raise InvalidParameterValue(f"Trine does not offer {member}")
        check_tags(tags_of(given))
        layers = self._service.deployment.layers.missing(given.get("Layers") or ())
        if layers:
            raise InvalidParameterValue(f"Layer version {layers[0]} does not exist.")
        return {key: value for key, value in given.items() if key in _CONFIGURED}

    async def _changed(self, properties: Given, folder: Path, *, publish: bool) -> dict[str, Any]:
        # The role is tried first, as on AWS; the function is found again after a restart.
        deployment = self._service.deployment
        deployment.try_role(str(properties.get("Role", "")))
        function = await deployment.make_function(properties, folder)
        if publish:
            function = await deployment.publish(function.name)
            return await self._describer.describe(function, function.version)
        return await self._describer.describe(function)

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
        return await self._changed(function.properties, folder, publish=bool(given.get("Publish")))

    async def _update_configuration(self, given: Given) -> dict[str, Any]:
        function = self._latest(given)
        properties = {**function.properties, **self._properties(given)}
        return await self._changed(properties, function.code_directory, publish=False)

    async def _delete(self, given: Given) -> dict[str, Any]:
        entry, qualifier = self._service.registry.find(given["FunctionName"], given.get("Qualifier"))
        if qualifier is None:
            await self._service.deployment.delete_function(entry.function.name)
        elif qualifier == LATEST:
            raise InvalidParameterValue("$LATEST version cannot be deleted without deleting the function.")
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
        described = [await self._describer.describe(one, one.version if every else None) for one in shown]
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
