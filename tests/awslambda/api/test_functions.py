"""The Lambda API's functions with boto3: made, changed, listed, deleted, and found again after a restart."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.awslambda.api.conftest import Api, package
from tests.awslambda.conftest import Lab
from trine.clock import SystemClock
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.kv.memory import MemoryStore


def test_a_functions_life(api: Api) -> None:
    made = api.create_function(
        FunctionName="made",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("one")},
        Timeout=5,
        Environment={"Variables": {"KEY": "value"}},
    )
    assert (made["State"], made["Version"], made["Timeout"]) == ("Pending", "$LATEST", 5)
    assert "LastUpdateStatus" not in made
    shown = api.get_function_configuration(FunctionName="made")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
    assert shown["RevisionId"] != made["RevisionId"]
    assert api.answer("made") == "one"
    assert api.refused(
        "create_function",
        FunctionName="made",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("x")},
    ) == "ResourceConflictException"  # fmt: skip
    updated = api.update_function_code(FunctionName="made", ZipFile=package("two"))
    assert base64.b64decode(updated["CodeSha256"]) == hashlib.sha256(package("two")).digest()
    assert updated["CodeSize"] == len(package("two"))
    assert updated["CodeSha256"] != made["CodeSha256"]
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert api.answer("made") == "two"
    changed = api.update_function_configuration(FunctionName="made", MemorySize=256, Timeout=6)
    assert (changed["MemorySize"], changed["Timeout"], changed["Environment"]) == (
        256, 6, {"Variables": {"KEY": "value"}})  # fmt: skip
    stale = made["RevisionId"]
    assert (
        api.refused("update_function_code", FunctionName="made", ZipFile=package("x"), RevisionId=stale)
        == "PreconditionFailedException"
    )
    api.delete_function(FunctionName="made")
    assert api.refused("get_function", FunctionName="made") == "ResourceNotFoundException"


def test_what_cannot_be_made(api: Api) -> None:
    good = {
        "FunctionName": "never",
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Role": api.lab.role,
        "Code": {"ZipFile": package("x")},
    }
    nobody = "arn:aws:iam::123456789012:role/nobody"
    assert api.refused("create_function", **{**good, "Role": nobody}) == "InvalidParameterValueException"
    assert api.refused("create_function", **{**good, "Timeout": 901}) in (
        "InvalidParameterValueException",
        "ValidationException",
    )
    assert (
        api.refused("create_function", **{**good, "Code": {"ZipFile": b"no zip"}}) == "InvalidParameterValueException"
    )
    assert (
        api.refused("create_function", **{**good, "Code": {"S3Bucket": "bkt", "S3Key": "k"}})
        == "InvalidParameterValueException"
    )


def make(api: Api, name: str, answer: str = "one", **members: Any) -> dict[str, Any]:
    """A function made by the API."""
    made: dict[str, Any] = api.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package(answer)},
        **members,
    )
    return made


def test_what_would_be_lost_is_refused_by_name(api: Api) -> None:
    access_point = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-01234567890abcdef"
    config = {"FileSystemConfigs": [{"Arn": access_point, "LocalMountPath": "/mnt/x"}]}
    with pytest.raises(Exception, match="Trine does not offer FileSystemConfigs"):
        make(api, "never", **config)
    with pytest.raises(Exception, match=r"Layer version .* does not exist"):
        make(api, "never", Layers=["arn:aws:lambda:us-east-1:123456789012:layer:none:1"])
    assert api.refused("get_function", FunctionName="never") == "ResourceNotFoundException"


def test_pages_of_functions(api: Api) -> None:
    for name in ("page-a", "page-b", "page-c"):
        make(api, name, Publish=True)
    pages = list(
        api.lab.run(
            asyncio.to_thread(
                lambda: list(api.client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
            )
        )
    )
    names = [one["FunctionName"] for found in pages for one in found["Functions"]]
    assert [name for name in names if name.startswith("page-")] == ["page-a", "page-b", "page-c"]
    assert names == sorted(names)
    assert all(len(found["Functions"]) <= 2 for found in pages)
    every: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:  # other tests' functions may fill more than one page
        page = api.list_functions(FunctionVersion="ALL", MaxItems=50, **marker)
        every += page["Functions"]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    arns = [one["FunctionArn"].partition(":function:")[2] for one in every]
    assert [arn for arn in arns if arn.startswith("page-a")] == ["page-a:$LATEST", "page-a:1"]
    assert api.refused("list_functions", Marker="not a marker") == "InvalidParameterValueException"


def test_concurrency(api: Api) -> None:
    make(api, "reserved")
    assert "ReservedConcurrentExecutions" not in api.get_function_concurrency(FunctionName="reserved")
    api.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
    assert api.get_function_concurrency(FunctionName="reserved")["ReservedConcurrentExecutions"] == 0
    assert api.get_function(FunctionName="reserved")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert api.refused("invoke", FunctionName="reserved") == "TooManyRequestsException"
    api.update_function_configuration(FunctionName="reserved", Timeout=9)  # changes nothing of the reservation
    assert api.get_function_concurrency(FunctionName="reserved")["ReservedConcurrentExecutions"] == 0
    settings = api.get_account_settings()["AccountLimit"]
    wanted = settings["UnreservedConcurrentExecutions"] - 99
    assert api.refused(
        "put_function_concurrency", FunctionName="reserved", ReservedConcurrentExecutions=wanted
    ) == "InvalidParameterValueException"  # fmt: skip
    latest = {"FunctionName": "reserved:$LATEST", "ReservedConcurrentExecutions": 1}
    assert api.refused("put_function_concurrency", **latest) == "InvalidParameterValueException"
    api.delete_function_concurrency(FunctionName="reserved")
    assert api.answer("reserved") == "one"


def test_dry_runs_and_code_signing(api: Api) -> None:
    make(api, "dry", "first")
    api.update_function_code(FunctionName="dry", ZipFile=package("second"), DryRun=True)
    assert api.answer("dry") == "first"
    assert api.invoke(FunctionName="dry", InvocationType="DryRun")["StatusCode"] == 204
    assert api.get_function_code_signing_config(FunctionName="dry")["CodeSigningConfigArn"] == ""


def test_operations_that_are_not_built_say_so(api: Api) -> None:
    assert api.refused("list_capacity_providers") == "UnsupportedOperationException"
    assert api.refused("get_runtime_management_config", FunctionName="dry") == "UnsupportedOperationException"


def test_passing_a_role_is_asked(api: Api) -> None:
    lab = api.lab
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]}  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}
    arn = lab.access.put_role(
        {"AssumeRolePolicyDocument": trust, "Policies": [{"PolicyName": "p", "PolicyDocument": policy}]}, "deployer"
    )
    session = lab.access.assume_role_for_service(arn, "test", "lambda.amazonaws.com")
    limited = Api.__new__(Api)
    limited.lab = lab
    limited.client = api.client_with(session)
    with pytest.raises(Exception, match="iam:PassRole"):
        make(limited, "passed")


def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    first = Lab(tmp_path, catalogue=DocumentCatalogue(store))
    api = Api(first)
    layer = api.publish_layer_version(
        LayerName="kept", Content={"ZipFile": package("layer")}, CompatibleRuntimes=["python3.11"]
    )
    make(api, "kept", "one", Publish=True, Description="the first", Tags={"team": "a"})
    api.update_function_code(FunctionName="kept", ZipFile=package("two"))
    api.publish_version(FunctionName="kept", Description="the second")
    api.update_function_configuration(FunctionName="kept", Layers=[layer["LayerVersionArn"]])
    api.create_alias(
        FunctionName="kept", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.0}},
    )  # fmt: skip
    api.put_function_concurrency(FunctionName="kept", ReservedConcurrentExecutions=7)
    api.put_function_event_invoke_config(FunctionName="kept", Qualifier="live", MaximumRetryAttempts=0)
    provisioned = {"FunctionName": "kept", "Qualifier": "2"}
    api.put_provisioned_concurrency_config(**provisioned, ProvisionedConcurrentExecutions=3)
    url = api.create_function_url_config(FunctionName="kept", Qualifier="live", AuthType="NONE")["FunctionUrl"]
    api.add_permission(
        FunctionName="kept", Qualifier="live", StatementId="s", Action="lambda:InvokeFunction", Principal="*"
    )
    before = describe(api)
    api.close()
    first.close()

    second = Lab(tmp_path, catalogue=DocumentCatalogue(store))
    second.run(asyncio.sleep(0.05))
    api = Api(second)
    second.access.put_role({"AssumeRolePolicyDocument": second.trust}, "function-role")
    assert describe(api) == before
    assert api.answer("kept", Qualifier="live") == "one"
    assert api.answer("kept", Qualifier="2") == "two"
    assert api.get_function_url_config(FunctionName="kept", Qualifier="live")["FunctionUrl"] == url
    kept_ready = api.get_provisioned_concurrency_config(**provisioned)
    assert kept_ready["RequestedProvisionedConcurrentExecutions"] == 3
    assert api.publish_version(FunctionName="kept")["Version"] == "3"
    api.delete_function(FunctionName="kept")
    assert list(DocumentCatalogue(store).list("lambda:version")) == []
    assert list(DocumentCatalogue(store).list("lambda:function")) == []
    api.close()
    second.close()


def describe(api: Api) -> list[Any]:
    """All that the API tells of the function `kept`."""
    name = {"FunctionName": "kept"}
    answers = [
        api.get_function(**name),
        api.list_versions_by_function(**name)["Versions"],
        api.list_aliases(**name)["Aliases"],
        api.get_function_event_invoke_config(**name, Qualifier="live")["DestinationConfig"],
        api.get_policy(**name, Qualifier="live")["Policy"],
        api.list_layers()["Layers"],
    ]
    return [json.loads(json.dumps(one, default=str, sort_keys=True)) for one in map(without_metadata, answers)]


def without_metadata(answer: Any) -> Any:
    """An answer without what differs from call to call."""
    if not isinstance(answer, dict):
        return answer
    return {key: one for key, one in answer.items() if key != "ResponseMetadata"}


def test_a_function_of_another_region_is_told_as_such(api: Api) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:far"
    sentence = r"Functions from 'eu-west-1' are not reachable in this region \('us-east-1'\)"
    with pytest.raises(ClientError, match=sentence):
        api.get_function(FunctionName=arn)


def test_members_that_only_a_function_itself_is_shown_with(api: Api) -> None:
    api.lab.put("app.hello", "detailed")
    api.publish_version(FunctionName="detailed")
    shown = api.get_function_configuration(FunctionName="detailed")
    assert shown["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")
    assert shown["State"] == "Active"
    functions = [one for one in api.list_functions()["Functions"] if one["FunctionName"] == "detailed"]
    versions = api.list_versions_by_function(FunctionName="detailed")["Versions"]
    assert len(functions) == 1
    assert len(versions) == 2
    for listed in (*functions, *versions):
        assert not listed.keys() & {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
    assert versions[1]["RevisionId"] != versions[0]["RevisionId"] == shown["RevisionId"]


def test_versions_that_never_were_are_deleted_without_a_word(api: Api) -> None:
    api.lab.put("app.hello", "versionless")
    assert api.delete_function(FunctionName="versionless", Qualifier="77")["StatusCode"] == 204
    assert api.refused("delete_function", FunctionName="nobody", Qualifier="77") == "ResourceNotFoundException"
    latest = api.refused("delete_function", FunctionName="nobody", Qualifier="$LATEST")
    assert latest == "InvalidParameterValueException"
    assert api.get_function_configuration(FunctionName="versionless")["Version"] == "$LATEST"
