"""`@ptr`: what leads from a row of results back to its event. Pure.

Enters a record, leaves a text that GetLogRecord reads again.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from trine.logs.errors import InvalidParameter
from trine.logs.insights.record import Record


class Pointer(NamedTuple):
    """The place of one event."""

    group: str
    timestamp_ms: int
    number: int


def pointer_of(record: Record) -> str:
    """The text that leads to an event."""
    place = [record.group, record.event.timestamp_ms, record.number]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def read_pointer(given: str) -> Pointer:
    """The place that a text names. InvalidParameter."""
    try:
        place = orjson.loads(base64.b64decode(given.encode(), b"-_", validate=True))
        group, timestamp_ms, number = place
        if isinstance(group, str) and isinstance(timestamp_ms, int) and isinstance(number, int):
            return Pointer(group, timestamp_ms, number)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise InvalidParameter("The specified log record pointer is invalid.")
