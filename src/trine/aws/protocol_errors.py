"""What goes wrong before an operation runs: unknown operations, bodies that do not parse, values out of bounds."""

from __future__ import annotations

from collections.abc import Sequence

from trine.aws.errors import AwsError


class UnknownOperation(AwsError):
    """No such operation in this API."""

    code = "UnknownOperationException"
    status = 404


class NotOffered(AwsError):
    """AWS has this operation and Trine does not."""

    code = "UnsupportedOperationException"
    status = 501


class Serialization(AwsError):
    """The body is not of the shape that the operation takes."""

    code = "SerializationException"
    status = 400


class MalformedQuery(AwsError):
    """A form-encoded request of the query protocol that does not parse."""

    code = "MalformedQueryString"
    status = 400


class InvalidAction(AwsError):
    """Query protocol: the Action is missing or unknown."""

    code = "InvalidAction"
    status = 400


class Violations(AwsError):
    """Values outside the model's constraints, all of them in one sentence as AWS's Coral services say it."""

    code = "ValidationException"
    status = 400

    def __init__(self, violations: Sequence[str], *, code: str | None = None) -> None:
        count = len(violations)
        plural = "s" if count > 1 else ""
        super().__init__(f"{count} validation error{plural} detected: " + "; ".join(violations), code=code)
        self.violations = tuple(violations)
