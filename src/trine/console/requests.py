"""The stream of requests as the console lists it: one line for each, newest first, with filters.

Enters the trace book and a query; leaves summaries. What a summary leaves out, `explain` shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import nlargest
from typing import Any

from trine.metering.usage import Payer, function_of, root_of
from trine.trace import Trace, TraceBook

KINDS = ("apigateway", "lambda", "dynamodb")
COUNT_MAX = 500
LOOKED_AT_MAX = 2_000
"""Of each kind; a filter that fits nothing must not walk for ever."""


def summaries(traces: TraceBook, query: Mapping[str, str], count: int) -> list[dict[str, Any]]:
    """The latest requests that fit: `kind` (`root`: those that came from outside), `status` (`2`, `4`, `5`, `refused`),
    `text` (in the title or the request id)."""
    kind = query.get("kind", "root")
    kinds = (kind,) if kind in KINDS else KINDS
    found = (trace for one in kinds for trace in traces.latest(one, LOOKED_AT_MAX))
    fitting = (trace for trace in found if _fits(trace, query, roots=kind == "root"))
    return [summary(trace) for trace in nlargest(count, fitting, key=lambda trace: trace.started_ns)]


def _fits(trace: Trace, query: Mapping[str, str], *, roots: bool) -> bool:
    if roots and trace.parent is not None:
        return False
    wanted = query.get("status", "")
    if wanted == "refused" and trace.refusal is None:
        return False
    if wanted in ("2", "3", "4", "5") and trace.outcome // 100 != int(wanted):
        return False
    text = query.get("text", "").lower()
    return not text or text in trace.title.lower() or text in trace.request_id.lower()


def summary(trace: Trace) -> dict[str, Any]:
    """One line."""
    payer = root_of(trace).payer
    ended_ns = trace.ended_ns or trace.started_ns
    return {
        "requestId": trace.request_id,
        "kind": trace.kind,
        "title": trace.title or trace.kind,
        "status": trace.outcome,
        "startedAt": trace.started_at,
        "micros": (ended_ns - trace.started_ns) // 1000,
        "route": payer.route.text if isinstance(payer, Payer) else None,
        "function": trace.title if trace.kind == "lambda" else function_of(trace) or None,
        "refusedBy": trace.refusal.get("room") if trace.refusal is not None else None,
        "reason": str(trace.refusal.get("reason"))[:300] if trace.refusal is not None else None,
        "calls": _calls(trace),
    }


def _calls(trace: Trace) -> dict[str, int]:
    """How many requests of each kind it caused."""
    counts: dict[str, int] = {}
    for child in _below(trace):
        counts[child.kind] = counts.get(child.kind, 0) + 1
    return counts


def _below(trace: Trace) -> Iterator[Trace]:
    for child in trace.children:
        yield child
        yield from _below(child)
