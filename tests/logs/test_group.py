"""A log group: batches on disk, bounds, followers, streams and retention, and what a restart finds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from trine.clock import ManualClock
from trine.logs import limits
from trine.logs.event import LogEvent
from trine.logs.group import LogGroup
from trine.logs.segments import file_name
from trine.logs.store import LogStore


def test_events_are_written_in_batches_and_read_again(tmp_path: Path) -> None:
    clock = ManualClock()
    store = LogStore(clock, tmp_path)
    log = store.group("/aws/lambda/f")
    log.append("s", "r", "one\n")
    clock.advance(0.1)
    log.append("s", "", "twö\n")
    assert not list(tmp_path.iterdir())
    clock.advance(1)
    meta, file = sorted(tmp_path.iterdir())
    assert json.loads(meta.read_bytes())["name"] == "/aws/lambda/f"
    assert file.read_bytes().count(b"\n") == 1
    again = LogStore(ManualClock(), tmp_path).group("/aws/lambda/f")
    assert [event.message for event in again.written()] == ["one\n", "twö\n"]
    with file.open("ab") as opened:
        opened.write(b'[[1,"s","r","half')
    assert len(list(again.written())) == 2


def test_memory_is_bounded(tmp_path: Path) -> None:
    log = LogStore(ManualClock(), None).group("g")
    for number in range(limits.EVENTS_KEPT + 10):
        log.append("s", "", f"{number}\n")
    events = list(log.events())
    assert len(events) == limits.EVENTS_KEPT
    assert events[0].message == "10\n"
    for _ in range(100):
        log.append("s", "", "x" * 200_000)
    assert sum(len(event.message) for event in log.events()) <= limits.MEMORY_MAX_BYTES


def test_files_are_set_aside_when_they_grow(tmp_path: Path) -> None:
    log = LogStore(ManualClock(), tmp_path).group("g")
    for _ in range(3):
        for _ in range(90):
            log.append("s", "", "x" * 200_000)
        log.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.000001.jsonl", "g.000002.jsonl", "g.json", "g.jsonl"]


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = LogStore(ManualClock(), tmp_path / "file").group("g")
    log.append("s", "", "x\n")
    log.flush()
    assert [event.message for event in log.events()] == ["x\n"]


def test_followers_get_what_comes_until_they_stop() -> None:
    log = LogStore(ManualClock(), None).group("g")
    seen: list[LogEvent] = []
    stop = log.follow(seen.append)
    log.append("s", "r", "a\n")
    stop()
    log.append("s", "r", "b\n")
    assert [event.message for event in seen] == ["a\n"]
    assert [event.message for event in log.events(request_id="r")] == ["a\n", "b\n"]


def read(group: LogGroup, start_ms: int = 0, **members: Any) -> list[str]:
    """The messages of a group."""
    return [event.message for event in asyncio.run(group.read(start_ms, 1 << 62, **members))]


def test_a_restart_finds_groups_streams_and_events(tmp_path: Path) -> None:
    clock = ManualClock()
    group = LogStore(clock, tmp_path).group("/aws/lambda/f")
    group.append("one", "r", "a\n")
    clock.advance(1)
    group.append("two", "r", "b\n")
    group.create_stream("empty")
    group.set(retention_days=7, tags={"k": "v"})
    group.flush()

    again = LogStore(clock, tmp_path).find("/aws/lambda/f")
    assert (again.created_ms, again.retention_days, again.tags) == (group.created_ms, 7, {"k": "v"})
    clock.advance(1)
    again.append("two", "r", "c\n")
    streams = asyncio.run(again.streams())
    assert sorted(streams) == ["empty", "one", "two"]
    assert streams["two"].last_ms - streams["two"].first_ms == 1_000
    assert read(again) == ["a\n", "b\n", "c\n"]
    assert read(again, streams=("two",)) == ["b\n", "c\n"]
    assert read(again, int(clock.now() * 1000)) == ["c\n"]


def test_memory_answers_only_what_it_holds_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENTS_KEPT", 3)
    clock = ManualClock()
    group = LogStore(clock, tmp_path).group("g")
    for number in range(6):
        clock.advance(1)
        group.append("s", "", f"{number}\n")
    start_ms = int(clock.now() * 1000) - 5_000
    assert [event.message for event in group.events()] == ["3\n", "4\n", "5\n"]
    assert read(group, start_ms) == [f"{number}\n" for number in range(6)]
    assert read(group, start_ms + 4_000) == ["4\n", "5\n"]


def test_retention(tmp_path: Path) -> None:
    clock = ManualClock()
    group = LogStore(clock, tmp_path).group("g")
    group.append("s", "", "old\n")
    clock.advance(2 * 86_400)
    group.append("s", "", "new\n")
    assert read(group) == ["old\n", "new\n"]
    group.set(retention_days=1, tags={})
    assert read(group) == ["new\n"]


def test_a_deleted_stream_stays_deleted(tmp_path: Path) -> None:
    clock = ManualClock()
    group = LogStore(clock, tmp_path).group("g")
    group.append("gone", "", "a\n")
    group.append("kept", "", "b\n")
    group.delete_stream("gone")
    group.append("gone", "", "c\n")
    group.flush()
    again = LogStore(clock, tmp_path).group("g")
    assert read(group) == read(again) == ["b\n", "c\n"]
    again.clear()
    assert list(tmp_path.iterdir()) == []
    assert LogStore(clock, tmp_path).existing() == []


def test_lines_with_metrics_are_handed_on() -> None:
    seen: list[tuple[str, str]] = []
    store = LogStore(ManualClock(), None)
    group = store.group("g")
    store.on_embedded(lambda name, line: seen.append((name, line)))
    group.append("s", "", "plain", '{"_aws": {}}')
    store.group("h").append("s", "", '{"_aws": 1}')
    assert seen == [("g", '{"_aws": {}}'), ("h", '{"_aws": 1}')]


def test_names_of_files_differ() -> None:
    names = ["/a/b", "a/b", "a+b", "/" + "x" * 511, "/" + "x" * 510 + "y"]
    assert len({file_name(name) for name in names[:2] + names[3:]}) == 4
    assert max(map(len, map(file_name, names))) < 200
