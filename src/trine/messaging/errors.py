"""Errors of SQS and SNS with AWS's names and sentences.

SQS answers in two protocols under two names for the same error: `code` is the JSON protocol's, `query_code` what the
old protocol (and `x-amzn-query-error`) calls it.
"""

from __future__ import annotations

from trine.aws.errors import AwsError


class SqsError(AwsError):
    """An error of SQS."""

    code = "InvalidParameterValueException"
    query_code = "InvalidParameterValue"
    status = 400


class QueueDoesNotExist(SqsError):
    """No such queue."""

    code = "QueueDoesNotExist"
    query_code = "AWS.SimpleQueueService.NonExistentQueue"

    def __init__(self) -> None:
        super().__init__("The specified queue does not exist.")


class QueueDeletedRecently(SqsError):
    """A queue of that name was deleted within a minute."""

    code = "QueueDeletedRecently"
    query_code = "AWS.SimpleQueueService.QueueDeletedRecently"

    def __init__(self) -> None:
        super().__init__(
            "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        )


class PurgeQueueInProgress(SqsError):
    """The queue was purged within a minute."""

    code = "PurgeQueueInProgress"
    query_code = "AWS.SimpleQueueService.PurgeQueueInProgress"
    status = 403

    def __init__(self, name: str) -> None:
        super().__init__(f"Only one PurgeQueue operation on {name} is allowed every 60 seconds.")


class QueueNameExists(SqsError):
    """A queue of that name has other attributes."""

    code = "QueueNameExists"
    query_code = "QueueAlreadyExists"


class InvalidAttributeName(SqsError):
    """No such attribute of a queue."""

    code = "InvalidAttributeName"
    query_code = "InvalidAttributeName"


class InvalidAttributeValue(SqsError):
    """An attribute out of its bounds."""

    code = "InvalidAttributeValue"
    query_code = "InvalidAttributeValue"


class InvalidParameter(SqsError):
    """A parameter out of its bounds."""


class MessageTooLong(InvalidParameter):
    """A message above the queue's `MaximumMessageSize`; a batch says so in other words."""

    def __init__(self, limit: int, fault: str = "are invalid") -> None:
        super().__init__(f"One or more parameters {fault}. Reason: Message must be shorter than {limit} bytes.")
        self.limit = limit


class MissingParameter(SqsError):
    """A parameter that this queue needs."""

    code = "MissingRequiredParameterException"
    query_code = "MissingParameter"


class InvalidMessageContents(SqsError):
    """Characters that SQS does not carry."""

    code = "InvalidMessageContents"
    query_code = "InvalidMessageContents"


class ReceiptHandleIsInvalid(SqsError):
    """A text that is no receipt handle of this queue."""

    code = "ReceiptHandleIsInvalid"
    query_code = "ReceiptHandleIsInvalid"


class MessageNotInflight(SqsError):
    """The message is visible again, or gone."""

    code = "MessageNotInflight"
    query_code = "AWS.SimpleQueueService.MessageNotInflight"


class OverLimit(SqsError):
    """Too many messages in flight, or in the queue."""

    code = "OverLimit"
    query_code = "OverLimit"
    status = 403


class EmptyBatchRequest(SqsError):
    """A batch without entries."""

    code = "EmptyBatchRequest"
    query_code = "AWS.SimpleQueueService.EmptyBatchRequest"


class TooManyEntriesInBatchRequest(SqsError):
    """A batch of more than ten."""

    code = "TooManyEntriesInBatchRequest"
    query_code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"


class BatchEntryIdsNotDistinct(SqsError):
    """Two entries with one id."""

    code = "BatchEntryIdsNotDistinct"
    query_code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"


class InvalidBatchEntryId(SqsError):
    """An id that is no id."""

    code = "InvalidBatchEntryId"
    query_code = "AWS.SimpleQueueService.InvalidBatchEntryId"


class BatchRequestTooLong(SqsError):
    """A batch of more bytes than SQS takes."""

    code = "BatchRequestTooLong"
    query_code = "AWS.SimpleQueueService.BatchRequestTooLong"


class SnsResourceNotFound(AwsError):
    """What shall be tagged does not exist."""

    code = "ResourceNotFound"
    status = 404


class SnsNotFound(AwsError):
    """No such topic or subscription."""

    code = "NotFound"
    status = 404


class SnsInvalidBatchEntryId(AwsError):
    """An id of a batch's entry that is no id."""

    code = "InvalidBatchEntryId"
    status = 400


class SnsBatchTooLong(AwsError):
    """A batch of more bytes than SNS takes."""

    code = "BatchRequestTooLong"
    status = 400

    def __init__(self) -> None:
        super().__init__("The length of all the messages put together is more than the limit.")


class ParameterValueInvalid(AwsError):
    """A message attribute that is none."""

    code = "ParameterValueInvalid"
    status = 400


class SnsInvalidParameter(AwsError):
    """A parameter of SNS out of its bounds."""

    code = "InvalidParameter"
    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid parameter: {reason}")
