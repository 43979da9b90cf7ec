"""The libraries that people use on Lambda, unmodified: Powertools' batches, Mangum, a Go program with AWS's client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import HANDLERS

_HTTP = {
    "version": "2.0", "routeKey": "$default", "rawPath": "/users/7", "rawQueryString": "a=1", "body": "hello",
    "isBase64Encoded": False, "headers": {"host": "example.org"},
    "requestContext": {"http": {"method": "POST", "path": "/users/7", "sourceIp": "127.0.0.1", "userAgent": "x"},
                       "stage": "$default", "domainName": "example.org"},
}  # fmt: skip


def test_powertools_reports_the_records_that_failed(lab: Any) -> None:
    records = [
        {"messageId": str(number), "body": body, "eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
        for number, body in enumerate(["good", "bad", "good"])
    ]
    answer = lab.call("partners.batch", {"Records": records}, Timeout=10, MemorySize=512)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_mangum_serves_an_asgi_application(lab: Any) -> None:
    answer = lab.call("partners.web", _HTTP, Timeout=10, MemorySize=512)
    assert (answer["statusCode"], answer["body"]) == (201, "POST /users/7?a=1 hello")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_a_go_program_with_awss_own_client(lab: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(HANDLERS / "main.go", source)
    env = {**os.environ, "CGO_ENABLED": "0"}
    for command in ("go mod init proof", "go mod tidy", f"go build -tags lambda.norpc -o {tmp_path}/bin/bootstrap ."):
        subprocess.run(command.split(), cwd=source, env=env, check=True, capture_output=True)
    go = {"code": tmp_path / "bin", "Runtime": "provided.al2023", "Timeout": 3}
    told = lab.call("bootstrap", {"do": "tell"}, name="go", **go)
    assert (told["name"], told["arn"].rpartition(":")[2]) == ("go", "go")
    assert 2_000 < told["left"] <= 3_000
    for do, error_type in (
        ("error", "errorString"),
        ("panic", "string"),
        ("exit", "Runtime.ExitError"),
        ("sleep", "Sandbox.Timedout"),
    ):
        response = lab.invoke("go", {"do": do})
        assert (response.function_error, json.loads(response.payload)["errorType"]) == ("Unhandled", error_type)
    assert json.loads(lab.invoke("go", {"do": "tell"}).payload)["name"] == "go"


POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>proof</groupId><artifactId>proof</artifactId><version>1</version><dependencies><dependency>
<groupId>com.amazonaws</groupId><artifactId>aws-lambda-java-runtime-interface-client</artifactId><version>2.6.0</version>
</dependency></dependencies></project>"""


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, ("java", "javac", "mvn"))), reason="Java or Maven is not installed")
def test_a_java_handler_from_its_built_package(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "pom.xml").write_text(POM)
    package = tmp_path / "package"
    for command in (
        f"mvn -q -B dependency:copy-dependencies -DoutputDirectory={package}/lib",
        f"javac -cp {package}/lib/* -d {package} {HANDLERS}/Proof.java",
    ):
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    java = {"code": package, "Runtime": "java17", "Timeout": 60, "MemorySize": 512}
    told = lab.call("Proof::handleRequest", {}, name="java", **java)
    assert told == {"calls": 1, "name": "java", "memory": 512}
    assert "told" in lab.log("java")
    for do, error_type in (("fail", "java.lang.IllegalStateException"), ("exit", "Runtime.ExitError")):
        response = lab.invoke("java", {"do": do})
        assert (response.function_error, json.loads(response.payload)["errorType"]) == ("Unhandled", error_type)
