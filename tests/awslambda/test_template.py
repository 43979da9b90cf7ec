"""Lambda resources of a template other than functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.awslambda.template import (
    ALIAS,
    EVENT_CONFIG,
    EVENT_SOURCE,
    LAYER,
    LAYER_PERMISSION,
    VERSION,
    permissions_of,
    put_resource,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


def test_what_sam_makes_of_auto_publish_alias_and_layers(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "shared.py").write_text("WHO = 'layer'\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text("import shared\ndef handler(event, context):\n    return shared.WHO\n")
    service = lab.service
    put_resource(service, LAYER, {"LayerName": "templated"}, tmp_path / "layer")
    layer = "arn:aws:lambda:us-east-1:123456789012:layer:templated:1"
    function = lab.put("app.handler", "templated", tmp_path / "code", Layers=[layer])
    put_resource(service, VERSION, {"FunctionName": "templated"})
    lab.put("app.handler", "templated", tmp_path / "code", Layers=[layer], Description="changed")
    put_resource(service, VERSION, {"FunctionName": "templated"})
    weights = {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 0.5}]}
    alias = {"FunctionName": "templated", "Name": "live", "FunctionVersion": "1", "RoutingConfig": weights}
    put_resource(service, ALIAS, alias)
    assert service.registry.find("templated")[0].aliases["live"].weights == {"2": 0.5}
    put_resource(service, EVENT_CONFIG, {"FunctionName": "templated", "Qualifier": "live", "MaximumRetryAttempts": 0})
    assert json.loads(lab.invoke(function.arn + ":live").payload) == "layer"
    assert service.registry.find("templated")[0].event_configs["live"].retries == 0


def test_what_names_nothing_is_refused(lab: Any) -> None:
    for kind, properties in (
        (VERSION, {"FunctionName": "nobody"}),
        (ALIAS, {"FunctionName": "nobody", "Name": "a", "FunctionVersion": "1"}),
        (EVENT_CONFIG, {"FunctionName": "nobody"}),
        (LAYER, {"LayerName": "x"}),
    ):
        with pytest.raises(AwsError):
            put_resource(lab.service, kind, properties)


def test_permissions_by_every_form_of_a_name() -> None:
    permissions = [{"FunctionName": name} for name in ("f", ARN, ARN + ":live", "f:1", "g", ARN + "g", "no name", None)]
    assert permissions_of("f", permissions, Place()) == permissions[:4]


def test_a_layer_is_shared_by_the_template(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    layers = lab.service.deployment.layers
    put_resource(lab.service, LAYER, {"LayerName": "given-away"}, tmp_path / "layer")
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:given-away:1"
    everyone = {"LayerVersionArn": arn, "Action": "lambda:GetLayerVersion", "Principal": "*", "OrganizationId": "o-1"}
    put_resource(lab.service, LAYER_PERMISSION, everyone, physical_id="share")
    (statement,) = layers.find(arn).statements
    assert (statement["Sid"], statement["Principal"], statement["Resource"]) == ("share", "*", arn)
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    assert layers.policy(arn) is not None
    for wrong in (
        {**everyone, "Principal": "210987654321"},
        {**everyone, "Action": "lambda:InvokeFunction"},
        {**everyone, "Principal": None},
        {**everyone, "LayerVersionArn": f"{arn}7"},
    ):
        with pytest.raises(AwsError):
            put_resource(lab.service, LAYER_PERMISSION, wrong, physical_id="wrong")
    assert len(layers.find(arn).statements) == 1


def test_destinations_that_are_not_here_are_told_and_stop_nothing(own_lab: Any) -> None:
    service = own_lab.service
    own_lab.put("app.hello", "told")
    bucket, topic = "arn:aws:s3:::failures", "kafka://failures"
    put_resource(
        service, EVENT_CONFIG, {"FunctionName": "told", "DestinationConfig": {"OnFailure": {"Destination": bucket}}}
    )
    kafka = {
        "FunctionName": "told",
        "EventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/c/1",
        "DestinationConfig": {"OnFailure": {"Destination": topic}},
    }
    put_resource(service, EVENT_SOURCE, kafka, physical_id="a")
    own = {"FunctionName": "told", "SelfManagedEventSource": {"Endpoints": {}}, "Topics": ["t"]}
    put_resource(service, EVENT_SOURCE, own, physical_id="b")
    stream = {
        "FunctionName": "told",
        "EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-11-28T00:00:00.000",
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": {"Destination": bucket}},
    }
    with pytest.raises(AwsError, match="Stream not found"):  # it comes to the stream itself; a lab has no table
        put_resource(service, EVENT_SOURCE, stream, physical_id="c")
    assert service.event_notes() == [
        f"told: what becomes of asynchronous events is not told to {bucket} here",
        f"told: nothing reads the event source {kafka['EventSourceArn']} here",
        "told: nothing reads the event source of a Kafka cluster here",
        f"told: what becomes of batches that fail is not told to {bucket} here",
    ]
