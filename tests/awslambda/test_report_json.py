"""The platform's lines as JSON, as far as SystemLogLevel lets them through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trine.aws.errors import AwsError


def records(lab: Any, name: str, request_id: str) -> dict[str, dict[str, Any]]:
    """The records of an invocation by their type."""
    lines = [json.loads(line) for line in lab.log(name, request_id).splitlines() if '"type":"platform' in line]
    return {line["type"]: line["record"] for line in lines}


def test_start_and_report(lab: Any) -> None:
    lab.put("app.hello", "json-system", LoggingConfig={"LogFormat": "JSON"})
    answer = lab.invoke("json-system", tail_log=True)
    found = records(lab, "json-system", answer.request_id)
    assert found["platform.start"] == {"requestId": answer.request_id, "version": "$LATEST"}
    report = found["platform.report"]
    assert report["status"] == "success"
    assert report["metrics"]["memorySizeMB"] == 128
    assert report["metrics"]["billedDurationMs"] >= report["metrics"]["durationMs"]
    assert "platform.runtimeDone" not in found
    assert b"platform.report" in answer.log_tail


@pytest.mark.parametrize(
    ("level", "kinds"),
    [("DEBUG", {"platform.start", "platform.runtimeDone", "platform.report"}), ("WARN", set())],
)
def test_levels(lab: Any, level: str, kinds: set[str]) -> None:
    name = f"json-{level.lower()}"
    lab.put("app.hello", name, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level})
    assert set(records(lab, name, lab.invoke(name).request_id)) == kinds


def test_a_failure_is_a_warning(lab: Any) -> None:
    config = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    lab.put("app.sleep", "json-timeout", Timeout=1, LoggingConfig=config)
    answer = lab.invoke("json-timeout", {"seconds": 5})
    found = records(lab, "json-timeout", answer.request_id)
    assert found["platform.report"]["status"] == "timeout"
    assert found["platform.report"]["metrics"]["durationMs"] >= 1_000


def test_levels_that_are_refused(lab: Any) -> None:
    for config in ({"LogFormat": "XML"}, {"SystemLogLevel": "INFO"}, {"LogFormat": "JSON", "SystemLogLevel": "LOUD"}):
        with pytest.raises(AwsError, match="LoggingConfig"):
            lab.put("app.hello", "never-logs", LoggingConfig=config)
