"""AWS's refusals: which exception, which sentence, which throttling reason.

A resource, a kind of units and a limit enter, an error leaves. Sources: "Error handling with DynamoDB", the
documentation of TransactionCanceledException (sentences of cancellation reasons are those of the errors) and
`ThrottlingReason` in the API reference.
"""

from __future__ import annotations

from typing import Any

from trine.dynamodb.errors import (
    ProvisionedThroughputExceededException,
    RequestLimitExceeded,
    ThrottledError,
    ThrottlingException,
)
from trine.dynamodb.throughput.flow import Flow, LimitType

_TABLE_PROVISIONED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
_INDEX_PROVISIONED = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with "
    "the UpdateTable API."
)
_TABLE_ON_DEMAND = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or "
    "index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
)
_INDEX_ON_DEMAND = (
    "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is automatically "
    "scaling your index so please try again shortly."
)
_MAXIMUM = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
_ACCOUNT = (
    "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at "
    "https://aws.amazon.com/support request a limit increase"
)


def refusal(arn: str, is_index: bool, flow: Flow, limit: LimitType, units: float, now_ns: int) -> ThrottledError:
    """The error of a request that wanted `units` of `flow`, which belongs to the table or index `arn`."""
    reason = f"{'Index' if is_index else 'Table'}{flow.kind}{limit}"
    reasons = [{"reason": reason, "resource": arn}]
    facts: dict[str, Any] = {
        "throttling": reason,
        "resource": arn,
        "units": units,
        "unitsPerSecond": flow.units_per_second,
        "unitsLeft": round(flow.bucket.level(now_ns), 3),
    }
    if limit == "KeyRangeThroughputExceeded":
        facts["partitions"] = len(flow.partitions)
    if limit == "AccountLimitExceeded":
        return RequestLimitExceeded(_ACCOUNT, members={"ThrottlingReasons": reasons}, facts=facts)
    if not flow.on_demand:
        message = _INDEX_PROVISIONED if is_index else _TABLE_PROVISIONED
        return ProvisionedThroughputExceededException(message, members={"ThrottlingReasons": reasons}, facts=facts)
    if limit == "MaxOnDemandThroughputExceeded":
        message = _MAXIMUM
    else:
        message = _INDEX_ON_DEMAND if is_index else _TABLE_ON_DEMAND
    # This one's shape begins with a small letter (botocore's service model).
    return ThrottlingException(message, members={"throttlingReasons": reasons}, facts=facts)
