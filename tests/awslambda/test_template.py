"""Lambda resources of a template other than functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.awslambda.template import ALIAS, EVENT_CONFIG, LAYER, VERSION, permissions_of, put_resource

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
