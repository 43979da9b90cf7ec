"""One running profiles example for each module of scenarios, and small ways to talk to it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.waiting import wait_until
from trine.testing import RunningStack, running

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "profiles"


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def http(method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One HTTP request; `body` is sent as JSON unless it is bytes already."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def environments(stack: RunningStack) -> int:
    """How many environments live, of all functions."""
    functions = stack.stack.wings.functions
    return stack.call(
        lambda: sum(
            len(functions.registry.describe_environments(function.name))
            for function in functions.deployment.functions()
        )
    )


def wait_for_environments(stack: RunningStack, count: int) -> None:
    """Processes start and die in their own time, not by the stack's clock."""
    wait_until(lambda: environments(stack) == count, f"{count} environments")


@pytest.fixture(scope="module")
def profiles() -> Iterator[RunningStack]:
    """The example of the README, in memory."""
    with running(EXAMPLE) as stack:
        yield stack


class Application:
    """A template and its handlers, written by a test into a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "src").mkdir()

    def write(self, template: str, **handlers: str) -> Path:
        """Write `template.yaml` and `src/<name>.py` for each handler; the template's path."""
        for name, source in handlers.items():
            (self.directory / "src" / f"{name}.py").write_text(source)
        path = self.directory / "template.yaml"
        path.write_text(template)
        return path


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """An empty application."""
    return Application(tmp_path)
