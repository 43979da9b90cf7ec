"""A queue's attributes: defaults, bounds and what CreateQueue, SetQueueAttributes and templates may say.

Pure. Enters names and texts as the API has them, leaves checked texts; `Settings` reads them as numbers. Source: SQS
API reference, CreateQueue and SetQueueAttributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from trine.aws.arn import Arn
from trine.iam.errors import MalformedPolicy
from trine.iam.policy import CompiledPolicy, parse_policy
from trine.messaging import limits
from trine.messaging.errors import InvalidAttributeName, InvalidAttributeValue, InvalidParameter

_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]+(\.fifo)?")
_BOUNDS = {
    "DelaySeconds": (0, limits.DELAY_MAX_SECONDS, 0),
    "MaximumMessageSize": (limits.MESSAGE_MIN_MAX_BYTES, limits.MESSAGE_MAX_BYTES, limits.MESSAGE_MAX_BYTES),
    "MessageRetentionPeriod": (
        limits.RETENTION_MIN_SECONDS,
        limits.RETENTION_MAX_SECONDS,
        limits.RETENTION_DEFAULT_SECONDS,
    ),
    "ReceiveMessageWaitTimeSeconds": (0, limits.WAIT_MAX_SECONDS, 0),
    "VisibilityTimeout": (0, limits.VISIBILITY_MAX_SECONDS, limits.VISIBILITY_DEFAULT_SECONDS),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400, 300),
}
_SHOWN_DEFAULTS = (
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)
_TRUTHS = ("FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled")
_CHOICES = {
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_DOCUMENTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
_OTHERS = ("KmsMasterKeyId",)
SETTABLE = frozenset({*_BOUNDS, *_TRUTHS, *_CHOICES, *_DOCUMENTS, *_OTHERS})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a queue does, from its attributes. Seconds and bytes."""

    delay_seconds: int
    max_bytes: int
    retention_seconds: int
    wait_seconds: int
    visibility_seconds: int
    fifo: bool
    by_content: bool
    scope_is_group: bool
    dead_letter_arn: str | None
    max_receives: int
    policy: CompiledPolicy | None


def check_name(name: str) -> None:
    """InvalidParameter when `name` cannot be a queue's."""
    if not _QUEUE_NAME.fullmatch(name) or len(name) > limits.NAME_MAX_CHARACTERS:
        raise InvalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")


def checked(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Attributes as texts. InvalidAttributeName, InvalidAttributeValue."""
    texts: dict[str, str] = {}
    for key, value in given.items():
        if key not in SETTABLE:
            raise InvalidAttributeName(f"Unknown Attribute {key}.")
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        text = text.lower() if key in _TRUTHS else text
        if not _is_good(key, text):
            raise InvalidAttributeValue(f"Invalid value for the parameter {key}.")
        if text:
            texts[key] = text
    if "KmsMasterKeyId" in texts:
        texts["SqsManagedSseEnabled"] = "false"  # a queue has one kind of encryption
    fifo = name.endswith(".fifo")
    if fifo != (texts.get("FifoQueue") == "true"):
        reason = (
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
            ".fifo suffix and be 1 to 80 in length."
            if not fifo
            else "A queue whose name ends in .fifo must have FifoQueue true."
        )
        raise InvalidParameter(reason)
    if not fifo and "ContentBasedDeduplication" in texts:
        raise InvalidAttributeName("Unknown Attribute ContentBasedDeduplication.")
    return texts


def check_kind(name: str, given: Mapping[str, Any]) -> None:
    """InvalidAttributeName when CreateQueue names what only FIFO queues have, whatever its value."""
    if name.endswith(".fifo") or str(given.get("FifoQueue", "")).lower() == "true":
        return
    for key in ("FifoQueue", "ContentBasedDeduplication"):
        if key in given:
            raise InvalidAttributeName(f"Unknown Attribute {key}.")
    for key in _CHOICES:
        if key in given:
            raise InvalidAttributeName(f"You can specify the {key} only when FifoQueue is set to true.")


def _is_good(key: str, text: str) -> bool:
    if key in _BOUNDS:
        lowest, highest, _ = _BOUNDS[key]
        return text.isascii() and text.isdigit() and lowest <= int(text) <= highest
    if key in _TRUTHS:
        return text.lower() in ("true", "false")
    if key in _CHOICES:
        return text in _CHOICES[key]
    if not text or key in _OTHERS:
        return True
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(document, dict):
        return False
    if key == "RedrivePolicy":
        return _is_redrive(document)
    return len(text) <= limits.POLICY_MAX_BYTES


def _is_redrive(document: Mapping[str, Any]) -> bool:
    try:
        count = int(document["maxReceiveCount"])
        return (
            1 <= count <= limits.MAX_RECEIVES_MAX and Arn.parse(str(document["deadLetterTargetArn"])).service == "sqs"
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def settings_of(attributes: Mapping[str, str], arn: str) -> Settings:
    """What checked attributes mean. InvalidAttributeValue when the policy is none."""
    redrive = orjson.loads(attributes.get("RedrivePolicy") or "{}")
    number = {key: int(attributes.get(key, default)) for key, (_, _, default) in _BOUNDS.items()}
    return Settings(
        number["DelaySeconds"],
        number["MaximumMessageSize"],
        number["MessageRetentionPeriod"],
        number["ReceiveMessageWaitTimeSeconds"],
        number["VisibilityTimeout"],
        attributes.get("FifoQueue", "").lower() == "true",
        attributes.get("ContentBasedDeduplication", "").lower() == "true",
        attributes.get("DeduplicationScope") == "messageGroup",
        redrive.get("deadLetterTargetArn"),
        int(redrive.get("maxReceiveCount", 0)),
        compiled_policy(attributes.get("Policy"), arn),
    )


def compiled_policy(text: str | None, arn: str) -> CompiledPolicy | None:
    """A queue's or topic's policy, ready to be asked. InvalidAttributeValue."""
    if not text:
        return None
    try:
        return parse_policy(text, "resource", arn)
    except MalformedPolicy as error:
        raise InvalidAttributeValue(f"Invalid value for the parameter Policy. {error.message}") from error


def shown(attributes: Mapping[str, str]) -> dict[str, str]:
    """All attributes as GetQueueAttributes shows them: set ones and defaults."""
    defaults = {key: str(_BOUNDS[key][2]) for key in _SHOWN_DEFAULTS}
    complete = {**defaults, "SqsManagedSseEnabled": "true", **attributes}
    if "KmsMasterKeyId" not in attributes:
        complete.pop("KmsDataKeyReusePeriodSeconds", None)
    if attributes.get("FifoQueue"):
        complete = {
            "ContentBasedDeduplication": "false",
            "DeduplicationScope": "queue",
            "FifoThroughputLimit": "perQueue",
            **complete,
        }
    return complete
