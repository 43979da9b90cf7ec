"""What of a trace is metered in AWS's increments, and what it says of tables. Pure.

Enters sizes, times and titles of a request; leaves what they count as. The kinds of usage (`kinds`) make rows of it.
"""

from __future__ import annotations

from trine.metering.limits import (
    HTTP_API_INCREMENT_BYTES,
    REST_STREAM_INCREMENT_BYTES,
    SOCKET_INCREMENT_BYTES,
    STREAMED_FREE_BYTES,
)
from trine.metering.usage import (
    ELSEWHERE,
    Counts,
    FunctionUse,
    TableUse,
    as_table_uses,
    elsewhere,
)
from trine.trace import Trace


def metered_units(request_bytes: int, response_bytes: int) -> int:
    """API calls that one call of an HTTP API counts as: its larger payload in steps of 512 KB."""
    largest = request_bytes if request_bytes > response_bytes else response_bytes
    return 1 if largest <= HTTP_API_INCREMENT_BYTES else -(-largest // HTTP_API_INCREMENT_BYTES)


def metered_messages(size_bytes: int) -> int:
    """Messages that one message of a WebSocket API counts as: in steps of 32 KB."""
    return max(1, -(-size_bytes // SOCKET_INCREMENT_BYTES))


_TIMES = {(False, False): "mbMs", (True, False): "armMbMs", (False, True): "readyMbMs", (True, True): "armReadyMbMs"}
"""(arm64, in an environment of provisioned concurrency) → what its time counts as."""
_ASKED_FROM_OUTSIDE = frozenset({"apigateway", "lambda-url"})


def time_used(use: FunctionUse) -> Counts:
    """What an invocation took of memory, storage and log."""
    counts: Counts = {_TIMES[use.arm, use.kept_ready]: use.billed_ms * use.memory_mb}
    if use.extra_storage_mb:
        counts["storageMbMs"] = use.billed_ms * use.extra_storage_mb
    if use.log_bytes:
        counts["logBytes"] = use.log_bytes
    return counts


def streamed(use: FunctionUse, root: Trace) -> Counts:
    """What a streamed answer counts as; one to a client of an API or a function URL leaves AWS as well."""
    counts: Counts = {"streamedBytes": max(0, use.streamed_bytes - STREAMED_FREE_BYTES)}
    if root.kind == "apigateway" and use.streamed_bytes > REST_STREAM_INCREMENT_BYTES:
        counts["restUnits"] = -(-use.streamed_bytes // REST_STREAM_INCREMENT_BYTES) - 1  # the call itself is the first
    if root.kind in _ASKED_FROM_OUTSIDE:
        counts["bytesOut"] = use.streamed_bytes
    return counts


def table_uses_of(trace: Trace) -> list[TableUse]:
    """What a call took of tables and indexes, under the names that tell those of several regions apart."""
    uses = as_table_uses(trace.usage)
    _, apart, region = table_of(trace).partition(ELSEWHERE)
    return [use._replace(table=elsewhere(use.table, region)) for use in uses] if apart else uses


def table_of(trace: Trace) -> str:
    """The table that a call named, from its title `dynamodb:GetItem Users`; empty when it named none."""
    return trace.title.partition(" ")[2].partition("/")[0]


def operation_of(trace: Trace) -> str:
    """The operation of a table's call: `GetItem`."""
    return trace.title.partition(" ")[0].removeprefix("dynamodb:")
