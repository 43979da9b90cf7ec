"""The table's errors, each with AWS's name: what the rooms raise and the endpoint turns into AWS's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.aws.errors import AwsError


class ValidationException(AwsError):
    """The request is well-formed JSON but not a valid request."""

    code = "ValidationException"
    status = 400


class EmptyKeyValue(ValidationException):
    """A key attribute is an empty string or binary: TransactWriteItems refuses the request for it, not the item."""


class SerializationException(AwsError):
    """The body is not the JSON that the operation's shape asks for."""

    code = "SerializationException"
    status = 400


class ResourceNotFoundException(AwsError):
    """The table, index, stream or ARN does not exist, or the table is not active yet."""

    code = "ResourceNotFoundException"
    status = 400


class ResourceInUseException(AwsError):
    """The table exists already, or is being changed."""

    code = "ResourceInUseException"
    status = 400


class LimitExceededException(AwsError):
    """Too many tables, indexes or tags, or too many changes at once."""

    code = "LimitExceededException"
    status = 400


class TableNotFoundException(AwsError):
    """The table of a backup or restore does not exist."""

    code = "TableNotFoundException"
    status = 400


class ConditionalCheckFailedException(AwsError):
    """The write's condition is false; `members` may hold the item as it was."""

    code = "ConditionalCheckFailedException"
    status = 400


class TransactionCanceledException(AwsError):
    """A transaction did not happen; `members["CancellationReasons"]` says why, one reason for each of its items."""

    code = "TransactionCanceledException"
    status = 400


class IdempotentParameterMismatchException(AwsError):
    """The token was used before with another request."""

    code = "IdempotentParameterMismatchException"
    status = 400


class ItemCollectionSizeLimitExceededException(AwsError):
    """An item collection of a table with local secondary indexes would exceed 10 GB."""

    code = "ItemCollectionSizeLimitExceededException"
    status = 400
    reason_code = "ItemCollectionSizeLimitExceeded"


class TrimmedDataAccessException(AwsError):
    """The shard iterator points at records that have left the stream."""

    code = "TrimmedDataAccessException"
    status = 400


class ExpiredIteratorException(AwsError):
    """The shard iterator is older than 15 minutes."""

    code = "ExpiredIteratorException"
    status = 400


class DuplicateItemException(AwsError):
    """PartiQL INSERT of a key that exists."""

    code = "DuplicateItemException"
    status = 400


class UnknownOperationException(AwsError):
    """The target names no operation of the service."""

    code = "UnknownOperationException"
    status = 400


class UnsupportedOperationException(AwsError):
    """An operation that AWS has and Trine has not built. The name is ours: AWS never needs it."""

    code = "UnsupportedOperationException"
    status = 400


class InternalServerError(AwsError):
    """Something of ours broke; it is logged."""

    code = "InternalServerError"
    status = 500


class ThrottledError(AwsError):
    """A request that went beyond capacity; `reason` is AWS's throttling reason, `facts` say it to people."""

    status = 400
    reason_code = "ThrottlingError"
    """The code of this error in a transaction's cancellation reasons and in a batch of statements."""

    def __init__(self, message: str, *, members: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        super().__init__(message, members=members)
        self.facts = facts


class ProvisionedThroughputExceededException(ThrottledError):
    """A provisioned table or index, or one of its partitions, has no units left."""

    code = "ProvisionedThroughputExceededException"
    reason_code = "ProvisionedThroughputExceeded"


class ThrottlingException(ThrottledError):
    """An on-demand table or index cannot take that much yet, or was told not to."""

    code = "ThrottlingException"


class RequestLimitExceeded(ThrottledError):
    """An on-demand table or index reached the account's quota for one table."""

    code = "RequestLimitExceeded"
    reason_code = "RequestLimitExceeded"


class AccessDeniedException(AwsError):
    """An ARN of another account or region: nothing of it is here, and nobody here may reach it."""

    code = "AccessDeniedException"
    status = 400
