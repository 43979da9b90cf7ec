"""Versions and aliases: what a qualifier runs, by weight where an alias says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trine.awslambda.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from trine.awslambda.registry import Alias


def test_versions_stay_as_they_were_published(lab: Any) -> None:
    lab.put("app.variables", "versioned", Environment={"Variables": {"WHICH": "one"}})
    assert lab.service.deployment.put_version("versioned").version == "1"
    assert lab.service.deployment.put_version("versioned").version == "1"
    lab.put("app.variables", "versioned", Environment={"Variables": {"WHICH": "two"}})
    assert lab.service.deployment.put_version("versioned").version == "2"
    lab.service.deployment.put_alias("versioned", "live", "1")
    seen = {
        name: json.loads(lab.invoke(name).payload)["WHICH"]
        for name in ("versioned", "versioned:1", "versioned:2", "versioned:live", "versioned:$LATEST")
    }
    assert seen == {
        "versioned": "two",
        "versioned:1": "one",
        "versioned:2": "two",
        "versioned:live": "one",
        "versioned:$LATEST": "two",
    }
    response = lab.invoke("versioned", qualifier="live")
    assert (response.executed_version, json.loads(response.payload)["AWS_LAMBDA_FUNCTION_VERSION"]) == ("1", "1")
    lab.service.deployment.put_alias("versioned", "live", "2")
    assert json.loads(lab.invoke("versioned:live").payload)["WHICH"] == "two"


def test_the_context_has_the_arn_that_was_invoked(lab: Any) -> None:
    function = lab.put("app.describe_context", "qualified")
    lab.service.deployment.put_version("qualified")
    lab.service.deployment.put_alias("qualified", "live", "1")
    for name, arn in (("qualified:live", ":live"), ("qualified:1", ":1"), ("qualified", "")):
        assert json.loads(lab.invoke(name).payload)["invoked_function_arn"] == function.arn + arn


def test_weights(lab: Any) -> None:
    lab.put("app.variables", "weighted")
    lab.service.deployment.put_version("weighted")
    lab.put("app.variables", "weighted", Timeout=9)
    lab.service.deployment.put_version("weighted")
    lab.service.deployment.put_alias("weighted", "canary", "1", {"2": 0.5})
    versions = {lab.invoke("weighted:canary").executed_version for _ in range(40)}
    assert versions == {"1", "2"}


def test_what_is_not_there(lab: Any) -> None:
    lab.put("app.hello", "plain")
    for name in ("plain:7", "plain:absent"):
        with pytest.raises(ResourceNotFound):
            lab.invoke(name)
    with pytest.raises(ResourceNotFound):
        lab.service.deployment.put_alias("plain", "live", "9")
    with pytest.raises(InvalidParameterValue):
        lab.invoke("plain:$LATEST", qualifier="1")
    lab.service.deployment.put_version("plain")
    with pytest.raises(InvalidParameterValue):
        lab.service.deployment.put_alias("plain", "live", "1", {"$LATEST": 1.5})
    lab.service.registry.put_alias("plain", Alias("once", "1"), create=True)
    with pytest.raises(ResourceConflict):
        lab.service.registry.put_alias("plain", Alias("once", "1"), create=True)
    lab.service.registry.remove_alias("plain", "once")
    with pytest.raises(ResourceNotFound):
        lab.invoke("plain:once")
