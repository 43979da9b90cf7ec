"""IAM's refusals with AWS's codes and sentences, in the dialect of the service that was asked.

JSON services answer 400 (DynamoDB, Logs) or 403 (Lambda, API Gateway) with `…Exception` names, query services (STS,
IAM, CloudFormation) 403 with short names. Enters the service, leaves an `AwsError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.aws.errors import AwsError

QUERY_SERVICES = frozenset({"sts", "iam", "cloudformation", "sns", "ec2", "autoscaling", "elasticloadbalancing"})
"""Services that speak the query protocol and so answer with its short error codes."""
REST_SERVICES = frozenset({"lambda", "execute-api", "apigateway", "scheduler", "s3"})
"""Services that answer a failed authentication with 403 under the same names as the JSON services."""

SIGNATURE_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
TOKEN_INVALID = "The security token included in the request is invalid."  # noqa: S105
TOKEN_EXPIRED = "The security token included in the request is expired"  # noqa: S105


class AuthenticationError(AwsError):
    """The caller could not be made out."""

    status = 403

    def __init__(self, service: str, code: str, query_code: str, message: str, *, query_status: int = 403) -> None:
        if service in QUERY_SERVICES:
            super().__init__(message, code=query_code, status=query_status)
        else:
            super().__init__(message, code=code, status=403 if service in REST_SERVICES else 400)


class MissingAuthenticationToken(AuthenticationError):
    """No signature at all."""

    def __init__(self, service: str) -> None:
        super().__init__(
            service,
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        )


class IncompleteSignature(AuthenticationError):
    """The Authorization header or query does not parse."""

    def __init__(self, service: str, message: str) -> None:
        super().__init__(service, "IncompleteSignatureException", "IncompleteSignature", message, query_status=400)


class InvalidSignature(AuthenticationError):
    """The signature is well formed and does not hold."""

    def __init__(self, service: str, message: str = SIGNATURE_MISMATCH) -> None:
        super().__init__(service, "InvalidSignatureException", "SignatureDoesNotMatch", message)


class UnrecognizedClient(AuthenticationError):
    """The access key is unknown, inactive or revoked, or its token is not the one issued with it."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "UnrecognizedClientException", "InvalidClientTokenId", TOKEN_INVALID)


class ExpiredToken(AuthenticationError):
    """The temporary credentials have run out."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "ExpiredTokenException", "ExpiredToken", TOKEN_EXPIRED)


class AccessDenied(AwsError):
    """The principal may not do this. `facts` say which statement decided or which is missing; they go to the trace."""

    code = "AccessDeniedException"
    status = 403

    def __init__(self, service: str, message: str, facts: Mapping[str, Any] | None = None) -> None:
        if service in QUERY_SERVICES:
            super().__init__(message, code="AccessDenied", status=403)
        else:
            super().__init__(message, status=403 if service in REST_SERVICES else 400)
        self.facts: Mapping[str, Any] = facts or {}


class MalformedPolicy(AwsError):
    """A policy document that IAM would not take. `place` says where, such as `Statement[1].Condition`."""

    code = "MalformedPolicyDocument"
    status = 400

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason} (at {place})" if place else reason)
        self.reason = reason
        self.place = place


class ValidationError(AwsError):
    """A parameter outside what the IAM or STS model allows."""

    code = "ValidationError"
    status = 400


class NoSuchEntity(AwsError):
    """The named user, role, group, policy or key does not exist."""

    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExists(AwsError):
    """The name is taken."""

    code = "EntityAlreadyExists"
    status = 409


class DeleteConflict(AwsError):
    """The entity still has something attached."""

    code = "DeleteConflict"
    status = 409


class LimitExceeded(AwsError):
    """One more would pass an IAM quota."""

    code = "LimitExceeded"
    status = 409


class InvalidInput(AwsError):
    """A value that IAM's model allows and IAM itself does not."""

    code = "InvalidInput"
    status = 400
