"""Following logs: the latest lines first, then each new one; a reader that is too slow is told what it missed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from trine.clock import ManualClock
from trine.console.log_stream import QUEUE_MAX, LogStream, latest_events
from trine.logs.group import LogGroup
from trine.logs.store import LogStore


def test_lines_of_several_functions_come_in_order_of_time() -> None:
    clock = ManualClock()
    first, second = LogGroup("/aws/lambda/a", None, clock), LogGroup("/aws/lambda/b", None, clock)
    for number in range(3):
        (first, second)[number % 2].append("stream", "r", f"line {number}")
        clock.advance(1)
    latest = asyncio.run(latest_events([first, second], 2, "line"))
    assert [event["message"] for event in latest] == ["line 1", "line 2"]
    assert asyncio.run(latest_events([first, second], 10, "2"))[0]["function"] == "a"


def test_lines_of_earlier_runs_come_first(tmp_path: Path) -> None:
    async def scenario() -> dict[str, list[str]]:
        clock = ManualClock(start=1_000_000.0)
        earlier = LogStore(clock, tmp_path).group("/aws/lambda/a")
        earlier.append("stream", "r", "one")
        clock.advance(60)
        earlier.append("stream", "r", "two")
        earlier.flush()
        clock.advance(60)
        group = LogStore(clock, tmp_path).group("/aws/lambda/a")
        group.append("stream", "r", "three")
        since_ms = int((clock.now() - 90) * 1000)
        wishes = {"all": (10, 0), "last two": (2, 0), "since": (10, since_ms), "in memory": (1, 0)}
        seen = {
            name: [event["message"] for event in await latest_events([group], limit, "", since)]
            for name, (limit, since) in wishes.items()
        }
        lines = LogStream([group], 10, "").lines()
        seen["followed"] = [json.loads(await anext(lines))["message"] for _ in range(3)]
        await lines.aclose()
        return seen

    assert asyncio.run(scenario()) == {
        "all": ["one", "two", "three"],
        "last two": ["two", "three"],
        "since": ["two", "three"],
        "in memory": ["three"],
        "followed": ["one", "two", "three"],
    }


def test_a_follower_gets_what_was_and_what_comes() -> None:
    async def scenario() -> list[str]:
        log = LogGroup("/aws/lambda/a", None, ManualClock())
        log.append("stream", "r", "before")
        lines = LogStream([log], 10, "").lines()
        seen = [json.loads(await anext(lines))["message"]]
        log.append("stream", "r", "after")
        log.append("stream", "r", "later")
        seen += [json.loads(line)["message"] for line in (await anext(lines)).splitlines()]
        await lines.aclose()
        log.append("stream", "r", "nobody listens")
        return seen

    assert asyncio.run(scenario()) == ["before", "after", "later"]


def test_a_flood_is_bounded_and_counted() -> None:
    async def scenario() -> str:
        log = LogGroup("/aws/lambda/a", None, ManualClock())
        log.append("stream", "r", "before")
        lines = LogStream([log], 10, "").lines()
        await anext(lines)
        for number in range(QUEUE_MAX + 7):
            log.append("stream", "r", f"line {number}")
        batch = (await anext(lines)).splitlines()
        return str(json.loads(batch[-1])["message"])

    assert asyncio.run(scenario()) == "[7 lines came too quickly and are left out]"
