"""Rows: usual traces come back as they were, the others are not taken, the newest stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.clock import ManualClock
from trine.trace import Trace
from trine.trace.rows import BLOCK_COUNT, FORMS_PER_TITLE, TITLES_MAX_COUNT, Rows

ROOMS = ("iam.signature", "dynamodb.shape", "iam.policy", "dynamodb.expressions")
CLOCK = ManualClock()
EPOCH = CLOCK.now() - CLOCK.monotonic_ns() / 1e9
"""When their monotonic clock was 0."""
WHO, ALLOWED, USAGE = {"principal": "ann"}, {"decision": "Allow"}, (("Users", None, 0.5, 0.0),)


def _usual(request_id: str, begun_ns: int = 1_000, **changed: Any) -> Trace:
    times = [begun_ns + step * 1_000 for step in range(1, 6)]
    way = (ROOMS, WHO, times[0], None, times[1], ALLOWED, times[2], None, times[3])
    fields: dict[str, Any] = {
        "ended_ns": times[4], "title": "dynamodb:GetItem Users", "outcome": 200, "usage": USAGE, "payer": "arn",
        "way": way, "closed_by": "dynamodb.read",
    }  # fmt: skip
    return Trace(
        "dynamodb", request_id, ManualClock().monotonic_ns, begun_ns, EPOCH + begun_ns / 1e9, **fields | changed
    )


def _rows(blocks: int = 1) -> Rows:
    return Rows(blocks, ManualClock())


def _written(rows: Rows, *traces: Trace) -> list[bool]:
    return [rows.write(trace) for trace in traces]


def test_a_usual_trace_comes_back_as_it_was() -> None:
    rows, trace = _rows(), _usual("r-1")
    assert _written(rows, trace) == [True]
    for found in (rows.find("r-1"), next(rows.newest("dynamodb"))):
        assert found is not None
        assert found.as_document() == trace.as_document()
        assert (found.usage, found.payer, found.title) == (trace.usage, trace.payer, trace.title)
    assert rows.find("r-") is None
    assert rows.find("") is None
    assert rows.find("r-1" * 40) is None
    assert list(rows.newest("lambda")) == []


def _refused() -> Trace:
    trace = _usual("x")
    trace.refuse("iam.policy", "no")
    return trace


def _caused() -> Trace:
    trace = _usual("x")
    trace.link_to(_usual("p"))
    return trace


@pytest.mark.parametrize("trace", [_usual("x", way=None), _usual("x", plain=False), _caused(), _refused()])
def test_what_has_more_to_tell_is_not_taken(trace: Trace) -> None:
    rows = _rows()
    assert _written(rows, _usual("a"), trace, _usual("b")) == [True, False, True]
    assert rows.find(trace.request_id) is None
    assert [found.request_id for found in rows.newest("dynamodb")] == ["b", "a"]


def test_notes_beside_the_way_are_kept() -> None:
    rows, plain, noted = _rows(), _usual("plain"), _usual("noted")
    noted.step("dynamodb.consistency", lambda: {"could_be_stale": True})
    assert _written(rows, plain, noted) == [True, True]
    for trace in (plain, noted):
        found = rows.find(trace.request_id)
        assert found is not None
        assert found.as_document() == trace.as_document()


def test_each_form_is_noted_by_its_own() -> None:
    rows, noted = _rows(), list[tuple[str, int]]()
    rows.note_of = lambda first: lambda nanoseconds: noted.append((first.request_id, nanoseconds))
    other = (("Users", None, 1.0, 0.0),)
    _written(rows, _usual("a"), _usual("b", usage=other), _usual("c", ended_ns=9_000), _usual("d", usage=other))
    assert noted == [("a", 5_000), ("b", 5_000), ("a", 8_000), ("b", 5_000)]
    rows.forget_forms()
    _written(rows, _usual("e"))
    assert noted[-1] == ("e", 5_000)
    assert [found.usage for found in rows.newest("dynamodb")] == [USAGE, other, USAGE, other, USAGE]


def test_forms_and_titles_are_bounded_and_nothing_is_lost_by_it() -> None:
    rows = _rows(20)
    payers = [f"arn-{number}" for number in range(3 * FORMS_PER_TITLE)]
    traces = [_usual(f"p{number}", payer=payer) for number, payer in enumerate(payers)]
    traces += [_usual(f"t{number}", title=f"title {number}") for number in range(TITLES_MAX_COUNT + 5)]
    assert all(_written(rows, *traces))
    found = rows.find("p3")
    assert found is not None
    assert found.payer == "arn-3"
    assert len(list(rows.newest("dynamodb"))) == len(traces)


@given(st.integers(0, 4), st.integers(0, BLOCK_COUNT), st.integers(1, 3))
def test_the_newest_stay_in_their_order(full: int, more: int, blocks: int) -> None:
    rows = _rows(blocks)
    written = [f"r-{number}" for number in range(full * BLOCK_COUNT + more)]
    assert all(_written(rows, *map(_usual, written)))
    kept = min(len(written), len(written) % BLOCK_COUNT + blocks * BLOCK_COUNT)
    assert [found.request_id for found in rows.newest("dynamodb")] == written[::-1][:kept]
    for name in (*written[-kept:][:3], *written[-3:]) if kept else ():
        found = rows.find(name)
        assert found is not None
        assert found.request_id == name
    assert all(rows.find(name) is None for name in written[: len(written) - kept][-3:])


def test_whoever_counts_is_told_of_every_block_after_its_last_note() -> None:
    rows, told = _rows(), list[str]()
    rows.note_of = lambda first: lambda nanoseconds: told.append("note")
    rows.on_block = lambda count: told.append(f"block of {count}")
    _written(rows, *(_usual(str(number)) for number in range(2 * BLOCK_COUNT + 1)))
    one = [*["note"] * BLOCK_COUNT, f"block of {BLOCK_COUNT}"]
    assert told == [*one, *one, "note"]


def test_forms_tell_the_time_of_day_as_it_is_when_they_begin() -> None:
    clock = ManualClock(1_000.0)
    rows = Rows(10, clock)
    clock.advance(5.0)
    _written(rows, _usual("before", clock.monotonic_ns()))
    clock._start += 3_600  # the machine slept: its monotonic clock stood still
    rows.forget_forms()
    _written(rows, _usual("after", clock.monotonic_ns()))
    assert [found.started_at for found in rows.newest("dynamodb")] == [4_605.0, 1_005.0]
