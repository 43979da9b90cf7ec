"""How asynchronous events are treated, with boto3."""

from __future__ import annotations

from tests.awslambda.api.conftest import Api


def test_event_configurations(api: Api) -> None:
    api.lab.put("app.hello", "configured")
    assert api.refused("get_function_event_invoke_config", FunctionName="configured") == "ResourceNotFoundException"
    target = "arn:aws:sqs:us-east-1:123456789012:failed"
    api.put_function_event_invoke_config(
        FunctionName="configured", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": target}}
    )
    shown = api.get_function_event_invoke_config(FunctionName="configured")
    assert shown["MaximumRetryAttempts"] == 1
    assert shown["DestinationConfig"]["OnFailure"] == {"Destination": target}
    api.delete_function_event_invoke_config(FunctionName="configured")
    assert api.refused("get_function_event_invoke_config", FunctionName="configured") == "ResourceNotFoundException"


def test_configurations_of_qualifiers_are_changed_and_listed(api: Api) -> None:
    api.lab.put("app.hello", "configured-more")
    api.publish_version(FunctionName="configured-more")
    name = {"FunctionName": "configured-more"}
    api.put_function_event_invoke_config(**name, MaximumRetryAttempts=0)
    api.put_function_event_invoke_config(**name, Qualifier="1", MaximumEventAgeInSeconds=60)
    changed = api.update_function_event_invoke_config(**name, Qualifier="1", MaximumRetryAttempts=1)
    assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (1, 60)
    listed = api.list_function_event_invoke_configs(**name)["FunctionEventInvokeConfigs"]
    assert [one["FunctionArn"].rpartition(":")[2] for one in listed] == ["$LATEST", "1"]
    first = api.list_function_event_invoke_configs(**name, MaxItems=1)
    rest = api.list_function_event_invoke_configs(**name, MaxItems=1, Marker=first["NextMarker"])
    assert [*first["FunctionEventInvokeConfigs"], *rest["FunctionEventInvokeConfigs"]] == listed
    assert "MaximumEventAgeInSeconds" not in listed[0]  # what was not given is not told
    assert api.refused("put_function_event_invoke_config", **name) == "InvalidParameterValueException"
    seven = {**name, "Qualifier": "7", "MaximumRetryAttempts": 1}
    assert api.refused("put_function_event_invoke_config", **seven) == "ResourceNotFoundException"
    assert api.refused("update_function_event_invoke_config", FunctionName="nobody") == "ResourceNotFoundException"
