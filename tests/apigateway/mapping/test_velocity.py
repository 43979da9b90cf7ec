"""Random templates, and what Apache Velocity 1.7 with Jayway's JsonPath wrote for them.

`velocity.json` was recorded from the Java engine with `directive.set.null.allowed` and null written as nothing, as API
Gateway does. The templates were drawn at random from Velocity's grammar and `$input`, `$util`, `$stageVariables`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from trine.apigateway.exchange import Exchange
from trine.apigateway.mapping.template import Template
from trine.apigateway.mapping.variables import UTIL, Input

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("velocity.json").read_text("utf-8"))
NO_REQUEST = cast(Exchange, None)  # the templates ask for no parameters


@pytest.mark.parametrize("number", range(len(RECORDED["templates"])))
def test_as_velocity(number: int) -> None:
    source, written = RECORDED["templates"][number]
    variables = {
        "input": Input(NO_REQUEST, orjson.dumps(RECORDED["body"])),
        "util": UTIL,
        "stageVariables": dict(RECORDED["stageVariables"]),
    }
    assert Template(source).render(variables) == written
