"""A running function wing for the tests: one service on one event loop, shared, driven step by step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.awslambda.mailbox import Mailbox
from tests.own_runtime import OWN_RUNTIME
from trine.aws.arn import Place
from trine.aws.ids import SystemIds
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.awslambda.environments.zygote import SandboxLayers
from trine.awslambda.function import Function
from trine.awslambda.neighbours import Neighbours
from trine.awslambda.service import Service
from trine.clock import SystemClock
from trine.http.loop import new_event_loop
from trine.iam.access import Access
from trine.trace import TraceBook

HANDLERS = Path(__file__).parent / "handlers"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Lab:
    """One service and the means to drive it."""

    def __init__(self, state: Path, **settings: Any) -> None:
        self.runner = asyncio.Runner(loop_factory=new_event_loop)
        self.trust = TRUST
        self.clock = SystemClock()
        self.ids = SystemIds()
        self.access = Access(self.clock, self.ids)
        self.role = self.access.put_role({"AssumeRolePolicyDocument": TRUST}, "function-role")
        self.traces = TraceBook(self.clock)
        self.place = Place()
        self.state = state
        self.mailbox = Mailbox()
        self.service = Service(
            self.clock,
            self.ids,
            self.access,
            self.place,
            self.traces,
            state,
            "http://127.0.0.1:9",
            neighbours=Neighbours(messenger=lambda: self.mailbox),
            **settings,
        )
        self.run(self._start())

    async def _start(self) -> None:
        self.service.start()
        await self.service.warm()

    def run(self, work: Coroutine[Any, Any, Any], timeout_seconds: float = 60) -> Any:
        """Run `work` on the lab's loop to its end."""
        return self.runner.run(asyncio.wait_for(work, timeout_seconds))

    @property
    def layers(self) -> SandboxLayers:
        """What isolates functions here."""
        return self.service.machinery.interpreters.own.layers

    def put(self, handler: str, name: str | None = None, code: Path = HANDLERS, **properties: Any) -> Function:
        """A function for `handler` (`app.hello`), named after it unless `name` is given."""
        permissions = properties.pop("permissions", ())
        given = {
            "FunctionName": name or handler.replace(".", "-"),
            "Handler": handler,
            "Runtime": OWN_RUNTIME,
            "Role": self.role,
            "Timeout": 20,  # AWS's three seconds are short on a busy machine; who tests them says so
            **properties,
        }

        async def inside() -> Function:
            return self.service.deployment.put_function(given, code, permissions)

        function: Function = self.run(inside())
        return function

    def invoke(self, name: str, event: Any = None, **members: Any) -> InvokeResponse:
        """Invoke and wait."""
        return self.run(self.send(name, event, **members))

    async def send(self, name: str, event: Any = None, **members: Any) -> InvokeResponse:
        """Invoke, inside the loop."""
        payload = json.dumps({} if event is None else event).encode()
        return await self.service.invoke(InvokeRequest(name, payload, **members))

    def call(self, handler: str, event: Any = None, **properties: Any) -> Any:
        """Put, invoke, and the result as JSON; the function must not fail."""
        function = self.put(handler, **properties)
        response = self.invoke(function.name, event)
        assert response.function_error is None, response.payload
        return json.loads(response.payload)

    def error(self, handler: str, event: Any = None, **properties: Any) -> dict[str, Any]:
        """Put, invoke, and the error value; the function must fail."""
        function = self.put(handler, **properties)
        response = self.invoke(function.name, event)
        assert response.function_error == "Unhandled", response.payload
        error: dict[str, Any] = json.loads(response.payload)
        return error

    def log(self, name: str, request_id: str | None = None) -> str:
        """The function's log as text."""
        return "".join(event.message for event in self.service.registry.log(name).events(request_id=request_id))

    def close(self) -> None:
        """End everything."""
        self.run(self.service.close())
        self.runner.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The shared lab; tests use function names of their own where state matters."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


@pytest.fixture
def bare_lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab whose functions run with no layer of isolation, as on a system that offers none."""
    made = Lab(tmp_path, sandboxed=False)
    yield made
    made.close()


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab for one test that ends or breaks things."""
    made = Lab(tmp_path)
    yield made
    made.close()
