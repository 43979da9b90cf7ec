"""Execution logs: levels by method, data only where it is asked for, credentials never in full."""

from __future__ import annotations

from typing import Any

import pytest

GROUP = "API-Gateway-Execution-Logs_rest01/Prod"


@pytest.fixture
def logged(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    def make(*settings: dict[str, Any], **more: Any) -> tuple[Any, list[tuple[str, str]]]:
        lines: list[tuple[str, str]] = []
        stage = {"StageName": "Prod", "MethodSettings": list(settings)}
        paths = {
            "/x/{id}": {"post": lambda_proxy(**more), "get": lambda_proxy()},
            "/mock": {
                "get": {
                    "x-amazon-apigateway-integration": {
                        "type": "mock",
                        "requestTemplates": {"application/json": '{"statusCode": 200}'},
                        "responses": {"default": {"statusCode": "200"}},
                    }
                }
            },
        }
        door = make_door(rest(paths, stages=[stage]), access_log=lambda group, line: lines.append((group, line)))
        return door, lines

    return make


def every(level: str, *, data: bool = False) -> dict[str, Any]:
    return {"HttpMethod": "*", "ResourcePath": "/*", "LoggingLevel": level, "DataTraceEnabled": data}


def texts(lines: list[tuple[str, str]]) -> list[str]:
    """The lines without the request id in front."""
    return [line.partition(") ")[2] for _, line in lines]


def test_info(logged: Any, function_arn: str) -> None:
    door, lines = logged(every("INFO"))
    door.call("POST", "/x/7?a=1", {"X-Secret": "s3cret"}, b"body text")
    assert {group for group, _ in lines} == {GROUP}
    request_id = door.invoker.event["requestContext"]["requestId"]
    assert all(line.startswith(f"({request_id}) ") for _, line in lines)
    told = texts(lines)
    assert told[2:6] == [
        f"Starting execution for request: {request_id}",
        "HTTP Method: POST, Resource Path: /x/7",
        "Method request path: {id=7}",
        "Method request query string: {a=1}",
    ]
    assert f"Sending request to {function_arn}" in told
    assert any(line.startswith("Received response. Status: 200, Integration latency: ") for line in told)
    assert told[-2:] == ["Successfully completed execution", "Method completed with status: 200"]
    assert not any("s3cret" in line or "body text" in line for line in told)


def test_data_trace(logged: Any) -> None:
    door, lines = logged(every("INFO", data=True))
    headers = {"X-Api-Key": "abcdefghijklmnopqrst", "Authorization": "short", "X-Plain": "seen"}
    door.call("POST", "/x/7", headers, b"z" * 2_000 + b"\nforged")
    told = "\n".join(texts(lines))
    assert "X-Api-Key=**************opqrst" in told
    assert "Authorization=*****," in told
    assert "X-Plain=seen" in told
    assert "Method request body before transformations: " + "z" * 1_024 + " [TRUNCATED]" in told
    assert "Endpoint response body before transformations: " in told
    assert "Method response body after transformations: hello" in told


def test_error_tells_only_what_failed(logged: Any) -> None:
    door, lines = logged(every("ERROR", data=True))
    door.call("POST", "/x/7")
    assert lines == []
    door.invoker.answer = {"nonsense": 1}
    assert door.call("POST", "/x/7", body=b"quiet").status == 502
    told = texts(lines)
    assert told[-1] == "Method completed with status: 502"
    assert any("malformed Lambda proxy response" in line for line in told)
    assert not any("quiet" in line for line in told)


def test_the_most_specific_setting_counts(logged: Any) -> None:
    off = {"HttpMethod": "GET", "ResourcePath": "/~1x~1{id}", "LoggingLevel": "OFF"}
    only = {"HttpMethod": "GET", "ResourcePath": "/~1mock", "LoggingLevel": "INFO"}
    door, lines = logged(only)
    door.call("GET", "/x/1")
    door.call("GET", "/nowhere")
    assert lines == []
    door.call("GET", "/mock")
    assert texts(lines)[-1] == "Method completed with status: 200"
    door, lines = logged(every("INFO"), off)
    door.call("GET", "/x/1")
    assert lines == []
    door.call("GET", "/nowhere")
    assert texts(lines)[-1] == "Method completed with status: 403"


def test_lines_stay_lines(logged: Any) -> None:
    door, lines = logged(every("INFO", data=True))
    door.call("POST", "/x/a%0Db?q=%0Aforged", body=b"a\nb")
    assert not any("\n" in line or "\r" in line for _, line in lines)
