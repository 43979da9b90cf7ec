"""One request's trace as text: a waterfall of rooms with their times, and the refusal that ended it.

Enters the document that `Trace.as_document` makes, leaves lines for a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

BAR_WIDTH = 28
DETAIL_MAX = 160


def render(document: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one trace and of what it caused."""
    total_micros = max(1, int(document["endMicros"]))
    status = document["status"] or "under way"
    yield f"{printable(document['title'] or document['kind'])} → {status} in {milliseconds(total_micros)} ms"
    yield f"request id {document['requestId']}"
    yield ""
    yield f"{'at ms':>9} {'took ms':>9}"
    yield from _rows(document, total_micros, depth=0)
    refusals = list(_refusals(document))
    for refusal, trace in refusals:
        yield ""
        yield f"Refused by {refusal['room']} ({printable(trace['title'] or trace['kind'])}):"
        yield f"  {printable(str(refusal['reason']), limit=2000)}"
        for name, value in refusal.items():
            if name not in ("room", "reason"):
                yield f"  {name}: {printable(_value(value), limit=2000)}"
    if not refusals and document["status"] and document["status"] < 400:
        yield ""
        yield "Nothing was refused."
    if document.get("receipt") is not None:
        yield ""
        yield from receipt_lines(document["receipt"])


def receipt_lines(receipt: Mapping[str, Any]) -> Iterator[str]:
    """What the request cost, at the price list's first tier."""
    yield f"Receipt: ${receipt['usd']:.10f}, ${receipt['usdPerMillion']:.2f} for a million such requests"
    for line in receipt["lines"]:
        what = printable(f"{line['meter']} {line['what']}".rstrip())
        yield f"  ${line['usd']:.10f}  {line['amount']:>12.6g} {line['unit']:<34} {what}"
    if not receipt["lines"]:
        yield "  nothing on the price list"
    for found in receipt.get("pointedOut", ()):
        where = f"{found['table']}/{found['index']}" if found.get("index") else found["table"]
        yield printable(
            f"  ! this {found['operation']} of {where} read {found['scannedCount']} items to return "
            f"{found['returnedCount']}: ${found['usdPerMillion']:.2f} a million"
            + (f"; instead: {found['instead']}" if found.get("instead") else ""),
            limit=400,
        )
    if receipt["incomplete"]:
        yield "  (more calls were made than a trace remembers; the bill has them all)"


def _rows(document: Mapping[str, Any], total_micros: int, depth: int) -> Iterator[str]:
    """Steps and children in the order in which they began, so that cause stands above effect."""
    indent = "  " * depth
    events: list[tuple[int, int, Mapping[str, Any]]] = [(step["startMicros"], 0, step) for step in document["steps"]]
    events += [(child["startMicros"], 1, child) for child in document["children"]]
    for _, is_child, event in sorted(events, key=lambda entry: (entry[0], entry[1])):
        begin, end = event["startMicros"], max(event["endMicros"], event["startMicros"])
        bar = _bar(begin, end, total_micros)
        took = f"{milliseconds(begin):>9} {milliseconds(end - begin):>9}"
        if is_child:
            title = printable(event["title"] or event["kind"])
            yield f"{took} {bar} {indent}▼ {title} → {event['status'] or 'under way'}  [{event['requestId']}]"
            yield from _rows(event, total_micros, depth + 1)
        else:
            yield f"{took} {bar} {indent}{event['room']}{_detail(event['detail'])}"


def _refusals(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if document["refusal"] is not None:
        yield document["refusal"], document
    for child in document["children"]:
        yield from _refusals(child)


def _bar(begin: int, end: int, total: int) -> str:
    first = min(BAR_WIDTH - 1, begin * BAR_WIDTH // total)
    last = min(BAR_WIDTH, max(first + 1, -(-end * BAR_WIDTH // total)))
    return "·" * first + "█" * (last - first) + "·" * (BAR_WIDTH - last)


def _detail(detail: Mapping[str, Any] | None) -> str:
    if not detail:
        return ""
    return printable("  " + "  ".join(f"{name}={_value(value)}" for name, value in detail.items() if name != "room"))


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(part) for part in value) or "none"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(part)}" for name, part in value.items()) + "}"
    return "none" if value is None else str(value)


def printable(text: str, limit: int = DETAIL_MAX) -> str:
    """`text` without what could move the cursor or reverse the line: paths and names come from strangers."""
    text = text.rstrip("\r\n").replace("\t", "  ").replace("\r\n", "\n").replace("\n", " ⏎ ")
    shown = "".join(
        character if character == " " or unicodedata.category(character)[0] not in "CZ" else "�"
        for character in text[: limit + 1]
    )
    return shown if len(shown) <= limit else shown[:limit] + "…"


def milliseconds(micros: int) -> str:
    """Microseconds as milliseconds with two digits."""
    return f"{micros / 1000:.2f}"
