"""Schedules by the examples of AWS's documentation, at the borders of months, years and daylight saving time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.events.cron import parse_cron
from trine.events.schedule_expression import parse_schedule


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


NEXT = [
    ("cron(0 10 * * ? *)", "2026-03-01T10:00:00", "2026-03-02 10:00:00"),
    ("cron(15 12 * * ? *)", "2026-03-01T10:00:00", "2026-03-01 12:15:00"),
    ("cron(0 18 ? * MON-FRI *)", "2026-03-06T18:00:00", "2026-03-09 18:00:00"),
    ("cron(0 8 1 * ? *)", "2026-12-31T00:00:00", "2027-01-01 08:00:00"),
    ("cron(0/15 * * * ? *)", "2026-03-01T10:46:00", "2026-03-01 11:00:00"),
    ("cron(0/10 * ? * MON-FRI *)", "2026-03-07T00:00:00", "2026-03-09 00:00:00"),
    ("cron(0/5 8-17 ? * MON-FRI *)", "2026-03-06T17:55:00", "2026-03-09 08:00:00"),
    ("cron(0 9 ? * 2#1 *)", "2026-03-03T00:00:00", "2026-04-06 09:00:00"),
    ("cron(0 0 L * ? *)", "2028-02-01T00:00:00", "2028-02-29 00:00:00"),
    ("cron(0 0 ? * 6L *)", "2026-03-01T00:00:00", "2026-03-27 00:00:00"),
    ("cron(0 0 1W * ? *)", "2026-07-31T12:00:00", "2026-08-03 00:00:00"),
    ("cron(0 0 31W * ? *)", "2026-02-01T00:00:00", "2026-03-31 00:00:00"),
    ("cron(30 0 1 JAN,JUL ? 2027-2030)", "2026-03-01T00:00:00", "2027-01-01 00:30:00"),
    ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00", "2028-02-29 00:00:00"),
    ("cron(0 0 1 1 ? 2020)", "2026-01-01T00:00:00", None),
    ("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00", None),
    ("cron(0 12 ? * FRI-MON *)", "2026-03-02T12:00:00", "2026-03-06 12:00:00"),
    ("rate(5 minutes)", "2026-03-01T00:07:00", "2026-03-01 00:10:00"),
    ("cron(5, 0, 1, *, ?, *)", "2026-03-01T10:00:00", "2026-04-01 00:05:00"),
    ("rate(1 day)", "2026-03-01T00:00:00", "2026-03-02 00:00:00"),
]


@pytest.mark.parametrize(("text", "after", "wanted"), NEXT)
def test_the_next_run(text: str, after: str, wanted: str | None) -> None:
    assert shown(parse_schedule(text).next_after(moment(after), moment("2026-03-01T00:00:00"))) == wanted


def test_zones_skip_what_does_not_exist_and_run_once_what_comes_twice() -> None:
    spring = parse_schedule("cron(30 2 * * ? *)", "America/New_York")
    first = spring.next_after(moment("2026-03-07T12:00:00"), 0)
    assert shown(first) == "2026-03-09 06:30:00"  # 02:30 of the 8th does not exist
    autumn = parse_schedule("cron(30 1 * * ? *)", "America/New_York")
    once = autumn.next_after(moment("2026-11-01T00:00:00"), 0)
    assert once is not None
    assert (shown(once), shown(autumn.next_after(once, 0))) == ("2026-11-01 05:30:00", "2026-11-02 06:30:00")
    at = parse_schedule("at(2026-07-01T09:00:00)", "Europe/Paris", scheduler=True)
    assert shown(at.next_after(0, 0)) == "2026-07-01 07:00:00"
    assert at.next_after(moment("2026-07-01T07:00:00"), 0) is None


@pytest.mark.parametrize(
    "text",
    ["", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(1 week)", "rate(-1 days)",
     "rate( 5 minutes )", "cron(* * * * *)",
     "cron(0 0 * * * *)", "cron(0 0 ? * ? *)", "cron(60 0 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)",
     "cron(0 0 ? * 8 *)", "cron(0 0 ? * MON#6 *)", "cron(0 0 * * ? 1969)", "cron(a 0 * * ? *)", "cron(0/0 0 * * ? *)",
     "at(2026-01-01T00:00:00)", "every day"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_schedule(text)


def test_scheduler_does_not_count_the_unit() -> None:
    assert shown(parse_schedule("rate(5 minute)", scheduler=True).next_after(0, 0)) == "1970-01-01 00:05:00"


def test_a_zone_must_exist() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        parse_schedule("rate(1 day)", "Moon/Base")


FIELDS = st.tuples(
    st.sampled_from(["0", "*/7", "5-10", "1,31"]),
    st.sampled_from(["*", "3", "8-17/2"]),
    st.sampled_from(["*", "L", "15W", "28"]),
    st.sampled_from(["*", "2", "JAN-MAR"]),
)


@given(fields=FIELDS, offset=st.integers(0, 3_000_000))
def test_the_next_minute_is_the_first_that_a_search_finds(fields: tuple[str, ...], offset: int) -> None:
    """Compared with asking day by day whether the expression means it."""
    cron = parse_cron(" ".join([*fields, "?", "*"]))
    start = datetime(2026, 1, 1) + timedelta(minutes=offset)
    found = cron.next_after(start)
    assert found is not None
    assert found > start
    assert found.minute in cron.minutes
    assert found.hour in cron.hours
    assert found.day in cron.days(found.year, found.month)
    between = start.replace(hour=0, minute=0) + timedelta(days=1)
    while between.date() < found.date():
        assert between.month not in cron.months or between.day not in cron.days(between.year, between.month)
        between += timedelta(days=1)
