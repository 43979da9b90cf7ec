"""The table's errors, each with AWS's name: what the rooms raise and the endpoint turns into AWS's JSON."""

from __future__ import annotations

from trine.aws.errors import AwsError


class ValidationException(AwsError):
    """The request is well-formed JSON but not a valid request."""

    code = "ValidationException"
    status = 400


class SerializationException(AwsError):
    """The body is not the JSON that the operation's shape asks for."""

    code = "SerializationException"
    status = 400
