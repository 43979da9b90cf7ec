"""Layers with boto3: published, used, listed, shared, deleted."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.awslambda.api.conftest import Api


def layer(text: str) -> dict[str, Any]:
    """A layer's content: a module `shared` that says `text`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("python/shared.py", f"WORD = {text!r}\n")
    return {"ZipFile": packed.getvalue()}


def uses_layer() -> bytes:
    """A function that answers what its layer says."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "import shared\n\n\ndef handler(event, context):\n    return shared.WORD\n")
    return packed.getvalue()


def test_a_layer_is_published_and_used(api: Api) -> None:
    first = api.publish_layer_version(
        LayerName="words", Content=layer("first"), CompatibleRuntimes=["python3.11"], Description="d", LicenseInfo="MIT"
    )
    second = api.publish_layer_version(LayerName="words", Content=layer("second"))
    assert (first["Version"], second["Version"]) == (1, 2)
    assert first["LayerVersionArn"].endswith(":layer:words:1")
    api.create_function(
        FunctionName="layered",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": uses_layer()},
        Layers=[first["LayerVersionArn"]],
    )
    assert api.answer("layered") == "first"
    api.update_function_configuration(FunctionName="layered", Layers=[second["LayerVersionArn"]])
    assert api.answer("layered") == "second"
    api.delete_layer_version(LayerName="words", VersionNumber=2)
    assert api.answer("layered") == "second"  # it keeps what it has
    assert api.publish_layer_version(LayerName="words", Content=layer("third"))["Version"] == 3
    shown = api.get_layer_version(LayerName="words", VersionNumber=1)
    assert (shown["Description"], shown["LicenseInfo"]) == ("d", "MIT")
    by_arn = api.get_layer_version_by_arn(Arn=first["LayerVersionArn"])
    assert by_arn["Content"] == shown["Content"]
    assert api.refused("get_layer_version", LayerName="words", VersionNumber=2) == "ResourceNotFoundException"


def test_layers_are_listed(api: Api) -> None:
    for name, runtimes in (("listed-a", ["nodejs20.x"]), ("listed-b", ["python3.11"])):
        for _ in range(2):
            api.publish_layer_version(LayerName=name, Content=layer(name), CompatibleRuntimes=runtimes)
    found = api.list_layers(CompatibleRuntime="nodejs20.x")["Layers"]
    assert [(one["LayerName"], one["LatestMatchingVersion"]["Version"]) for one in found] == [("listed-a", 2)]
    page = api.list_layer_versions(LayerName="listed-b", MaxItems=1)
    assert [one["Version"] for one in page["LayerVersions"]] == [2]
    rest = api.list_layer_versions(LayerName="listed-b", Marker=page["NextMarker"])
    assert [one["Version"] for one in rest["LayerVersions"]] == [1]


def test_permissions_of_a_version(api: Api) -> None:
    api.publish_layer_version(LayerName="shared-layer", Content=layer("x"))
    name = {"LayerName": "shared-layer", "VersionNumber": 1}
    assert api.refused("get_layer_version_policy", **name) == "ResourceNotFoundException"
    grant = {**name, "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "210987654321"}
    added = api.add_layer_version_permission(**grant)
    assert json.loads(added["Statement"])["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    assert api.refused("add_layer_version_permission", **grant) == "ResourceConflictException"
    shown = api.get_layer_version_policy(**name)
    assert shown["RevisionId"] == added["RevisionId"]
    removed = {**name, "StatementId": "s"}
    assert api.refused("remove_layer_version_permission", **removed, RevisionId="x") == "PreconditionFailedException"
    api.remove_layer_version_permission(**removed, RevisionId=shown["RevisionId"])
    assert api.refused("remove_layer_version_permission", **removed) == "ResourceNotFoundException"


def test_what_is_refused(api: Api) -> None:
    s3 = {"S3Bucket": "bkt", "S3Key": "k"}
    assert api.refused("publish_layer_version", LayerName="never", Content=s3) == "InvalidParameterValueException"
    foreign = "arn:aws:lambda:us-east-1:210987654321:layer:theirs"
    content = layer("x")
    assert api.refused("publish_layer_version", LayerName=foreign, Content=content) == "ResourceNotFoundException"
    broken = {"ZipFile": b"no zip"}
    assert api.refused("publish_layer_version", LayerName="never", Content=broken) == "InvalidParameterValueException"


def test_one_version_of_a_layer_in_one_function(api: Api) -> None:
    arns = [api.publish_layer_version(LayerName="twice", Content=layer(text))["LayerVersionArn"] for text in "ab"]
    api.lab.put("app.hello", "layered-once")
    changed = api.update_function_configuration(FunctionName="layered-once", Layers=arns[:1])
    assert changed["Layers"] == [{"Arn": arns[0], "CodeSize": len(layer("a")["ZipFile"])}]
    refused = api.refused("update_function_configuration", FunctionName="layered-once", Layers=arns)
    assert refused == "InvalidParameterValueException"
    assert api.refused("get_layer_version", LayerName="twice", VersionNumber=0) == "InvalidParameterValueException"
