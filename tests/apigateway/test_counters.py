"""Counters in a mapped file: several processes, kills, growth, files that are none of ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trine.apigateway import counters as room
from trine.apigateway.counters import Counters, CountersUnusable
from trine.apigateway.throttle import BUCKET, Buckets, TokenBucket
from trine.clock import ManualClock

TAKER = """
import sys
from pathlib import Path
from trine.apigateway.counters import Counters
from trine.apigateway.throttle import BUCKET, Buckets
from trine.clock import SystemClock

clock = SystemClock()
bucket = Buckets(clock, Counters(Path(sys.argv[1]), BUCKET.size)).bucket("all", "all", 0, 20_000)
print("ready", flush=True)
sys.stdin.readline()
taken = 0
while bucket.take():
    taken += 1
    if taken == 100:
        print("began", flush=True)
print(taken, flush=True)
"""


def bucket(path: Path | None, clock: ManualClock, key: str = "k", rate: float = 1, burst: float = 3) -> TokenBucket:
    return Buckets(clock, Counters(path, BUCKET.size)).bucket(key, "the bucket", rate, burst)


def start(path: Path) -> subprocess.Popen[str]:
    taker = subprocess.Popen(
        [sys.executable, "-c", TAKER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert taker.stdout is not None
    assert taker.stdout.readline() == "ready\n"
    return taker


def go(taker: subprocess.Popen[str]) -> None:
    assert taker.stdin is not None
    taker.stdin.write("\n")
    taker.stdin.flush()


def test_processes_take_each_token_once(tmp_path: Path) -> None:
    takers = [start(tmp_path / "b") for _ in range(3)]
    for taker in takers:
        go(taker)
    taken = [int(taker.communicate(timeout=60)[0].split()[-1]) for taker in takers]
    assert sum(taken) == 20_000


def test_a_killed_process_leaves_its_counts_and_no_lock(tmp_path: Path) -> None:
    victim, other = start(tmp_path / "b"), start(tmp_path / "b")
    go(victim)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "began\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=60)
    go(other)
    taken = int(other.communicate(timeout=60)[0].split()[-1])
    assert taken <= 20_000 - 100
    assert not bucket(tmp_path / "b", ManualClock(1.8e9), "all", 0, 20_000).take()


def test_a_stopped_holder_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = bucket(tmp_path / "b", ManualClock(1.8e9)), Counters(tmp_path / "b", BUCKET.size)
    monkeypatch.setattr(room, "LOCK_TRIES", 3)
    with other:  # held by somebody who does not run on
        assert mine.take()
        assert mine.take()
    assert "goes on without its lock" in caplog.text
    assert caplog.text.count("does not run on") == 1
    assert mine.take()


def test_two_buckets_of_one_name_are_one(tmp_path: Path) -> None:
    clock = ManualClock(1.8e9)
    one, two = bucket(tmp_path / "b", clock), bucket(tmp_path / "b", clock)
    another = bucket(tmp_path / "b", clock, "another")
    assert [one.take(), two.take(), one.take(), two.take()] == [True, True, True, False]
    assert another.take()
    one.give_back()
    assert two.take()
    clock.advance(2)
    assert [two.take(), one.take(), two.take()] == [True, True, False]
    assert bucket(tmp_path / "b", clock).take() is False  # a restart fills no bucket
    assert str(two.refusal()) == "the token bucket of the bucket is empty"


def test_a_clock_that_began_anew_refills_from_now(tmp_path: Path) -> None:
    late, early = ManualClock(1.8e9), ManualClock(1.8e9)
    late.advance(1_000)
    assert [bucket(tmp_path / "b", late).take() for _ in range(4)] == [True, True, True, False]
    again = bucket(tmp_path / "b", early)
    assert not again.take()
    early.advance(1)
    assert again.take()


def test_a_file_grows_for_all(tmp_path: Path) -> None:
    one, two = Counters(tmp_path / "c", 8), Counters(tmp_path / "c", 8)
    for number in range(300):
        writer, reader = (one, two) if number % 2 else (two, one)
        record = writer.record(str(number))
        record.buffer[record.offset : record.offset + 8] = number.to_bytes(8, "big")
        found = reader.record(str(number))
        assert int.from_bytes(found.buffer[found.offset : found.offset + 8], "big") == number
    assert os.stat(tmp_path / "c").st_mode & 0o777 == 0o600


def test_beyond_the_limit_a_process_counts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RECORDS_MAX", 1)
    clock = ManualClock(1.8e9)
    counters = Counters(tmp_path / "c", BUCKET.size)
    buckets = [Buckets(clock, counters).bucket(name, name, 1, 1) for name in ("a", "b")]
    assert [one.take() for one in buckets * 2] == [True, True, False, False]


def test_a_file_that_was_made_and_never_written_is_begun_anew(tmp_path: Path) -> None:
    clock = ManualClock(1.8e9)
    Counters(tmp_path / "c", BUCKET.size)
    (tmp_path / "c").write_bytes(bytes((tmp_path / "c").stat().st_size))  # the power went before anything reached it
    bucket = Buckets(clock, Counters(tmp_path / "c", BUCKET.size)).bucket("a", "a", 1, 1)
    assert [bucket.take(), bucket.take()] == [True, False]
    again = Buckets(clock, Counters(tmp_path / "c", BUCKET.size)).bucket("a", "a", 1, 1)
    assert not again.take()


@pytest.mark.parametrize("content", [b"x", b"\0" * 4096, b"TrineCt1" + b"\xff" * 100])
def test_what_is_no_file_of_counters(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(CountersUnusable, match="no file of Trine's counters"):
        Counters(tmp_path / "c", 8)
    with pytest.raises(CountersUnusable, match="cannot be used"):
        Counters(tmp_path, 8)
    Counters(tmp_path / "d", 8)
    with pytest.raises(CountersUnusable, match="no file of Trine's counters"):
        Counters(tmp_path / "d", 16)
