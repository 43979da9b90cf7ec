"""Log files read from their ends: the same values as forwards, whatever the blocks cut, and no more than needed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trine.clock import ManualClock
from trine.logs import backwards, limits
from trine.logs.backwards import opened, values_backwards
from trine.logs.store import LogStore


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.one_of(st.text(max_size=40), st.integers(0, 10**6)), max_size=30), st.integers(1, 50))
def test_backwards_is_forwards_turned_round(tmp_path: Path, values: list[object], block_bytes: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"".join(orjson.dumps(value) + b"\n" for value in values) + b'{"cut sho')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backwards, "BLOCK_BYTES", block_bytes)
        ended = opened(path)
        assert ended is not None
        with ended.file:
            assert list(values_backwards(ended)) == values[::-1]


def test_what_comes_after_it_was_opened_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1\n")
    ended = opened(path)
    assert ended is not None
    with path.open("ab") as file:
        file.write(b"2\n")
    with ended.file:
        assert list(values_backwards(ended)) == [1]
    assert opened(tmp_path / "nothing") is None


def test_the_latest_lines_of_many_files_without_reading_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEGMENT_MAX_BYTES", 500)
    clock = ManualClock(1_800_000_000.0)
    group = LogStore(clock, tmp_path).group("/aws/lambda/f")
    for number in range(60):
        group.append("gone" if number % 10 == 9 else "stays", "r", f"line {number}")
        clock.advance(1)
        group.flush()
    group.delete_stream("gone")
    group.flush()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) > 4
    for path in files[:2]:  # the second one by age would make it fail if it were read
        path.write_bytes(b"\xff" * 10)

    async def latest(limit: int, since_ms: int = 0, text: str = "") -> list[str]:
        fresh = LogStore(clock, tmp_path).group("/aws/lambda/f")
        return [event.message for event in await fresh.latest(limit, since_ms, lambda message: text in message)]

    assert asyncio.run(latest(3)) == ["line 56", "line 57", "line 58"]
    assert asyncio.run(latest(2, text="7")) == ["line 47", "line 57"]
    since_ms = int((clock.now() - 3) * 1000)
    assert asyncio.run(latest(100, since_ms)) == ["line 57", "line 58"]
