"""Destinations and dead-letter queues: what became of an asynchronous event is told to whoever the function names.

Enters an event with its outcome, leaves an invocation of another function, or a message for whoever owns the queue,
topic or event bus of that ARN. The function's role must allow it, as on AWS.
"""

from __future__ import annotations

import base64
import logging
from asyncio import Future
from collections.abc import Callable
from typing import Any

import orjson

from trine.aws.actor import Actor
from trine.aws.arn import Arn
from trine.aws.errors import AwsError
from trine.aws.queues import Outgoing
from trine.awslambda.asynchronous.event import AsyncEvent, EventConfig, Outcome
from trine.awslambda.fault import instant
from trine.awslambda.function import Function
from trine.awslambda.neighbours import Neighbours
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)
_EVENT_TYPES = {
    True: "Lambda Function Invocation Result - Success",
    False: "Lambda Function Invocation Result - Failure",
}
"""`detail-type` on an event bus, by whether the function succeeded."""


_SERVICES = frozenset(("lambda", "sqs", "sns", "events"))
"""Services that an outcome can be delivered to here. On AWS also a bucket, for failures."""


def is_delivered(arn: str) -> bool:
    """Whether outcomes reach a destination of this kind. Text that is no ARN is left to whoever sends to it."""
    try:
        return Arn.parse(arn).service in _SERVICES
    except ValueError:
        return True


class Destinations:
    """Delivers outcomes for one service."""

    def __init__(
        self,
        clock: Clock,
        neighbours: Neighbours,
        permit: Callable[[Function, str, str], None],
        invoke: Callable[[str, bytes], Future[Any]],
    ) -> None:
        self._clock = clock
        self._neighbours = neighbours
        self._permit = permit
        """Raises AwsError when the function's role may not do an action on an ARN."""
        self._invoke = invoke
        """Invokes a function asynchronously with a payload."""

    def tell(self, function: Function, event: AsyncEvent, config: EventConfig, outcome: Outcome) -> list[Future[Any]]:
        """Send what the function's configuration asks for; resolved when durable, failed when it was refused."""
        succeeded = outcome.condition == "Success"
        sent: list[Future[Any] | None] = []
        if not succeeded and config.dead_letter is not None:
            letter = Outgoing(
                config.dead_letter, event.payload.decode("utf-8", "replace"), _dead_letter_attributes(event, outcome)
            )
            sent.append(self._deliver(function, letter))
        destination = config.on_success if succeeded else config.on_failure
        if destination is not None:
            record = _record(self._clock.now(), function, event, outcome).decode()
            sent.append(self._deliver(function, Outgoing(destination, record, event_type=_EVENT_TYPES[succeeded])))
        return [future for future in sent if future is not None]

    def _deliver(self, function: Function, message: Outgoing) -> Future[Any] | None:
        arn = message.target_arn
        try:
            if Arn.parse(arn).service == "lambda":
                self._permit(function, "lambda:InvokeFunction", arn)
                sent = self._invoke(arn, message.body.encode())
            elif self._neighbours.messenger is None:
                raise ValueError("nobody takes messages here")
            else:
                actor = Actor("lambda.amazonaws.com", function.arn, function.role_arn, function.name)
                sent = self._neighbours.messenger.send(message, actor)
        except (AwsError, ValueError) as error:
            _not_delivered(function.name, arn, error)
            return None
        sent.add_done_callback(
            lambda done: None if done.cancelled() or done.exception() is None
            else _not_delivered(function.name, arn, done.exception())
        )  # fmt: skip
        return sent


def _not_delivered(name: str, arn: str, error: BaseException | None) -> None:
    _LOGGER.warning("an outcome of %s could not be delivered to %s: %s", name, arn, error)


def _record(now: float, function: Function, event: AsyncEvent, outcome: Outcome) -> bytes:
    # Developer guide, "Capturing records of Lambda asynchronous invocations".
    response = outcome.response
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": instant(now),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{function.arn}:{event.qualifier or function.version}",
            "condition": outcome.condition,
            "approximateInvokeCount": outcome.attempts,
        },
        "requestPayload": _json(event.payload),
    }
    if response is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": response.executed_version}
        if response.function_error is not None:
            context["functionError"] = response.function_error
        record["responseContext"] = context
        record["responsePayload"] = _json(response.payload)
    return orjson.dumps(record)


def _dead_letter_attributes(event: AsyncEvent, outcome: Outcome) -> dict[str, str | int]:
    # Developer guide, "Adding a dead-letter queue": RequestID, ErrorCode (a number), ErrorMessage (its first KB).
    attributes: dict[str, str | int] = {"RequestID": event.request_id, "ErrorCode": 200}
    value = None if outcome.response is None else _json(outcome.response.payload)
    if isinstance(value, dict) and value.get("errorMessage"):
        attributes["ErrorMessage"] = str(value["errorMessage"])[:1024]
    return attributes


def _json(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return base64.b64encode(payload).decode()
