"""Events as EventBridge sends them: of PutEvents' entries, and of schedules.

Pure. Source: EventBridge user guide, "Events" (the envelope) and "Scheduled events".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson

from trine.aws.arn import Place
from trine.events import limits


class EntryRefused(ValueError):
    """An entry of PutEvents that the service does not take; `code` as its answer has it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def instant(moment: float) -> str:
    """`2026-03-01T10:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def event_of(entry: Mapping[str, Any], event_id: str, now: float, place: Place) -> dict[str, Any]:
    """The event of one entry. EntryRefused."""
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            raise EntryRefused(
                "InvalidArgument", f"Parameter {member} is not valid. Reason: {member} is a required argument."
            )
    try:
        detail = orjson.loads(entry["Detail"])
    except orjson.JSONDecodeError:
        detail = None
    if not isinstance(detail, dict):
        raise EntryRefused("MalformedDetail", "Detail is malformed.")
    if size_of(entry) > limits.ENTRY_MAX_BYTES:
        raise EntryRefused("InvalidArgument", f"Total size of the entry exceeds {limits.ENTRY_MAX_BYTES} bytes.")
    return _envelope(
        event_id,
        entry["DetailType"],
        entry["Source"],
        entry.get("Time", now),
        place,
        list(entry.get("Resources") or ()),
        detail,
    )


def size_of(entry: Mapping[str, Any]) -> int:
    """Bytes of an entry, as they count against the limit and on the bill."""
    size = sum(len(str(entry.get(name) or "").encode()) for name in ("Source", "DetailType", "Detail"))
    return size + sum(map(len, entry.get("Resources") or ()))


def scheduled_event(event_id: str, moment: float, place: Place, rule_arn: str) -> dict[str, Any]:
    """What the targets of a rule with a schedule get."""
    return _envelope(event_id, "Scheduled Event", "aws.events", moment, place, [rule_arn], {})


def scheduler_event(event_id: str, moment: float, place: Place, schedule_arn: str) -> dict[str, Any]:
    """What the target of a Scheduler schedule without `Input` gets; its `detail` is a text."""
    return _envelope(event_id, "Scheduled Event", "aws.scheduler", moment, place, [schedule_arn], "{}")


def _envelope(
    event_id: str, detail_type: str, source: str, moment: float, place: Place, resources: list[str], detail: Any
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": place.account_id,
        "time": instant(moment),
        "region": place.region,
        "resources": resources,
        "detail": detail,
    }
