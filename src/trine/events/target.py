"""A target: who gets an event, in which form, how often it is tried, and where it goes in the end.

Pure. Enters the members of PutTargets (which a template's Targets have too) or a Scheduler target, leaves a value or
`Invalid`. Trine delivers to functions, queues, topics and event buses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from trine.aws.arn import Arn
from trine.aws.shapes import bounded_in, object_in, text_in
from trine.events import limits
from trine.events.errors import Invalid, InvalidTarget
from trine.events.transformer import check_path, filled, part_of, placeholders

_number = partial(bounded_in, fault=Invalid)
SERVICES = ("lambda", "sqs", "sns", "events")


@dataclass(frozen=True, slots=True)
class Target:
    """One target. Times in seconds."""

    target_id: str
    arn: str
    given: Mapping[str, Any] = field(repr=False)
    role_arn: str | None = None
    input: str | None = None
    input_path: str | None = None
    template: str | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    group_id: str | None = None
    dead_letter_arn: str | None = None
    retries: int = limits.RETRIES_DEFAULT
    age_seconds: int = limits.AGE_DEFAULT_SECONDS

    @property
    def service(self) -> str:
        """Which service it is of."""
        return Arn.parse(self.arn).service

    def payload(self, event: Mapping[str, Any], rule_arn: str, now: float) -> bytes:
        """What it gets of an event."""
        if self.input is not None:
            return self.input.encode()
        if self.input_path is not None:
            return orjson.dumps(part_of(event, self.input_path))
        if self.template is not None:
            return filled(self.template, self.paths, event, rule_arn, now)
        return orjson.dumps(event)


def is_offered(arn: str) -> bool:
    """Whether Trine delivers to a target of that ARN. Invalid when it is no ARN."""
    try:
        return Arn.parse(arn).service in SERVICES
    except ValueError:
        raise Invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.") from None


def target_from(given: Mapping[str, Any], target_id: str | None = None) -> Target:
    """A checked target. Invalid."""
    arn = text_in(given, "Arn") or ""
    if not is_offered(arn):
        raise Invalid(f"Trine delivers events to functions, queues, topics and event buses, not to {arn}")
    name = target_id or str(given.get("Id") or "Target")
    transformer = object_in(given, "InputTransformer")
    if sum(given.get(one) is not None for one in ("Input", "InputPath", "InputTransformer")) > 1:
        raise InvalidTarget(f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}.")
    text = _input(given.get("Input"))
    path = text_in(given, "InputPath")
    paths = object_in(transformer, "InputPathsMap")
    for one in (*([path] if path is not None else ()), *paths.values()):
        check_path(str(one))
    template = text_in(transformer, "InputTemplate")
    for one in sorted(placeholders(template or "")):
        if one not in paths and not one.startswith("aws.events."):
            raise InvalidTarget(f"InputTemplate for target {name} contains invalid placeholder {one}.")
    retry = object_in(given, "RetryPolicy")
    dead_letter = text_in(object_in(given, "DeadLetterConfig"), "Arn")
    if dead_letter is not None and not dead_letter.startswith("arn:"):
        raise Invalid(f"The dead-letter queue {dead_letter} is no ARN")
    sqs = object_in(given, "SqsParameters")
    return Target(
        name,
        arn,
        given,
        text_in(given, "RoleArn"),
        text,
        path,
        template,
        paths,
        text_in(sqs, "MessageGroupId"),
        dead_letter,
        _number(retry, "MaximumRetryAttempts", limits.RETRIES_DEFAULT, 0, limits.RETRIES_MAX),
        _number(
            retry,
            "MaximumEventAgeInSeconds",
            limits.AGE_DEFAULT_SECONDS,
            limits.AGE_MIN_SECONDS,
            limits.AGE_MAX_SECONDS,
        ),
    )


def _input(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if len(text) > limits.INPUT_MAX_CHARACTERS:
        raise Invalid(f"Input is longer than {limits.INPUT_MAX_CHARACTERS} characters")
    return text
