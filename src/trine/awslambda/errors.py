"""Lambda's errors that a caller of the API (or the front door) sees, with AWS's names, sentences and statuses.

Faults inside a function are no such errors: they are answers with a function error (`fault.py`).
"""

from __future__ import annotations

from trine.aws.errors import AwsError


class ResourceNotFound(AwsError):
    """The function, version or alias does not exist."""

    code = "ResourceNotFoundException"
    status = 404


class ProvisionedConcurrencyConfigNotFound(AwsError):
    """The version or alias has no provisioned concurrency."""

    code = "ProvisionedConcurrencyConfigNotFoundException"
    status = 404


class InvalidParameterValue(AwsError):
    """A property or parameter is outside its bounds."""

    code = "InvalidParameterValueException"
    status = 400


class InvalidRequestContent(AwsError):
    """The event is not JSON."""

    code = "InvalidRequestContentException"
    status = 400


class RequestTooLarge(AwsError):
    """The event is larger than the invocation type allows."""

    code = "RequestTooLargeException"
    status = 413

    def __init__(self, size_bytes: int, limit_bytes: int, invocation_type: str) -> None:
        super().__init__(
            f"{size_bytes} byte payload is too large for the {invocation_type} invocation type "
            f"(limit {limit_bytes} bytes)"
        )


class TooManyRequests(AwsError):
    """Throttled; `Reason` says by which limit."""

    code = "TooManyRequestsException"
    status = 429

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.", members={"Reason": reason, "Type": "User"})
        self.reason = reason


class ResourceConflict(AwsError):
    """The resource exists already, or is being changed."""

    code = "ResourceConflictException"
    status = 409


class AccessDenied(AwsError):
    """A service may not invoke the function: its resource policy has no statement that allows it."""

    code = "AccessDeniedException"
    status = 403


class PreconditionFailed(AwsError):
    """The revision that the caller knows is not the latest."""

    code = "PreconditionFailedException"
    status = 412


class ServiceFault(AwsError):
    """The service itself could not run the function (no process could be started, or it is shutting down)."""

    code = "ServiceException"
    status = 500


class InvalidZipFile(InvalidParameterValue):
    """The package cannot be opened, or reaches outside its folder, or is too large.

    The API reference has an InvalidZipFileException; AWS was recorded to answer the code of a wrong parameter."""


class SnapStartFailed(AwsError):
    """A hook that runs after a restore failed."""

    code = "SnapStartException"
    status = 400


class SnapStartTimeout(AwsError):
    """An environment could not be restored in time."""

    code = "SnapStartTimeoutException"
    status = 408
