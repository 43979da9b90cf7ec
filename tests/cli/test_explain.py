"""`trine explain` of a refusal: what is missing, and where in the template it would go."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.cli.conftest import StartUp, trine


def test_a_missing_right_is_named_with_its_place_in_the_template(up: StartUp, project: Path) -> None:
    template = project / "template.yaml"
    template.write_text(template.read_text().replace("Action: dynamodb:PutItem", "Action: dynamodb:GetItem"))
    running: Any = up()
    body = b'{"id": "ada", "name": "Ada", "email": "ada@example.com"}'
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{running.url}/users", body, method="POST"), timeout=20)
    request_id = refused.value.headers["x-amzn-requestid"]
    told = trine("explain", request_id, "--state", running.state).stdout
    assert "is not authorized to perform: dynamodb:PutItem on resource:" in told
    lines = template.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if line.strip() == "CreateProfile:")
    policies = next(number for number, line in enumerate(lines, 1) if number > at and line.strip() == "Policies:")
    assert f"in the policies of CreateProfile: {template}:{policies}:7" in told
    assert "  - Effect: Allow\n    Action: dynamodb:PutItem\n    Resource: !GetAtt ProfilesTable.Arn" in told, (
        "in the template's own words"
    )
    assert running.stop() == 0
