"""Function logs: lines cut from any stream, bounded memory, files that survive, followers."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trine.awslambda import limits
from trine.awslambda.log import LineCutter, LogEvent, LogStore, stream_name
from trine.clock import ManualClock


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_lines_are_the_same_however_the_stream_is_cut(pieces: list[bytes]) -> None:
    cutter = LineCutter()
    lines = [line for piece in pieces for line in cutter.feed(piece)] + cutter.rest()
    whole = LineCutter()
    assert lines == whole.feed(b"".join(pieces)) + whole.rest()
    assert all(line.endswith("\n") for line in lines)


def test_a_long_line_comes_in_pieces() -> None:
    cutter = LineCutter()
    lines = cutter.feed(b"x" * (limits.LOG_LINE_MAX_BYTES * 2 + 5)) + cutter.rest()
    assert sum(len(line) - 1 for line in lines) == limits.LOG_LINE_MAX_BYTES * 2 + 5
    assert max(map(len, lines)) == limits.LOG_LINE_MAX_BYTES + 1


def test_carriage_returns_inside_an_event_are_its_line_breaks() -> None:
    assert LineCutter().feed(b"[ERROR] a\rb\rc\n") == ["[ERROR] a\nb\nc\n"]


def test_events_are_written_in_batches_and_read_again(tmp_path: Path) -> None:
    clock = ManualClock()
    store = LogStore(clock, tmp_path)
    log = store.group("/aws/lambda/f")
    log.append("s", "r", "one\n")
    clock.advance(0.1)
    log.append("s", "", "twö\n")
    assert not list(tmp_path.iterdir())
    clock.advance(1)
    (file,) = tmp_path.iterdir()
    assert file.read_bytes().count(b"\n") == 1
    again = LogStore(ManualClock(), tmp_path).group("/aws/lambda/f")
    assert [event.message for event in again.written()] == ["one\n", "twö\n"]
    with file.open("ab") as opened:
        opened.write(b'[[1,"s","r","half')
    assert len(list(again.written())) == 2


def test_memory_is_bounded(tmp_path: Path) -> None:
    log = LogStore(ManualClock(), None).group("g")
    for number in range(limits.LOG_EVENTS_KEPT + 10):
        log.append("s", "", f"{number}\n")
    events = list(log.events())
    assert len(events) == limits.LOG_EVENTS_KEPT
    assert events[0].message == "10\n"
    for _ in range(100):
        log.append("s", "", "x" * 200_000)
    assert sum(len(event.message) for event in log.events()) <= limits.LOG_MEMORY_MAX_BYTES


def test_files_are_set_aside_when_they_grow(tmp_path: Path) -> None:
    log = LogStore(ManualClock(), tmp_path).group("g")
    for _ in range(3):
        for _ in range(90):
            log.append("s", "", "x" * 200_000)
        log.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.jsonl", "g.old.jsonl"]


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


def test_the_name_of_a_stream() -> None:
    assert stream_name(1_795_392_000.0, "$LATEST", "ab") == "2026/11/23/[$LATEST]ab"
