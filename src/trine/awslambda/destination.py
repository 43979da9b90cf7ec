"""Destinations and dead-letter queues: what became of an asynchronous event is told to whoever the function names.

Enters an event with its outcome, leaves an invocation of another function, or a message in a local queue that stands
for the SQS queue, SNS topic or event bus of that ARN. The function's role must allow it, as on AWS.
"""

from __future__ import annotations

import base64
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from trine.aws.arn import Arn
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.awslambda import limits
from trine.awslambda.async_event import AsyncEvent, EventConfig, Outcome
from trine.awslambda.fault import instant
from trine.awslambda.function import Function
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)
MESSAGE = "lambda:message"
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish",
            "events": "events:PutEvents"}  # fmt: skip


class Destinations:
    """Delivers outcomes for one service."""

    def __init__(
        self,
        clock: Clock,
        catalogue: Catalogue | None,
        permit: Callable[[Function, str, str], None],
        invoke: Callable[[str, bytes], object],
    ) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._permit = permit
        """Raises AwsError when the function's role may not do an action on an ARN."""
        self._invoke = invoke
        """Invokes a function asynchronously with a payload."""
        self._kept: dict[str, deque[Mapping[str, Any]]] = {}
        self._order = 0

    def tell(self, function: Function, event: AsyncEvent, config: EventConfig, outcome: Outcome) -> None:
        """Send what the function's configuration asks for; a refusal or an unknown target is logged."""
        if outcome.condition == "Success":
            if config.on_success is not None:
                self._deliver(function, config.on_success, _record(self._clock.now(), function, event, outcome), {})
            return
        if config.dead_letter is not None:
            self._deliver(function, config.dead_letter, event.payload, _dead_letter_attributes(event, outcome))
        if config.on_failure is not None:
            self._deliver(function, config.on_failure, _record(self._clock.now(), function, event, outcome), {})

    def _deliver(self, function: Function, arn: str, body: bytes, attributes: Mapping[str, str]) -> None:
        try:
            service = Arn.parse(arn).service
            action = _ACTIONS.get(service)
            if action is None:
                raise ValueError(f"no such kind of destination: {service}")
            self._permit(function, action, arn)
        except (AwsError, ValueError) as error:
            _LOGGER.warning("an outcome of %s could not be delivered to %s: %s", function.name, arn, error)
            return
        if service == "lambda":
            self._invoke(arn, body)
        else:
            self._keep(arn, body, attributes)

    def _keep(self, arn: str, body: bytes, attributes: Mapping[str, str]) -> None:
        self._order += 1
        message: dict[str, Any] = {"sentAt": self._clock.now(), "attributes": dict(attributes)}
        text = body.decode("utf-8", "replace")
        if len(body) > limits.MESSAGE_MAX_BYTES:
            text = text[: limits.MESSAGE_MAX_BYTES]
            message["cut"] = True
        message["body"] = text
        if self._catalogue is None:
            self._kept.setdefault(arn, deque(maxlen=limits.MESSAGES_KEPT)).append(message)
            return
        name = f"{arn}/{int(message['sentAt'] * 1e6):020}-{self._order:06}"
        self._catalogue.put(MESSAGE, name, message).add_done_callback(_log_failure)

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        """What was sent to a queue, topic or bus, the oldest first: body, attributes and time of each."""
        if self._catalogue is None:
            return list(self._kept.get(arn, ()))
        return [document for name, document in self._catalogue.list(MESSAGE) if name.rpartition("/")[0] == arn]


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


def _dead_letter_attributes(event: AsyncEvent, outcome: Outcome) -> dict[str, str]:
    attributes = {"RequestID": event.request_id, "ErrorCode": "200"}
    value = None if outcome.response is None else _json(outcome.response.payload)
    if isinstance(value, dict):
        attributes["ErrorMessage"] = str(value.get("errorMessage", ""))[:1024]
    return attributes


def _json(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return base64.b64encode(payload).decode()


def _log_failure(done: Any) -> None:
    if not done.cancelled() and done.exception() is not None:
        _LOGGER.error("a message could not be stored: %s", done.exception())
