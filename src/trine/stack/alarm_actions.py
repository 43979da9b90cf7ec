"""Whom alarms tell: functions are invoked, topics and queues get messages, everything else is refused by name.

Enters a target's ARN, the alarm's and a message; leaves why it could not be delivered, or None. What fails later (a
function that does not allow the alarm) is logged.
"""

from __future__ import annotations

import logging
from asyncio import Future
from typing import Any

from trine.aws.actor import Actor
from trine.aws.arn import Arn, Place
from trine.aws.errors import AwsError
from trine.aws.invoke import Invoker, InvokeRequest, ServiceCaller
from trine.aws.queues import Messenger, Outgoing

_log = logging.getLogger("trine.cloudwatch")
ALARMS_TO_FUNCTIONS = "lambda.alarms.cloudwatch.amazonaws.com"
"""Whom a function's resource policy must allow (user guide, "Invoke a Lambda function from an alarm")."""
ALARMS_TO_TOPICS = "cloudwatch.amazonaws.com"


class AlarmActions:
    """Delivers what alarms say."""

    def __init__(self, place: Place, functions: Invoker, messenger: Messenger) -> None:
        self._place, self._functions, self._messenger = place, functions, messenger

    def deliver(self, target_arn: str, alarm_arn: str, message: bytes) -> str | None:
        """Hand a message on. Never raises."""
        try:
            service = Arn.parse(target_arn).service
        except ValueError:
            return "this is no ARN"
        if service == "lambda":
            caller = ServiceCaller(ALARMS_TO_FUNCTIONS, alarm_arn, self._place.account_id)
            request = InvokeRequest(target_arn, message, "Event", caller=caller, source=alarm_arn)
            invoked = self._functions.invoke(request)
            invoked.add_done_callback(lambda done: _told(alarm_arn, target_arn, done))
            return None
        if service != "sns":
            return f"{service} actions are not built into Trine; docs/metrics.md lists those that are"
        message_of_topic = Outgoing(target_arn, message.decode())
        try:
            sent = self._messenger.send(message_of_topic, Actor(ALARMS_TO_TOPICS, alarm_arn))
        except (AwsError, ValueError) as error:
            return str(error)
        sent.add_done_callback(lambda done: _told(alarm_arn, target_arn, done))
        return None


def _told(alarm_arn: str, target_arn: str, done: Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.warning("the alarm %s could not tell %s: %s", alarm_arn, target_arn, error)
