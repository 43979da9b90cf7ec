"""Versions and aliases with boto3: published once, deleted, weighted, listed, guarded by revisions."""

from __future__ import annotations

import json

import pytest

from tests.awslambda.api.conftest import Api, package


def test_versions_and_aliases(api: Api) -> None:
    api.create_function(
        FunctionName="aliased",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("one")},
        Publish=True,
    )
    api.update_function_code(FunctionName="aliased", ZipFile=package("two"))
    assert api.publish_version(FunctionName="aliased")["Version"] == "2"
    versions = api.list_versions_by_function(FunctionName="aliased")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    alias = api.create_alias(FunctionName="aliased", Name="live", FunctionVersion="1")
    assert alias["AliasArn"].endswith(":function:aliased:live")
    assert api.answer("aliased", Qualifier="live") == "one"
    api.update_alias(FunctionName="aliased", Name="live", FunctionVersion="2")
    assert api.answer("aliased:live") == "two"
    assert api.get_alias(FunctionName="aliased", Name="live")["FunctionVersion"] == "2"
    assert [a["Name"] for a in api.list_aliases(FunctionName="aliased")["Aliases"]] == ["live"]
    api.delete_alias(FunctionName="aliased", Name="live")
    assert api.refused("get_alias", FunctionName="aliased", Name="live") == "ResourceNotFoundException"
    assert api.get_function_configuration(FunctionName="aliased", Qualifier="1")["Version"] == "1"


def make(api: Api, name: str) -> None:
    """A function with two versions that answer `one` and `two`."""
    api.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("one")},
        Publish=True,
    )
    api.update_function_code(FunctionName=name, ZipFile=package("two"), Publish=True)


def test_a_version_is_published_once_and_its_number_is_never_given_again(api: Api) -> None:
    make(api, "numbered")
    assert api.publish_version(FunctionName="numbered")["Version"] == "2"  # nothing has changed
    api.delete_function(FunctionName="numbered", Qualifier="2")
    assert api.refused("invoke", FunctionName="numbered", Qualifier="2") == "ResourceNotFoundException"
    assert api.publish_version(FunctionName="numbered", Description="again")["Version"] == "3"
    shown = api.get_function_configuration(FunctionName="numbered", Qualifier="3")
    assert (shown["Description"], shown["FunctionArn"][-11:]) == ("again", ":numbered:3")
    refused = {"FunctionName": "numbered", "Qualifier": "$LATEST"}
    assert api.refused("delete_function", **refused) == "InvalidParameterValueException"


def test_publishing_is_guarded(api: Api) -> None:
    make(api, "guarded")
    assert api.refused("publish_version", FunctionName="guarded", RevisionId="old") == "PreconditionFailedException"
    sha = "x" * 43 + "="
    assert api.refused("publish_version", FunctionName="guarded", CodeSha256=sha) == "InvalidParameterValueException"


def test_an_alias_holds_its_versions(api: Api) -> None:
    make(api, "held")
    alias = api.create_alias(FunctionName="held", Name="live", FunctionVersion="1")
    assert api.refused("create_alias", FunctionName="held", Name="live", FunctionVersion="1") == (
        "ResourceConflictException"
    )
    assert api.refused("delete_function", FunctionName="held", Qualifier="1") == "ResourceConflictException"
    changed = {"FunctionName": "held", "Name": "live", "Description": "d", "RevisionId": alias["RevisionId"]}
    assert api.update_alias(**changed)["Description"] == "d"
    assert api.refused("update_alias", **changed) == "PreconditionFailedException"
    api.create_alias(FunctionName="held", Name="next", FunctionVersion="2")
    found = api.list_aliases(FunctionName="held", FunctionVersion="2")["Aliases"]
    assert [one["Name"] for one in found] == ["next"]
    first = api.list_aliases(FunctionName="held", MaxItems=1)
    assert [one["Name"] for one in first["Aliases"]] == ["live"]
    second = api.list_aliases(FunctionName="held", MaxItems=1, Marker=first["NextMarker"])
    assert [one["Name"] for one in second["Aliases"]] == ["next"]
    assert "NextMarker" not in second


@pytest.mark.parametrize(
    ("version", "weights"),
    [("$LATEST", {"1": 0.5}), ("1", {"$LATEST": 0.5}), ("1", {"1": 0.5}), ("1", {"2": 1.5})],
)
def test_weights_that_are_refused(api: Api, version: str, weights: dict[str, float]) -> None:
    make(api, f"weights-{version.strip('$')}-{len(str(weights))}-{next(iter(weights)).strip('$')}")
    name = f"weights-{version.strip('$')}-{len(str(weights))}-{next(iter(weights)).strip('$')}"
    refused = api.refused(
        "create_alias", FunctionName=name, Name="live", FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": weights},
    )  # fmt: skip
    assert refused in ("InvalidParameterValueException", "ValidationException")


def test_a_weighted_alias_shares_invocations(api: Api) -> None:
    make(api, "shared")
    api.create_alias(
        FunctionName="shared", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )  # fmt: skip
    answers = [api.invoke(FunctionName="shared", Qualifier="live") for _ in range(40)]
    seen = {(answer["ExecutedVersion"], json.loads(answer["Payload"].read())) for answer in answers}
    assert seen == {("1", "one"), ("2", "two")}


def test_a_qualifier_in_the_name(api: Api) -> None:
    make(api, "named")
    arn = api.get_function_configuration(FunctionName="named")["FunctionArn"]
    assert api.answer("named:1") == "one"
    assert api.answer(f"{arn}:2") == "two"
    assert api.refused("invoke", FunctionName="named:1", Qualifier="2") == "InvalidParameterValueException"
    assert api.refused("invoke", FunctionName="named", Qualifier="nobody") == "ResourceNotFoundException"
