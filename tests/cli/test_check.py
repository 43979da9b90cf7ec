"""`trine check` with what the traffic of the running stack showed, and its SARIF."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.cli.conftest import StartUp, trine

SCANNING = """

def handler(event, context):
    import boto3, json, os
    found = boto3.client("dynamodb").scan(TableName=os.environ["TABLE_NAME"], ConsistentRead=True)
    return {"statusCode": 200, "body": json.dumps(found["Count"])}
"""


def test_parameters_are_given_as_to_up(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    table = "Type: AWS::Serverless::SimpleTable, Properties: {TableName: !Ref Who}"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\nParameters: {Who: {Type: String}}\nResources: {T: {" + table + "}}\n"
    )
    without = trine("check", tmp_path)
    assert (without.returncode, "parameter Who has no value" in without.stderr) == (2, True)
    assert trine("check", tmp_path, "-P", "Who=me").returncode == 0
    assert trine("check", tmp_path, "-P", "nonsense").returncode == 2


def test_traffic_shows_what_the_text_cannot(up: StartUp, project: Path) -> None:
    (project / "src" / "profiles" / "public.py").write_text(SCANNING)
    template = project / "template.yaml"
    text = template.read_text()
    at = text.index("PublicProfile:")
    template.write_text(text[:at] + text[at:].replace("DynamoDBReadPolicy", "DynamoDBCrudPolicy"))
    running: Any = up()
    address = next(api for api in running.description["apis"] if api["kind"] == "HTTP")["stages"][0]["pathUrl"]
    for _ in range(2):
        with urllib.request.urlopen(f"{address}profiles/ada", timeout=20) as answer:
            assert answer.read() == b"0"
    text_form = trine("check", project)
    assert text_form.returncode == 1
    assert "PublicProfile scanned" in text_form.stdout
    assert " 2 times while somebody waited" in text_form.stdout
    sarif = json.loads(trine("check", project, "--format", "sarif").stdout)
    (run,) = sarif["runs"]
    assert sarif["version"] == "2.1.0"
    assert run["tool"]["driver"]["name"] == "trine"
    places = {
        (one["ruleId"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for one in run["results"]
    }
    assert ("dynamodb/scan-in-request-path", "src/profiles/public.py") in places
    assert ("dynamodb/scan-in-request-path", "template.yaml") in places
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    without = json.loads(trine("check", project, "--json", "--no-observed").stdout)
    assert len(without) == len(run["results"]) - 1
    assert running.stop() == 0
