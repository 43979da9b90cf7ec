"""What pollers share: the function they invoke, and whom they tell about batches that were given up.

Enters an event, leaves an `Invoked`: what the function answered, or why it did not run.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Callable
from typing import NamedTuple

from trine.aws.actor import Actor
from trine.aws.errors import AwsError
from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.aws.queues import Messenger, Outgoing
from trine.awslambda.errors import ResourceNotFound
from trine.awslambda.registry import Registry

_LOGGER = logging.getLogger(__name__)
NOTHING = "No records processed"
OK = "OK"
FAILED = "PROBLEM: Function call failed"


class Invoked(NamedTuple):
    """One invocation: `response`, or `refused` when the function did not run (`throttled`: it may later)."""

    response: InvokeResponse | None
    refused: AwsError | None = None

    @property
    def succeeded(self) -> bool:
        """The function ran and did not fail."""
        return self.response is not None and self.response.function_error is None


class Target:
    """The function of one mapping, with the rights of its role."""

    def __init__(
        self,
        function: str,
        registry: Registry,
        invoke: Callable[[InvokeRequest], Future[InvokeResponse]],
        messenger: Messenger | None,
        on_failure: str | None,
        source: str,
    ) -> None:
        self._source = source
        """ARN of the stream or queue."""
        self._function = function
        self._registry = registry
        self._invoke = invoke
        self._messenger = messenger
        self._on_failure = on_failure
        self.last_result = NOTHING
        """`LastProcessingResult` of the mapping."""

    @property
    def arn(self) -> str:
        """The function's ARN with the qualifier it was given. ResourceNotFound."""
        entry, qualifier = self._registry.find(self._function)
        return entry.function.arn if qualifier is None else f"{entry.function.arn}:{qualifier}"

    @property
    def timeout_seconds(self) -> int:
        """The function's timeout. ResourceNotFound."""
        return self._registry.function(self._function).timeout_seconds

    def actor(self) -> Actor:
        """Lambda with the function's role. ResourceNotFound."""
        function = self._registry.function(self._function)
        return Actor("lambda.amazonaws.com", function.arn, function.role_arn, function.name)

    async def invoke(self, event: bytes) -> Invoked:
        """Run the function with `event`."""
        try:
            response = await self._invoke(InvokeRequest(self._function, event, source=self._source))
        except AwsError as error:
            self.last_result = f"PROBLEM: {error.message}"
            return Invoked(None, error)
        self.last_result = OK if response.function_error is None else FAILED
        return Invoked(response)

    async def tell(self, document: bytes) -> None:
        """Send what became of a batch to the on-failure destination; what cannot be sent is logged."""
        if self._on_failure is None:
            return
        if self._messenger is None:
            _LOGGER.warning(
                "a batch of %s was given up; no one takes messages for %s", self._function, self._on_failure
            )
            return
        try:
            message = Outgoing(self._on_failure, document.decode())
            await self._messenger.send(message, self.actor())
        except (AwsError, ResourceNotFound) as error:
            _LOGGER.warning("a batch of %s could not be told to %s: %s", self._function, self._on_failure, error)
