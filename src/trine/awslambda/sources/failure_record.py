"""What an on-failure destination hears of a batch that was given up.

Pure. Developer guide, "Retaining records for a failed invocation" (DynamoDB): the batch's place in the stream, not its
records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import orjson

from trine.aws.invoke import InvokeResponse
from trine.awslambda.fault import instant
from trine.awslambda.sources.records import Change

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


def failure_record(
    now: float,
    request_id: str,
    function_arn: str,
    condition: Condition,
    attempts: int,
    response: InvokeResponse | None,
    batch: Sequence[Change],
    stream_arn: str,
    shard_id: str,
) -> bytes:
    """The document. `response` is the last invocation's, None when there was none."""
    document: dict[str, object] = {
        "requestContext": {
            "requestId": request_id if response is None else response.request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "version": "1.0",
        "timestamp": instant(now),
        "DDBStreamBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": batch[0].sequence_number,
            "endSequenceNumber": batch[-1].sequence_number,
            "approximateArrivalOfFirstRecord": second(batch[0].written_at),
            "approximateArrivalOfLastRecord": second(batch[-1].written_at),
            "batchSize": len(batch),
            "streamArn": stream_arn,
        },
    }
    if response is not None:
        document["responseContext"] = {
            "statusCode": 200,
            "executedVersion": response.executed_version,
            "functionError": response.function_error,
        }
    return orjson.dumps(document)


def second(moment: float) -> str:
    """`2026-11-14T00:13:19Z`."""
    return f"{instant(moment)[:19]}Z"
