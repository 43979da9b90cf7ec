"""Function URL configurations with boto3."""

from __future__ import annotations

from tests.awslambda.api.conftest import Api


def test_the_life_of_a_function_url(api: Api) -> None:
    api.lab.put("app.hello", "addressed")
    name = {"FunctionName": "addressed"}
    assert api.refused("get_function_url_config", **name) == "ResourceNotFoundException"
    made = api.create_function_url_config(**name, AuthType="NONE", Cors={"AllowOrigins": ["*"], "MaxAge": 5})
    assert (made["AuthType"], made["Cors"]["MaxAge"]) == ("NONE", 5)
    assert "InvokeMode" not in made  # what was not given is not told
    assert made["FunctionUrl"].startswith("https://")
    assert api.refused("create_function_url_config", **name, AuthType="NONE") == "ResourceConflictException"
    changed = api.update_function_url_config(**name, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM")
    assert (changed["FunctionUrl"], changed["AuthType"]) == (made["FunctionUrl"], "AWS_IAM")
    assert changed["Cors"]["AllowOrigins"] == ["*"]
    assert api.get_function_url_config(**name)["InvokeMode"] == "RESPONSE_STREAM"
    api.publish_version(**name)
    api.create_alias(**name, Name="live", FunctionVersion="1")
    api.create_function_url_config(**name, Qualifier="live", AuthType="NONE")
    listed = api.list_function_url_configs(**name)["FunctionUrlConfigs"]
    assert [one["FunctionArn"].rpartition(":")[2] for one in listed] == ["addressed", "live"]
    first = api.list_function_url_configs(**name, MaxItems=1)
    rest = api.list_function_url_configs(**name, MaxItems=1, Marker=first["NextMarker"])
    assert [*first["FunctionUrlConfigs"], *rest["FunctionUrlConfigs"]] == listed
    api.delete_function_url_config(**name)
    assert api.refused("delete_function_url_config", **name) == "ResourceNotFoundException"
    api.delete_alias(**name, Name="live")
    assert api.list_function_url_configs(**name)["FunctionUrlConfigs"] == []


def test_what_is_refused(api: Api) -> None:
    api.lab.put("app.hello", "refused-url")
    name = {"FunctionName": "refused-url", "AuthType": "NONE"}
    assert api.refused("create_function_url_config", **{**name, "FunctionName": "no"}) == "ResourceNotFoundException"
    assert api.refused("create_function_url_config", **name, Cors={"MaxAge": 90_000}) == "ValidationException"
    assert api.refused("create_function_url_config", **{**name, "AuthType": "OPEN"}) == "ValidationException"
