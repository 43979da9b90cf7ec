"""The same handlers on Trine's Python client and on AWS's own, `awslambdaric`: the same answers, errors and log lines.

AWS's client runs as a custom runtime here, where records of `logging` pass through the standard output: one record of
several lines is several events. On AWS it is one (`_LAMBDA_TELEMETRY_LOG_FD`), as with Trine's client.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

HANDLERS = Path(__file__).parents[1] / "handlers"
HIDDEN = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
)
PLATFORM = ("START", "END", "REPORT", "INIT_", "Traceback", " ", "\n", "RequestId", "\u00a0")
CONTEXT = {"custom": {"a": 1}, "client": {"app_title": "t"}, "w3c": {"traceparent": "00-1", "x": "y"}}
RESULTS = (
    "named tuples", "as dictionary", "bytes as keys", "keys of all kinds", "a key that is none", "decimals",
    "no numbers", "ordered", "tuples", "text", "a lone surrogate", "numbers", "a set", "a date", "an identifier",
    "a generator", "an instance", "broken bytes", "raw",
)  # fmt: skip


class Twins:
    """One handler on both clients."""

    def __init__(self, lab: Any, folder: Path) -> None:
        self.lab = lab
        for name in ("peculiar.py", "broken_import.py", "broken_init.py"):
            shutil.copy(HANDLERS / name, folder)
        runtime = f'exec {sys.executable} -m awslambdaric "$_HANDLER"'
        script = f"#!/bin/sh\nexport AWS_EXECUTION_ENV=AWS_Lambda_python3.11\n{runtime}\n"
        (folder / "bootstrap").write_text(script)
        (folder / "bootstrap").chmod(0o755)
        self.folder = folder

    def run(self, runtime: str, handler: str, events: list[Any], **properties: Any) -> list[Any]:
        """For each event: payload, function error, the function's lines of the log, with ids and times hidden."""
        name = f"{runtime.partition('.')[0]}-{handler.replace('.', '-')}"
        self.lab.put(handler, name, self.folder, Runtime=runtime, Timeout=20, MemorySize=256, **properties)
        client_context = base64.b64encode(json.dumps(CONTEXT).encode()).decode()
        told = []
        for event in events:
            response = self.lab.invoke(name, event, client_context=client_context)
            payload = response.payload.decode("utf-8", "backslashreplace")
            lines = self.lab.log(name, response.request_id).splitlines()
            kept = [line for line in lines if line and not line.startswith(PLATFORM) and '"platform.' not in line]
            told.append((hidden(payload), response.function_error, [hidden(line) for line in kept]))
        self.lab.run(self.lab.service.deployment.delete_function(name))
        return told

    def both(self, handler: str, events: list[Any], **properties: Any) -> tuple[list[Any], list[Any]]:
        """What both make of it."""
        ours = self.run("python3.11", handler, events, **properties)
        return ours, self.run("provided.al2023", handler, events, **properties)


def hidden(text: str) -> str:
    """The text without ids and times."""
    for pattern, word in HIDDEN:
        text = re.sub(pattern, word, text)
    return text


@pytest.fixture
def twins(lab: Any, tmp_path: Path) -> Twins:
    return Twins(lab, tmp_path)


@pytest.mark.slow
def test_results(twins: Twins) -> None:
    ours, theirs = twins.both("peculiar.result", list(RESULTS))
    assert dict(zip(RESULTS, ours, strict=True)) == dict(zip(RESULTS, theirs, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "handler",
    [
        "peculiar.circle", "peculiar.several_lines", "peculiar.chained", "peculiar.misformatted",
        "peculiar.unprintable", "peculiar.levels", "peculiar.records", "peculiar.streams", "peculiar.context_shown",
        "peculiar.absent", "broken_import.handler", "broken_init.handler", "nodot",
    ],
)  # fmt: skip
def test_errors_and_lines(twins: Twins, handler: str) -> None:
    (ours,), (theirs,) = twins.both(handler, [{}])
    if handler in ("peculiar.misformatted", "peculiar.unprintable"):  # their traces end inside the clients
        ours, theirs = (
            (json.loads(ours[0])["errorMessage"], ours[1]),
            (json.loads(theirs[0])["errorMessage"], theirs[1]),
        )
    assert ours == theirs


@pytest.mark.slow
@pytest.mark.parametrize(
    "handler", ["peculiar.levels", "peculiar.records", "peculiar.several_lines", "peculiar.absent"]
)
def test_json_logs(twins: Twins, handler: str) -> None:
    (ours,), (theirs,) = twins.both(handler, [{}], LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"})
    assert (ours[:2], *map(parsed, ours[2])) == (theirs[:2], *map(parsed, theirs[2]))


def parsed(line: str) -> Any:
    """A line of JSON as the value it holds."""
    return json.loads(line) if line.startswith("{") else line


@pytest.mark.parametrize("handler", ["peculiar.unspeakable", "peculiar.no_text"])
def test_errors_that_cannot_be_told_end_the_runtime(lab: Any, handler: str) -> None:
    error = lab.error(handler, {})
    assert (error["errorType"], error["errorMessage"].partition("Error: ")[2]) == (
        "Runtime.ExitError",
        "Runtime exited with error: exit status 1",
    )


def test_a_record_of_the_log_is_one_event_however_it_is_formatted(lab: Any) -> None:
    lab.call("peculiar.own_format", {}, name="own-format")
    written = [event.message for event in lab.service.registry.log("own-format").events()]
    assert [line for line in written if "of root" in line] == [
        "WARNING of root: first\n",
        "WARNING of root: second\nline\n",
    ]
