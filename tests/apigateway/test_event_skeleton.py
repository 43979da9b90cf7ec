"""Events from skeletons are the bytes that would have been written whole, whatever the request."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from trine.apigateway import event_skeleton
from trine.apigateway.event import http_document_v2
from trine.apigateway.event_skeleton import EventsV2
from trine.apigateway.exchange import Exchange

PATHS = ("/users", "/users", "/users/7", "/users/%C3%A9%22%5C", "/users/a%2Fb", "/users/%01%FF", "/nowhere/else")
HEADERS: tuple[dict[str, str], ...] = (
    {"user-agent": "curl/8", "accept": "*/*"},
    {"user-agent": 'quo"te\\', "X-Amzn-Trace-Id": 'Root=1-5759e988-bd862e3fe1be46a994272793;Lineage="x"'},
    {"Cookie": "a=1; b=2", "x-forwarded-for": "10.0.0.1", "X-Two": "\xe9"},
    {"x-mark": "\\u00010", "x-other": '"\\u00011"'},
    {},
)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes, bool]]:
    """Of each event: as it was written, as it is written whole, and whether a skeleton was filled for it."""
    seen: list[tuple[bytes, bytes, bool]] = []
    event = EventsV2.event

    def noted(self: EventsV2, exchange: Exchange) -> bytes:
        hits = self._hits
        found = event(self, exchange)
        seen.append((found, orjson.dumps(http_document_v2(exchange, self._forwarded)), self._hits > hits))
        return found

    monkeypatch.setattr(EventsV2, "event", noted)
    return seen


def test_every_event_is_the_one_that_is_written_whole(http_door: Any, written: list[tuple[bytes, bytes, bool]]) -> None:
    chance = random.Random(5)
    for _ in range(300):
        path = chance.choice(PATHS) + chance.choice(("", "", "", "?a=1&b=%20"))
        http_door.call(chance.choice(("GET", "POST")), path, chance.choice(HEADERS), chance.choice((b"", b"", b"{}")))
        http_door.clock.advance(chance.choice((0, 0.5, 61)))
    assert [found for found, whole, _ in written if found != whole] == []
    assert sum(filled for _, _, filled in written) > 60
    assert sum(not filled for _, _, filled in written) > 60


def test_headers_that_are_different_each_time_are_given_up_and_tried_again_later(
    http_door: Any, written: list[tuple[bytes, bytes, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_skeleton, "_TRIAL_COUNT", 10)
    monkeypatch.setattr(event_skeleton, "_REST_COUNT", 20)
    for number in range(12):
        http_door.call("GET", "/users", {"x-number": str(number)})
    same = {"user-agent": "same"}
    for _ in range(30):
        http_door.call("GET", "/users", same)
    filled = [filled for _, _, filled in written]
    assert not any(filled[:31])
    assert all(filled[-8:])


def test_no_more_than_so_many_are_kept(
    http_door: Any, written: list[tuple[bytes, bytes, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_skeleton, "_KEPT", 3)
    for number in (1, 2, 3, 4, 1, 4):
        http_door.call("GET", "/users", {"x-number": str(number)})
    assert [filled for _, _, filled in written] == [False] * 5 + [True]
