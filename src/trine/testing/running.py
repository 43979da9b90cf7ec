"""A stack for the length of a test: `with running("template.yaml") as stack: …`.

Enters a template and settings, leaves a `RunningStack` whose event loop runs in a thread of its own, so that tests use
ordinary, blocking clients. Everything ends with the `with` block.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from trine.aws.arn import Place
from trine.clock import Clock, ManualClock, SystemClock
from trine.cloudformation.discovery import find_template
from trine.cloudformation.template import load_template
from trine.console.door import ConsoleDoor
from trine.dynamodb.consistency.lag import Lag
from trine.http.loop import new_event_loop
from trine.metering.period import minute_at
from trine.metering.usage import root_of
from trine.stack.observing import Books
from trine.stack.settings import Settings
from trine.stack.stack import Stack
from trine.stack.state import secret_key

START_TIMEOUT_SECONDS = 360.0
"""A first start installs what functions ask for."""
CALL_TIMEOUT_SECONDS = 30.0
CLOSING_STEP_SECONDS = 0.05
Result = TypeVar("Result")


class RunningStack:
    """A stack that runs in this process. URLs have no trailing slash."""

    def __init__(self, stack: Stack, loop: asyncio.AbstractEventLoop) -> None:
        self.stack = stack
        self._loop = loop
        self.url = stack.front_url
        """The front door: the first API as under its default stage."""
        self.aws_url = stack.aws_url
        self.dynamodb_url = stack.dynamodb_url
        self.description: Mapping[str, Any] = stack.description()

    def call(self, function: Callable[[], Result]) -> Result:
        """Run `function` on the stack's event loop and wait for its result."""

        async def run() -> Result:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(CALL_TIMEOUT_SECONDS)

    def advance(self, seconds: float) -> None:
        """Move the stack's clock forward; it must have been started with a ManualClock."""
        clock = self.stack.wings.clock
        assert isinstance(clock, ManualClock), "start the stack with clock=ManualClock() to move its time"
        self.call(lambda: clock.advance(seconds))

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        """What lies in a queue (nothing is received), or the latest that a topic took: body, attributes, time."""
        return self.call(lambda: self.stack.wings.eventing.messages(arn))

    def explain(self, request_id: str) -> Mapping[str, Any] | None:
        """What happened to a request, as `trine explain --json` shows it; None when the id is unknown."""

        def look() -> Mapping[str, Any] | None:
            found = self.stack.wings.traces.find(request_id)
            if found is None:
                return None
            trace = root_of(found)
            return {**trace.as_document(), "receipt": self.stack.wings.observing.receipt_document(trace)}

        return self.call(look)

    def bill(self, by: str = "route", start: str = "30d", **only: str) -> Mapping[str, Any]:
        """The bill so far, as `trine bill --json` prints it; `only` keeps what has these names (`route=…`)."""

        def look() -> tuple[Books, float]:
            return self.stack.wings.observing.books(), self.stack.wings.clock.now()

        books, now = self.call(look)
        return books.bill(minute_at(start, now), minute_at("now", now), by, list(only.items()))

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the stack's owner for `service`; `options` are boto3's, and go before the stack's."""
        import boto3

        key = self.stack.wings.access.owner_credentials()
        usual = {
            "endpoint_url": self.aws_url,
            "region_name": self.stack.settings.place.region,
            "aws_access_key_id": key.access_key_id,
            "aws_secret_access_key": key.secret_access_key,
        }
        return boto3.client(service, **{**usual, **options})


@contextmanager
def running(
    template: Path | str,
    *,
    state_directory: Path | None = None,
    memory: bool = True,
    parameters: Mapping[str, str] | None = None,
    enforcement: Literal["enforce", "soft"] = "enforce",
    replica_lag_seconds: float | Lag = 0.0,
    item_collection_max_bytes: int = 10 * 1024**3,
    clock: Clock | None = None,
    stack_name: str | None = None,
    place: Place | None = None,
    otlp_endpoint: str | None = None,
    observe: Literal["all", "traces", "nothing"] = "all",
    receipt_header: bool = False,
    debug_function: str | None = None,
    vpc_neighbours: tuple[tuple[str, int], ...] = (),
) -> Iterator[RunningStack]:
    """Start the stack of `template` on free ports. TemplateFaults when it has faults.

    Without `state_directory` a temporary one is used and removed.
    """
    with tempfile.TemporaryDirectory(prefix="trine-") as temporary:
        found = find_template(template)
        settings = Settings(
            template=found.path,
            state_directory=state_directory or Path(temporary),
            stack_name=stack_name or found.stack_name,
            parameters={**found.parameter_overrides, **(parameters or {})},
            front_port=0,
            aws_port=0,
            dynamodb_port=0,
            memory=memory,
            enforcement=enforcement,
            replica_lag_seconds=replica_lag_seconds,
            item_collection_max_bytes=item_collection_max_bytes,
            place=place or Place(),
            otlp_endpoint=otlp_endpoint,
            observe=observe,
            receipt_header=receipt_header,
            debug_function=debug_function,
            vpc_neighbours=vpc_neighbours,
        )
        loop = new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="trine-stack", daemon=True)
        thread.start()
        try:
            starting = asyncio.run_coroutine_threadsafe(_start(settings, clock or SystemClock()), loop)
            stack = starting.result(START_TIMEOUT_SECONDS)
            try:
                yield RunningStack(stack, loop)
            finally:
                asyncio.run_coroutine_threadsafe(_close(stack), loop).result(START_TIMEOUT_SECONDS)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _start(settings: Settings, clock: Clock) -> Stack:
    state = settings.state_directory
    template = load_template(
        settings.template, settings.parameters, settings.stack_name, settings.place, state / "cache",
        partial(secret_key, state),
    )  # fmt: skip
    return await Stack.start(settings, template, lambda stack: ConsoleDoor(stack).handle, clock=clock)


async def _close(stack: Stack) -> None:
    """End the stack. Its graces are waits by its clock: one that stands still is moved, or they would never end."""
    closing = asyncio.ensure_future(stack.close())
    clock = stack.wings.clock
    while isinstance(clock, ManualClock) and not closing.done():
        await asyncio.wait([closing], timeout=CLOSING_STEP_SECONDS)
        clock.advance(CLOSING_STEP_SECONDS)
    await closing
