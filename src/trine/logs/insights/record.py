"""The fields of one log event, as Insights discovers them: its own, those of a Lambda line, those of JSON. Pure.

Enters an event; leaves values by name, made when they are asked for. Source: user guide, "Supported logs and discovered
fields" (JSON with dots, at most 200 fields; Lambda's REPORT lines, sizes in bytes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from trine.logs.event import LogEvent
from trine.logs.insights.value import Moment, Value, java_double

JSON_FIELDS_MAX_COUNT = 200
"""User guide: "Logs Insights can extract a maximum of 200 log event fields from a JSON log"."""
DEPTH_MAX = 16
BYTES_PER_MB = 1_000_000
"""AWS's sample queries divide by 1000 twice to get what REPORT calls MB."""
_PLATFORM = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_REPORT = {
    "@duration": re.compile(r"\tDuration: ([\d.]+) ms"),
    "@billedDuration": re.compile(r"\tBilled Duration: ([\d.]+) ms"),
    "@initDuration": re.compile(r"\tInit Duration: ([\d.]+) ms"),
    "@memorySize": re.compile(r"\tMemory Size: (\d+) MB"),
    "@maxMemoryUsed": re.compile(r"\tMax Memory Used: (\d+) MB"),
}
_XRAY = re.compile(r"XRAY TraceId: (\S+)\tSegmentId: (\S+)")


class Record:
    """One event with its fields."""

    __slots__ = ("_found", "account_id", "event", "group", "number")

    def __init__(self, event: LogEvent, group: str, account_id: str, number: int) -> None:
        self.event, self.group, self.account_id = event, group, account_id
        self.number = number
        """Among the events of its millisecond."""
        self._found: dict[str, Value] | None = None

    @property
    def message(self) -> str:
        """Its text, without the end of the line."""
        return self.event.message.rstrip("\n")

    def get(self, name: str) -> Value:
        """A field; None when the event has none of that name."""
        if name == "@message":
            return self.message
        if name == "@timestamp":
            return Moment(self.event.timestamp_ms)
        if name == "@ingestionTime":
            return Moment(self.event.ingested_ms or self.event.timestamp_ms)
        if name == "@logStream":
            return self.event.stream
        if name == "@log":
            return f"{self.account_id}:{self.group}"
        return self.discovered().get(name)

    def discovered(self) -> Mapping[str, Value]:
        """Every field that lies in the text."""
        if self._found is None:
            message = self.event.message
            self._found = dict(_of_lambda(message)) if self.group.startswith("/aws/lambda/") else {}
            if self.event.request_id:
                self._found.setdefault("@requestId", self.event.request_id)
            if "{" in message:
                self._found.update(_of_json(message))
        return self._found


def _of_lambda(message: str) -> Iterator[tuple[str, Value]]:
    """What the platform's lines say."""
    platform = _PLATFORM.match(message)
    if platform is None:
        return
    yield "@type", platform[1]
    yield "@requestId", platform[2]
    if platform[1] != "REPORT":
        return
    for name, pattern in _REPORT.items():
        if (found := pattern.search(message)) is not None:
            yield name, java_double(float(found[1]) * BYTES_PER_MB) if "emory" in name else found[1]
    if (traced := _XRAY.search(message)) is not None:
        yield "@xrayTraceId", traced[1]
        yield "@xraySegmentId", traced[2]


def _of_json(message: str) -> Iterator[tuple[str, Value]]:
    """The fields of the text's JSON: of the whole text, else of the first object in it that ends with the text."""
    try:
        document = orjson.loads(message[message.index("{") :])
    except orjson.JSONDecodeError:
        return
    yield from islice(_flat("", document, 0), JSON_FIELDS_MAX_COUNT)


def _flat(prefix: str, value: Any, depth: int) -> Iterator[tuple[str, Value]]:
    if isinstance(value, dict | list):
        if depth < DEPTH_MAX:
            for name, part in value.items() if isinstance(value, dict) else enumerate(value):
                yield from _flat(f"{prefix}.{name}" if prefix else str(name), part, depth + 1)
    elif isinstance(value, bool):
        yield prefix, int(value)  # Insights keeps true as 1
    elif value is not None:
        yield prefix, value
