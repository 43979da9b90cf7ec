"""Pages of log events: what GetLogEvents and FilterLogEvents answer, and the tokens that lead from page to page.

Enters events in the order of their time, leaves pages. An event's place is its time and its number among the events of
that millisecond: that is its id, and what a token names, so both stay the same while events are added.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trine.logs import limits
from trine.logs.errors import InvalidParameter
from trine.logs.event import LogEvent
from trine.logs.pattern_term import Predicate

Place = tuple[int, int]
"""Milliseconds, and the number among the events of that millisecond."""


class Filtered(NamedTuple):
    """One page of FilterLogEvents. `token` leads to the next page; None when there is none."""

    events: list[tuple[Place, LogEvent]]
    token: str | None


class Page(NamedTuple):
    """One page of GetLogEvents, with the tokens that lead on and back."""

    events: Sequence[LogEvent]
    forward: str
    backward: str


def placed(events: Sequence[LogEvent]) -> Iterator[tuple[Place, LogEvent]]:
    """Each event with its place."""
    last_ms, number = -1, 0
    for event in events:
        number = number + 1 if event.timestamp_ms == last_ms else 0
        last_ms = event.timestamp_ms
        yield (last_ms, number), event


def event_id(place: Place) -> str:
    """56 digits, as AWS's event ids."""
    return f"{place[0]:020}{place[1]:036}"


def filter_page(
    events: Sequence[tuple[Place, LogEvent]], matches: Predicate, after: Place | None, limit: int
) -> Filtered:
    """Up to `limit` events (and 1 MB) behind `after` that a pattern lets through."""
    found: list[tuple[Place, LogEvent]] = []
    size_bytes = 0
    for place, event in events:
        if after is not None and place <= after:
            continue
        if not matches(event.message):
            continue
        size_bytes += len(event.message.encode())
        if found and (len(found) >= limit or size_bytes > limits.PAGE_BYTES):
            return Filtered(found, write_token("n", found[-1][0]))
        found.append((place, event))
    return Filtered(found, None)


def stream_page(events: Sequence[tuple[Place, LogEvent]], token: str | None, limit: int, from_head: bool) -> Page:
    """A page of one stream. At either end the same token comes back, with no events. Raises InvalidParameter."""
    if token is None:
        chosen = _cut(events, limit, from_head)
        here: Place = (0, 0)
    else:
        kind, here = read_token(token, "fb")
        if kind == "f":
            chosen = _cut([one for one in events if one[0] > here], limit, True)
        else:
            chosen = _cut([one for one in events if one[0] < here], limit, False)
    first = chosen[0][0] if chosen else here
    last = chosen[-1][0] if chosen else here
    return Page([event for _, event in chosen], write_token("f", last), write_token("b", first))


def _cut(events: Sequence[tuple[Place, LogEvent]], limit: int, from_head: bool) -> Sequence[tuple[Place, LogEvent]]:
    size_bytes = count = 0
    for _, event in events if from_head else reversed(events):
        size_bytes += len(event.message.encode())
        if count >= limit or (count and size_bytes > limits.PAGE_BYTES):
            break
        count += 1
    if not count:
        return ()
    return events[:count] if from_head else events[-count:]


def write_token(kind: str, place: Place) -> str:
    """A token of one letter and a place."""
    return f"{kind}/" + base64.urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode()


def read_token(token: str, kinds: str) -> tuple[str, Place]:
    """(letter, place) of a token. Raises InvalidParameter for one that was not given out here."""
    kind, _, encoded = token.partition("/")
    try:
        if kind in tuple(kinds):
            milliseconds, _, number = base64.b64decode(encoded.encode(), b"-_", validate=True).decode().partition(":")
            return kind, (int(milliseconds), int(number))
    except (binascii.Error, ValueError):
        pass
    raise InvalidParameter("The specified nextToken is invalid.")
