"""Errors of EventBridge and its Scheduler with AWS's names."""

from __future__ import annotations

from trine.aws.errors import AwsError


class Invalid(AwsError):
    """A parameter that the service would not take."""

    code = "ValidationException"
    status = 400


class NotFound(AwsError):
    """No such rule, bus, schedule or group."""

    code = "ResourceNotFoundException"
    status = 400


class AlreadyExists(AwsError):
    """The name is taken."""

    code = "ResourceAlreadyExistsException"
    status = 400


class InvalidTarget(Invalid):
    """A target that PutTargets refuses, and all others with it."""


class InvalidEventPattern(AwsError):
    """A pattern that is none."""

    code = "InvalidEventPatternException"
    status = 400


class LimitExceeded(AwsError):
    """One more would pass a quota."""

    code = "LimitExceededException"
    status = 400
