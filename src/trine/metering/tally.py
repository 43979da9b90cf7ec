"""One trace counted: the row it belongs to and what it adds to it. Pure.

Enters a closed `Trace`; leaves `Dimensions` and `Counts`, nothing for traces that cost nothing (control planes). The
receipt and the ledger count with the same functions, so they can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator

from trine.metering.limits import (
    HTTP_API_INCREMENT_BYTES,
    REST_STREAM_INCREMENT_BYTES,
    SOCKET_INCREMENT_BYTES,
    STREAMED_FREE_BYTES,
)
from trine.metering.usage import (
    ELSEWHERE,
    STREAM,
    Counts,
    Dimensions,
    FunctionUse,
    Payer,
    RequestUse,
    SocketUse,
    TableUse,
    add,
    as_table_uses,
    elsewhere,
    function_of,
    root_of,
)
from trine.trace import Trace

FREE_ROOMS = frozenset({"iam.signature", "iam.policy", "apigateway.authorizer", "apigateway.usage-plan",
                        "apigateway.throttle", "apigateway.resource-policy"})  # fmt: skip
"""Where API Gateway refuses without charging: "You're not charged … if the request authorization fails", "when API keys
are required and missing or invalid", "for throttled requests" (developer guide, "Amazon API Gateway pricing")."""
THROTTLING_ROOMS = frozenset({"apigateway.throttle", "apigateway.usage-plan", "dynamodb.throughput"})


def tally(trace: Trace) -> Iterator[tuple[Dimensions, Counts]]:
    """Every row that `trace` itself adds to; its children are counted on their own."""
    if trace.usage is None and trace.kind not in ("lambda", "dynamodb", "apigateway"):
        return
    payer = root_of(trace).payer
    if trace.kind == "apigateway":
        yield tally_request(trace)
    elif trace.kind == "websocket":
        yield tally_socket(trace, payer)
    elif trace.kind == "lambda":
        yield tally_invocation(trace, payer)
    elif trace.kind == "dynamodb":
        yield from tally_table_call(trace, payer, function_of(trace))
    else:
        yield tally_service_call(trace, payer, function_of(trace))


def _dimensions(
    service: str, payer: Payer | str | None, function: str = "", table: str = "", index: str = ""
) -> Dimensions:
    if isinstance(payer, Payer):
        return Dimensions(service, payer.route.text, payer.api_key, payer.caller, function, table, index)
    return Dimensions(service, "", "", payer or "", function, table, index)


def tally_request(trace: Trace) -> tuple[Dimensions, Counts]:
    """A request at the front door."""
    payer: Payer | None = trace.payer
    room = trace.refusal.get("room", "") if trace.refusal is not None else ""
    use: RequestUse = RequestUse(*trace.usage) if trace.usage is not None else RequestUse(True, 0, 0)
    counts: Counts = {"milliseconds": (trace.ended_ns - trace.started_ns) / 1e6, "bytesOut": use.response_bytes}
    if use.log_bytes:
        counts["logBytes"] = use.log_bytes
    if payer is None or (room in FREE_ROOMS and trace.outcome in (401, 403, 429)):
        counts["unbilled"] = 1
    else:
        counts["requests"] = 1
        counts["units"] = 1 if use.rest else metered_units(use.request_bytes, use.response_bytes)
    if trace.outcome >= 400:
        counts["errors"] = 1
    if room in THROTTLING_ROOMS and trace.outcome == 429:
        counts["throttled"] = 1
    return _dimensions("rest" if use.rest else "http", payer), counts


def metered_units(request_bytes: int, response_bytes: int) -> int:
    """API calls that one call of an HTTP API counts as: its larger payload in steps of 512 KB."""
    largest = request_bytes if request_bytes > response_bytes else response_bytes
    return 1 if largest <= HTTP_API_INCREMENT_BYTES else -(-largest // HTTP_API_INCREMENT_BYTES)


def metered_messages(size_bytes: int) -> int:
    """Messages that one message of a WebSocket API counts as: in steps of 32 KB."""
    return max(1, -(-size_bytes // SOCKET_INCREMENT_BYTES))


def tally_socket(trace: Trace, payer: Payer | str | None) -> tuple[Dimensions, Counts]:
    """An event of a WebSocket connection, or a message posted to one. A connect costs nothing by itself."""
    use = SocketUse(*trace.usage)
    counts: Counts = {"milliseconds": (trace.ended_ns - trace.started_ns) / 1e6}
    if use.messages:
        counts |= {"requests": 1, "messages": use.messages}
    if use.minutes:
        counts["connectionMinutes"] = use.minutes
    if use.log_bytes:
        counts["logBytes"] = use.log_bytes
    if trace.outcome >= 400:
        counts["errors"] = 1
    if trace.outcome == 429:
        counts["throttled"] = 1
    return _dimensions("websocket", payer), counts


def tally_invocation(trace: Trace, payer: Payer | str | None) -> tuple[Dimensions, Counts]:
    """An invocation of a function; one that was refused has run nothing and costs nothing."""
    counts: Counts = {}
    if trace.usage is not None:
        use = FunctionUse(*trace.usage)
        counts = {"requests": 1, "milliseconds": use.duration_ms, "billedMs": use.billed_ms}
        add(counts, time_used(use))
        if use.init_ms:
            counts["initMs"] = use.init_ms
            counts["coldStarts"] = 1
        if use.streamed_bytes:
            add(counts, streamed(use, root_of(trace)))
    if trace.refusal is not None or trace.outcome >= 400:
        counts["errors"] = 1
    if trace.outcome == 429:
        counts["throttled"] = 1
    return _dimensions("lambda", payer, trace.title), counts


def tally_service_call(trace: Trace, payer: Payer | str | None, function: str) -> tuple[Dimensions, Counts]:
    """A call to a service that is charged by the call; its `usage` is what it counts as (`iam.door.Charged`)."""
    counts: Counts = {"requests": 1, **trace.usage}
    return _dimensions(trace.kind, payer, function), counts


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


def tally_table_call(trace: Trace, payer: Payer | str | None, function: str) -> Iterator[tuple[Dimensions, Counts]]:
    """A call to the table: one row for the table, one for each index it took units from."""
    counts: Counts = {"requests": 1, "milliseconds": (trace.ended_ns - trace.started_ns) / 1e6}
    if trace.outcome >= 400:
        counts["errors"] = 1
        if trace.refusal is not None and trace.refusal.get("room") == "dynamodb.throughput":
            counts["throttled"] = 1
    uses = table_uses_of(trace)
    if not uses:
        yield _dimensions("table", payer, function, table_of(trace)), counts
        return
    for use in uses:
        if use.index_name == STREAM:
            yield _dimensions("stream", payer, function, use.table), {**counts, "readUnits": use.read_units}
        else:
            units: Counts = {name: units for name, units in (("readUnits", use.read_units),
                                                             ("writeUnits", use.write_units)) if units}  # fmt: skip
            yield _dimensions("table", payer, function, use.table, use.index_name or ""), {**counts, **units}
        counts = {}


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
