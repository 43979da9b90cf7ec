"""The Lambda API's operations on provisioned concurrency.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.awslambda.api.paging import listing, page
from trine.awslambda.provisioned import ProvisionedConfig
from trine.awslambda.service import Service

Given = Mapping[str, Any]


class ProvisionedOperations:
    """Operations on the environments that are kept ready."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._provisioned = service.provisioned

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "PutProvisionedConcurrencyConfig": self._put,
            "GetProvisionedConcurrencyConfig": self._get,
            "ListProvisionedConcurrencyConfigs": self._list,
            "DeleteProvisionedConcurrencyConfig": self._delete,
        }

    async def _put(self, given: Given) -> dict[str, Any]:
        units = given["ProvisionedConcurrentExecutions"]
        made = self._provisioned.put(given["FunctionName"], given["Qualifier"], units)
        await self._service.deployment.keep(given["FunctionName"])
        return _shown(made)

    async def _get(self, given: Given) -> dict[str, Any]:
        return _shown(self._provisioned.get(given["FunctionName"], given["Qualifier"]))

    async def _list(self, given: Given) -> dict[str, Any]:
        found = self._provisioned.list(given["FunctionName"])
        shown, marker = page(found, lambda config: config.qualifier, given)
        configs = [{"FunctionArn": config.arn, **_shown(config)} for config in shown]
        return listing("ProvisionedConcurrencyConfigs", configs, marker)

    async def _delete(self, given: Given) -> dict[str, Any]:
        self._provisioned.remove(given["FunctionName"], given["Qualifier"])
        await self._service.deployment.keep(given["FunctionName"])
        return {}


def _shown(config: ProvisionedConfig) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AvailableProvisionedConcurrentExecutions": config.available,
        "AllocatedProvisionedConcurrentExecutions": config.allocated,
        "Status": config.status,
        "LastModified": time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(config.modified_at)),
    }
    if config.reason is not None:
        shown["StatusReason"] = config.reason
    return shown
