"""Provisioned concurrency: environments are there before the first call, are replaced, and follow their alias."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from trine.awslambda import template
from trine.awslambda.errors import InvalidParameterValue, ProvisionedConcurrencyConfigNotFound, ResourceConflict


def states(lab: Any, name: str) -> list[str]:
    return sorted(each["state"] for each in lab.service.registry.describe_environments(name))


@pytest.fixture
def published(lab: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A function with version 1 and the alias `live` on it."""
    name = "kept-" + request.node.name[5:40]
    lab.put("app.variables", name)
    lab.service.deployment.put_version(name)
    lab.service.deployment.put_alias(name, "live", "1")
    yield name
    lab.run(lab.service.deployment.delete_function(name))


async def inside(work: Callable[[], Any]) -> Any:
    """Do it on the lab's loop."""
    return work()


def provision(lab: Any, name: str, qualifier: str, units: int) -> Any:
    return lab.run(inside(lambda: lab.service.provisioned.put(name, qualifier, units)))


def test_environments_are_ready_before_the_first_call(lab: Any, published: str) -> None:
    begun = provision(lab, published, "live", 2)
    assert (begun.status, begun.requested, begun.arn.rpartition(":")[2]) == ("IN_PROGRESS", 2, "live")
    lab.run(until(lambda: lab.service.provisioned.get(published, "live").status == "READY"))
    assert states(lab, published) == ["idle", "idle"]
    seen = json.loads(lab.invoke(published, qualifier="live").payload)
    assert seen["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    assert "Init Duration" not in lab.log(published)
    assert json.loads(lab.invoke(published).payload)["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    found = lab.service.provisioned.get(published, "live")
    assert (found.allocated, found.available) == (2, 2)


def test_one_that_dies_is_replaced_and_none_is_left_after_removal(lab: Any, published: str) -> None:
    provision(lab, published, "live", 1)
    lab.run(until(lambda: states(lab, published) == ["idle"]))
    first = lab.service.registry.describe_environments(published)[0]["id"]
    lab.run(inside(lambda: next(iter(lab.service.registry.find(published)[0].pools["1"].environments)).end()))

    def is_replaced() -> bool:
        return states(lab, published) == ["idle"] and (
            lab.service.registry.describe_environments(published)[0]["id"] != first
        )

    lab.run(until(is_replaced))
    lab.run(inside(lambda: lab.service.provisioned.remove(published, "live")))
    lab.run(until(lambda: states(lab, published) == []))
    with pytest.raises(ProvisionedConcurrencyConfigNotFound):
        lab.service.provisioned.get(published, "live")


def test_they_follow_the_alias(lab: Any, published: str) -> None:
    provision(lab, published, "live", 1)
    lab.put("app.variables", published, Timeout=9)
    lab.service.deployment.put_version(published)

    lab.run(inside(lambda: lab.service.deployment.put_alias(published, "live", "2")))
    entry = lab.service.registry.find(published)[0]
    lab.run(until(lambda: [e.state.value for e in entry.pools["2"].environments] == ["idle"]))
    lab.run(until(lambda: not entry.pools["1"].environments))


def test_an_init_that_fails_is_told(lab: Any) -> None:
    lab.put("broken_init.handler", "kept-broken")
    lab.service.deployment.put_version("kept-broken")
    provision(lab, "kept-broken", "1", 1)
    lab.run(until(lambda: lab.service.provisioned.get("kept-broken", "1").status == "FAILED"))
    assert lab.service.provisioned.get("kept-broken", "1").reason == "FUNCTION_ERROR_INIT_FAILURE"
    lab.run(lab.service.deployment.delete_function("kept-broken"))


def test_what_is_refused(lab: Any, published: str) -> None:
    for qualifier, units, error in (
        (None, 1, InvalidParameterValue),
        ("live", 0, InvalidParameterValue),
        ("live", 901, InvalidParameterValue),
    ):
        with pytest.raises(error):
            lab.service.provisioned.put(published, qualifier, units)
    provision(lab, published, "live", 1)
    with pytest.raises(ResourceConflict):
        lab.service.provisioned.put(published, "1", 1)
    assert [each.qualifier for each in lab.service.provisioned.list(published)] == ["live"]


def test_a_template_asks_for_it(lab: Any, published: str, tmp_path: Path) -> None:
    async def put() -> None:
        given = {"FunctionName": published, "Name": "busy", "FunctionVersion": "1"}
        more = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": "1"}}
        template.put_resource(lab.service, template.ALIAS, {**given, **more})

    lab.run(put())
    assert lab.service.provisioned.get(published, "busy").requested == 1
