"""Function logs: lines cut from any stream, bounded memory, files that survive, followers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trine.awslambda import limits
from trine.awslambda.log import LineCutter, stream_name


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


def test_the_name_of_a_stream() -> None:
    assert stream_name(1_795_392_000.0, "$LATEST", "ab") == "2026/11/23/[$LATEST]ab"
