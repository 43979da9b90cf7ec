"""CloudWatch Logs' errors, with AWS's names and statuses."""

from __future__ import annotations

from trine.aws.errors import AwsError


class InvalidParameter(AwsError):
    """A parameter is wrong."""

    code = "InvalidParameterException"
    status = 400


class InvalidPattern(InvalidParameter):
    """A filter pattern cannot be read."""


class ResourceNotFound(AwsError):
    """The log group or stream does not exist."""

    code = "ResourceNotFoundException"
    status = 400


class ResourceAlreadyExists(AwsError):
    """The log group or stream exists already."""

    code = "ResourceAlreadyExistsException"
    status = 400


class LimitExceeded(AwsError):
    """More than the account may have."""

    code = "LimitExceededException"
    status = 400


class ServiceUnavailable(AwsError):
    """The service itself cannot do it: the disk refuses."""

    code = "ServiceUnavailableException"
    status = 503
