"""The Lambda API's operations on functions: create, read, change, delete, list, concurrency and policy.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from trine.awslambda import limits
from trine.awslambda.code import place_zip
from trine.awslambda.describe import CodeMeasure, configuration, measure_code
from trine.awslambda.errors import InvalidParameterValue, PreconditionFailed, ResourceConflict, ResourceNotFound
from trine.awslambda.function import Function
from trine.awslambda.function_store import KeptFunction
from trine.awslambda.permission import statement_of
from trine.awslambda.service import Service

Given = Mapping[str, Any]
PAGE_FUNCTIONS = 50
"""API reference, ListFunctions: at most 50 functions a page."""
_CONFIGURED = frozenset(
    ("Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "Environment", "Runtime",
     "DeadLetterConfig", "KMSKeyArn", "TracingConfig", "Layers", "EphemeralStorage", "LoggingConfig", "Architectures",
     "PackageType", "SnapStart", "Tags")
)  # fmt: skip
"""Members that the API and the template spell alike."""


class FunctionOperations:
    """Operations on functions."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._measured: dict[str, CodeMeasure] = {}

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
            "AddPermission": self._add_permission,
            "RemovePermission": self._remove_permission,
            "GetPolicy": self._get_policy,
            "GetAccountSettings": self._account_settings,
        }

    async def describe(self, function: Function) -> dict[str, Any]:
        """`FunctionConfiguration`; the code is measured off the event loop, once for each revision."""
        return configuration(function, await self._measure(function))

    async def _measure(self, function: Function) -> CodeMeasure:
        measured = self._measured.get(function.revision)
        if measured is None:
            measured = await asyncio.to_thread(measure_code, function.code_directory)
            if len(self._measured) > 1_000:
                self._measured.clear()
            self._measured[function.revision] = measured
        return measured

    # -- changing ----------------------------------------------------------------------------------------------------

    async def _create(self, given: Given) -> dict[str, Any]:
        name = given["FunctionName"]
        if self._service.registry.get(name) is not None:
            raise ResourceConflict(f"Function already exist: {name}")
        properties = {key: value for key, value in given.items() if key in _CONFIGURED}
        folder = await self._unpack(given["Code"])
        function = await self._keep({**properties, "FunctionName": name}, folder)
        if given.get("Publish"):
            function = self._service.deployment.put_version(name)
        return await self.describe(function)

    async def _keep(self, properties: Given, folder: Path) -> Function:
        # The role is tried first, as on AWS; the function is found again after a restart.
        service = self._service
        service.deployment.try_role(str(properties.get("Role", "")))
        known = service.registry.get(properties["FunctionName"])
        permissions = [] if known is None else known.permissions
        function = service.deployment.put_function(properties, folder, permissions)
        await service.deployment.kept.put(function.name, KeptFunction(properties, function.code_directory, permissions))
        return function

    async def _unpack(self, code: Given) -> Path:
        packed = code.get("ZipFile")
        if not packed:
            raise InvalidParameterValue("Trine takes code as ZipFile; packages in S3 and images are not supported")
        if len(packed) > limits.CODE_ZIPPED_MAX_BYTES:
            raise InvalidParameterValue(f"Unzipped size must be smaller than {limits.CODE_UNZIPPED_MAX_BYTES} bytes")
        return await asyncio.to_thread(place_zip, packed, self._service.deployment.state_directory)

    def _latest(self, given: Given) -> Function:
        function = self._service.registry.function(given["FunctionName"])
        wanted = given.get("RevisionId")
        if wanted is not None and wanted != function.revision:
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                "retrieve the latest Revision Id"
            )
        return function

    async def _update_code(self, given: Given) -> dict[str, Any]:
        function = self._latest(given)
        folder = await self._unpack(given)
        if given.get("DryRun"):
            return await self.describe(function)
        function = await self._keep(function.properties, folder)
        if given.get("Publish"):
            function = self._service.deployment.put_version(function.name)
        return await self.describe(function)

    async def _update_configuration(self, given: Given) -> dict[str, Any]:
        function = self._latest(given)
        changed = {key: value for key, value in given.items() if key in _CONFIGURED}
        function = await self._keep({**function.properties, **changed}, function.code_directory)
        return await self.describe(function)

    async def _delete(self, given: Given) -> dict[str, Any]:
        if given.get("Qualifier"):
            raise InvalidParameterValue("Deleting single versions is not supported; delete the function")
        await self._service.deployment.delete_function(given["FunctionName"])
        return {}

    # -- reading -----------------------------------------------------------------------------------------------------

    async def _get_configuration(self, given: Given) -> dict[str, Any]:
        return await self.describe(self._service.registry.function(given["FunctionName"], given.get("Qualifier")))

    async def _get_function(self, given: Given) -> dict[str, Any]:
        function = self._service.registry.function(given["FunctionName"], given.get("Qualifier"))
        output: dict[str, Any] = {
            "Configuration": await self.describe(function),
            "Code": {"RepositoryType": "Local", "Location": function.code_directory.as_uri()},
        }
        if function.reserved_concurrency is not None:
            output["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return output

    async def _list_functions(self, given: Given) -> dict[str, Any]:
        functions = self._service.deployment.functions()
        marker = given.get("Marker", "")
        if marker:
            functions = [function for function in functions if function.name > marker]
        page = functions[: min(given.get("MaxItems", PAGE_FUNCTIONS), PAGE_FUNCTIONS)]
        output: dict[str, Any] = {"Functions": [await self.describe(function) for function in page]}
        if len(page) < len(functions):
            output["NextMarker"] = page[-1].name
        return output

    async def _account_settings(self, given: Given) -> dict[str, Any]:
        concurrency = self._service.concurrency
        functions = self._service.deployment.functions()
        sizes = [(await self._measure(function)).size_bytes for function in functions]
        return {
            "AccountLimit": {
                "ConcurrentExecutions": concurrency.account_limit,
                "UnreservedConcurrentExecutions": concurrency.unreserved_limit,
            },
            "AccountUsage": {"FunctionCount": len(functions), "TotalCodeSize": sum(sizes)},
        }

    # -- concurrency and policy --------------------------------------------------------------------------------------

    async def _get_concurrency(self, given: Given) -> dict[str, Any]:
        reserved = self._service.registry.function(given["FunctionName"]).reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def _put_concurrency(self, given: Given) -> dict[str, Any]:
        units = given["ReservedConcurrentExecutions"]
        self._service.deployment.reserve_concurrency(given["FunctionName"], units)
        return {"ReservedConcurrentExecutions": units}

    async def _delete_concurrency(self, given: Given) -> dict[str, Any]:
        self._service.deployment.reserve_concurrency(given["FunctionName"], None)
        return {}

    async def _add_permission(self, given: Given) -> dict[str, Any]:
        name = given["FunctionName"]
        entry, _ = self._service.registry.find(name)
        sid = given["StatementId"]
        if any(permission.get("StatementId") == sid for permission in entry.permissions):
            raise ResourceConflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            )
        self._service.deployment.set_permissions(name, [*entry.permissions, dict(given)])
        return {"Statement": json.dumps(statement_of(given, entry.function.arn, self._service.place, sid))}

    async def _remove_permission(self, given: Given) -> dict[str, Any]:
        entry, _ = self._service.registry.find(given["FunctionName"])
        kept = [permission for permission in entry.permissions if permission.get("StatementId") != given["StatementId"]]
        if len(kept) == len(entry.permissions):
            raise ResourceNotFound(f"Statement {given['StatementId']} is not found in resource policy.")
        self._service.deployment.set_permissions(given["FunctionName"], kept)
        return {}

    async def _get_policy(self, given: Given) -> dict[str, Any]:
        text = self._service.deployment.policy_text(given["FunctionName"])
        if text is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return {"Policy": text, "RevisionId": self._service.registry.function(given["FunctionName"]).revision}
