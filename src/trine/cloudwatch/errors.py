"""CloudWatch's errors, with the codes they have on the wire."""

from __future__ import annotations

from trine.aws.errors import AwsError


class InvalidParameterValue(AwsError):
    """A parameter has a value that it cannot have."""

    code = "InvalidParameterValue"
    status = 400


class InvalidParameterCombination(AwsError):
    """Parameters that exclude each other, or lack each other."""

    code = "InvalidParameterCombination"
    status = 400


class MissingParameter(AwsError):
    """A parameter is missing that this call needs."""

    code = "MissingParameter"
    status = 400


class ValidationError(AwsError):
    """What the service itself finds wrong with an alarm or a query."""

    code = "ValidationError"
    status = 400


class ResourceNotFound(AwsError):
    """No alarm of this name."""

    code = "ResourceNotFound"
    status = 404


class InvalidNextToken(AwsError):
    """The token is none that was given out."""

    code = "InvalidNextToken"
    status = 400


class InvalidFormat(AwsError):
    """Data that does not parse, such as a state reason that is no JSON."""

    code = "InvalidFormat"
    status = 400


class LimitExceeded(AwsError):
    """More alarms than an account may have."""

    code = "LimitExceeded"
    status = 400


class DashboardInvalidInput(AwsError):
    """A dashboard that is no JSON object, or has no possible name."""

    code = "InvalidParameterInput"
    status = 400


class DashboardNotFound(AwsError):
    """No dashboard of this name. (Its older code is that of alarms: `ResourceNotFound`.)"""

    code = "DashboardNotFoundError"
    status = 404


class TagsNotFound(AwsError):
    """What shall be tagged is no alarm of this stack."""

    code = "ResourceNotFoundException"
    status = 404
