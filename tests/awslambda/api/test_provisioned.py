"""Provisioned concurrency with boto3: put, shown, listed, deleted, refused, and there again after a restart."""

from __future__ import annotations

from typing import Any

from tests.awslambda.api.conftest import Api, package
from tests.waiting import until


def published(api: Api, name: str) -> None:
    api.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package(name)},
        Publish=True,
    )


def wait_until_ready(api: Api, **named: Any) -> dict[str, Any]:
    def is_ready() -> bool:
        return api.lab.service.provisioned.get(named["FunctionName"], named["Qualifier"]).status == "READY"

    api.lab.run(until(is_ready, "the environments that are kept ready"))
    found: dict[str, Any] = api.get_provisioned_concurrency_config(**named)
    return found


def test_a_configurations_life(api: Api) -> None:
    published(api, "ready")
    named = {"FunctionName": "ready", "Qualifier": "1"}
    made = api.put_provisioned_concurrency_config(**named, ProvisionedConcurrentExecutions=2)
    assert made["RequestedProvisionedConcurrentExecutions"] == 2
    assert made["Status"] in ("IN_PROGRESS", "READY")
    shown = wait_until_ready(api, **named)
    assert shown["AllocatedProvisionedConcurrentExecutions"] == shown["AvailableProvisionedConcurrentExecutions"] == 2
    assert shown["LastModified"].endswith("+0000")
    (listed,) = api.list_provisioned_concurrency_configs(FunctionName="ready")["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(":function:ready:1")
    api.delete_provisioned_concurrency_config(**named)
    missing = "ProvisionedConcurrencyConfigNotFoundException"
    assert api.refused("get_provisioned_concurrency_config", **named) == missing
    assert api.list_provisioned_concurrency_configs(FunctionName="ready")["ProvisionedConcurrencyConfigs"] == []


def test_what_is_refused(api: Api) -> None:
    published(api, "unready")
    wanted = {"FunctionName": "unready", "ProvisionedConcurrentExecutions": 1}
    put = "put_provisioned_concurrency_config"
    assert api.refused(put, **wanted, Qualifier="$LATEST") == "InvalidParameterValueException"
    assert api.refused(put, **wanted, Qualifier="9") == "ResourceNotFoundException"
    much = {**wanted, "ProvisionedConcurrentExecutions": 901}
    assert api.refused(put, **much, Qualifier="1") == "InvalidParameterValueException"
    assert api.refused("get_provisioned_concurrency_config", FunctionName="nobody", Qualifier="1") == (
        "ResourceNotFoundException"
    )
