"""DescribeLimits: the account's quotas, which are AWS's defaults."""

from __future__ import annotations

import orjson

from trine.dynamodb.limits import ACCOUNT_UNITS_MAX_PER_SECOND, TABLE_UNITS_MAX_PER_SECOND
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_everything
from trine.dynamodb.shape import Document, DocumentCodec

_ANSWER = orjson.dumps(
    {
        "AccountMaxReadCapacityUnits": ACCOUNT_UNITS_MAX_PER_SECOND,
        "AccountMaxWriteCapacityUnits": ACCOUNT_UNITS_MAX_PER_SECOND,
        "TableMaxReadCapacityUnits": TABLE_UNITS_MAX_PER_SECOND,
        "TableMaxWriteCapacityUnits": TABLE_UNITS_MAX_PER_SECOND,
    }
)


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Tell the quotas."""
    return _ANSWER


DESCRIBE_LIMITS = Operation(
    "DescribeLimits", DocumentCodec("DescribeLimits"), on_everything("DescribeLimits"), no_plan, execute
)
