"""The words in which wings say what a request consumed, and those in which it is counted.

A wing sets `Trace.usage` to one of the tuples below and `Trace.payer` to who pays: plain tuples, because one is made
for each request and hardly any is ever looked at alone. `Dimensions` and `Counts` are a row of the ledger.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from trine.metering.limits import NAME_MAX_CHARACTERS, OTHER, PAYERS_MAX_COUNT, USES_MAX_COUNT
from trine.trace import Trace

STREAM = "(stream)"
"""Stands in the place of an index where a table's stream was read."""


class RouteName:
    """One route of one API's stage; made once, compared by identity."""

    __slots__ = ("api_id", "api_name", "method", "path", "rest", "stage", "text")

    def __init__(self, api_id: str, api_name: str, stage: str, method: str, path: str, *, rest: bool) -> None:
        self.api_id, self.api_name, self.stage = api_id, api_name, stage
        self.method, self.path, self.rest = method, path, rest
        key = path if path == "$default" or not method else f"{method} {path}"
        self.text = f"{api_name or api_id}/{stage} {key}"
        """For people and for the ledger: `profiles/Prod GET /users/{id}`."""


class Payer:
    """On whose account a request and everything it causes goes; compared by identity."""

    __slots__ = ("api_key", "caller", "route")

    def __init__(self, route: RouteName, api_key: str = "", caller: str = "") -> None:
        self.route, self.api_key, self.caller = route, api_key, caller


class Payers:
    """Every payer seen, so that equal ones are one; a bounded number."""

    def __init__(self) -> None:
        self._known: dict[tuple[RouteName, str, str], Payer] = {}
        self.merged = 0
        """Requests whose caller was counted as `(other)`, because there were too many different ones."""

    def of(self, route: RouteName, api_key: str, caller: str) -> Payer:
        """The payer of these names; with too many of them, the one that stands for all others of the route."""
        names = (route, api_key, caller[:NAME_MAX_CHARACTERS])
        known = self._known.get(names)
        if known is None:
            if len(self._known) >= PAYERS_MAX_COUNT:
                self.merged += 1
                names = (route, api_key and OTHER, OTHER)
                known = self._known.get(names)
            if known is None:
                known = self._known[names] = Payer(*names)
        return known


class RequestUse(NamedTuple):
    """What a request took of the front door."""

    rest: bool
    request_bytes: int
    """Length of its body."""
    response_bytes: int
    """Length of the answer's body and of its header lines."""
    log_bytes: int = 0
    """What it added to the stage's access and execution logs."""
    integration_ns: int | None = None
    """From its event to the integration's answer, in nanoseconds; None when there was no integration."""


class SocketUse(NamedTuple):
    """What an event of a WebSocket connection, or a message posted to one, took of the front door."""

    messages: int
    """Messages either way, as they are metered: by 32 KB."""
    minutes: float
    """Time that a connection which has ended was open."""
    log_bytes: int = 0
    """What it added to the stage's access log."""


class FunctionUse(NamedTuple):
    """What an invocation took of its function."""

    memory_mb: int
    duration_ms: float
    billed_ms: int
    init_ms: float
    """The INIT phase in `billed_ms`; 0 in a warm environment."""
    arm: bool = False
    """Whether its architecture is arm64, which has a price of its own."""
    extra_storage_mb: int = 0
    """Ephemeral storage beyond the 512 MB that cost nothing."""
    kept_ready: bool = False
    """Whether it ran in an environment of provisioned concurrency, whose time has a price of its own."""
    log_bytes: int = 0
    """What it added to the function's log, the platform's own lines included."""
    streamed_bytes: int = 0
    """The size of its answer, where that was streamed."""


ELSEWHERE = "@"
"""Between the name of a table and its region; no table's name holds it."""


def elsewhere(table: str, region: str) -> str:
    """What a table is called that lies in another region than the stack's: `Users@eu-west-1`."""
    return f"{table}{ELSEWHERE}{region}"


class TableUse(NamedTuple):
    """What a request took of one table or index; `Trace.usage` of the table wing is a tuple of these."""

    table: str
    index_name: str | None
    read_units: float
    write_units: float


TableUses = tuple[tuple[str, str | None, float, float], ...]
"""`TableUse`s without their names: the hot path makes one for each request."""


class Uses(dict[float, TableUses]):
    """Units → what a request says that took so many of one table and nothing else. Few amounts occur, so each is made
    once; equal requests then share it, and are seen to be alike by a look (`batch`).
    """

    def __init__(self, table: str, *, writes: bool) -> None:
        self._table, self._writes = table, writes

    def __missing__(self, units: float) -> TableUses:
        use = (self._table, None, 0.0, units) if self._writes else (self._table, None, units, 0.0)
        if len(self) < USES_MAX_COUNT:
            self[units] = (use,)
        return (use,)


def take(trace: Trace, table: str, index: str | None, read_units: float, write_units: float) -> None:
    """Add to what a table's request has consumed so far."""
    trace.usage = _taken(trace.usage, table, index, read_units, write_units)


@lru_cache(USES_MAX_COUNT)
def _taken(used: TableUses | None, table: str, index: str | None, read_units: float, write_units: float) -> TableUses:
    """Requests that took the same share one value: equal ones are then seen to be alike by a look (`batch`)."""
    for at, (name, of_index, read, write) in enumerate(used or ()):
        if used and name == table and of_index == index:
            more = (table, index, read + read_units, write + write_units)
            return (*used[:at], more, *used[at + 1 :])
    return (*(used or ()), (table, index, read_units, write_units))


FRONT_DOOR = frozenset({"rest", "http", "websocket"})
"""The services whose calls are those of clients."""


class Dimensions(NamedTuple):
    """What usage is told apart by. Empty where a name does not apply."""

    service: str
    """`rest`, `http`, `websocket`, `lambda`, `table`, `stream`; `cloudwatch`, `logs`, `sqs`, `sns`, `events`,
    `scheduler`."""
    route: str = ""
    api_key: str = ""
    caller: str = ""
    function: str = ""
    table: str = ""
    index_name: str = ""


Counts = dict[str, float]
"""Of one row: see `COUNTED`. Names that are missing are zero."""

COUNTED = {
    "requests": "requests that are charged for: API calls, invocations, calls to the table",
    "unbilled": "API calls that AWS does not charge: refused by authorization, API key or throttling",
    "errors": "requests that failed (status 400 and above; for functions, a function error)",
    "throttled": "requests refused because a limit was reached",
    "units": "calls as they are metered: HTTP APIs by 512 KB, queues, topics and events by 64 KB",
    "fifoUnits": "the same of FIFO queues and topics",
    "metricHours": "hours in which there were data of a metric of your own, one for each metric",
    "messages": "messages of WebSocket APIs, either way, as they are metered: by 32 KB",
    "connectionMinutes": "minutes that WebSocket connections were open, counted when they end",
    "bytesOut": "bytes of answers to HTTP clients",
    "milliseconds": "time taken, summed",
    "billedMs": "billed milliseconds of functions, INIT included",
    "mbMs": "billed milliseconds times MB of memory, x86",
    "armMbMs": "the same of functions with the architecture arm64",
    "readyMbMs": "the same in environments of provisioned concurrency, x86",
    "armReadyMbMs": "the same in environments of provisioned concurrency, arm64",
    "storageMbMs": "billed milliseconds times MB of ephemeral storage beyond 512",
    "logBytes": "bytes that functions, APIs and calls added to logs",
    "restUnits": "API calls that streamed answers of REST APIs count as beyond the first, by 10 MB",
    "scannedBytes": "bytes of logs that queries have read",
    "streamedBytes": "bytes of streamed answers, without the first 6 MB of each",
    "initMs": "INIT milliseconds, contained in billedMs",
    "coldStarts": "invocations that began with an INIT phase",
    "readUnits": "read units consumed",
    "writeUnits": "write units consumed",
}
"""Every name in `Counts`, and what it counts."""


def add(total: Counts, more: Counts) -> None:
    """Add `more` to `total`, name by name."""
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def root_of(trace: Trace) -> Trace:
    """The request that caused this one: itself when nobody did."""
    while trace.parent is not None:
        trace = trace.parent
    return trace


def function_of(trace: Trace) -> str:
    """The function whose code made this call; empty when none did."""
    above = trace.parent
    while above is not None:
        if above.kind == "lambda":
            return above.title
        above = above.parent
    return ""


def as_table_uses(usage: Any) -> list[TableUse]:
    """`Trace.usage` of the table wing, with names."""
    return [TableUse(*use) for use in usage or ()]
