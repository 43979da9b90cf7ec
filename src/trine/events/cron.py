"""AWS's cron expressions: six fields, with `?`, `L`, `W` and `#`; the next minute that they mean.

Pure; times are naive datetimes of whatever zone the caller thinks in. Source: EventBridge user guide, "Cron
expressions": minutes, hours, day of month, month, day of week (1 is Sunday), year; one of the two day fields must be
`?`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from trine.events import limits

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_NTH = re.compile(r"(\w+)#([1-5])")
_LAST = re.compile(r"(\w+)L")
_NEAREST = re.compile(r"(\d+)W")
Days = Callable[[int, int], frozenset[int]]
"""(year, month) → the days of that month."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: tuple[int, ...]
    days: Days

    def next_after(self, moment: datetime) -> datetime | None:
        """The first minute after `moment` that is meant; None when there is none any more."""
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for year in self.years:
            if year < start.year:
                continue
            for month in range(start.month if year == start.year else 1, 13):
                found = self._in_month(year, month, start) if month in self.months else None
                if found is not None:
                    return found
        return None

    def _in_month(self, year: int, month: int, start: datetime) -> datetime | None:
        for day in sorted(self.days(year, month)):
            whole = datetime(year, month, day)
            if whole.date() < start.date():
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    found = whole.replace(hour=hour, minute=minute)
                    if found >= start:
                        return found
        return None


def parse_cron(text: str) -> Cron:
    """The expression inside `cron(…)`. ValueError."""
    fields = text.split()
    if len(fields) != 6:
        raise ValueError("a cron expression has six fields: minutes hours day-of-month month day-of-week year")
    # Published templates separate the fields by commas and blanks, too.
    minute, hour, day, month, weekday, year = (field.upper().rstrip(",") for field in fields)
    if (day == "?") == (weekday == "?"):
        raise ValueError("one of day-of-month and day-of-week must be ?, the other one not")
    return Cron(
        _numbers(minute, 0, 59, {}),
        _numbers(hour, 0, 23, {}),
        frozenset(_numbers(month, 1, 12, _MONTHS)),
        _numbers(year, limits.YEAR_FIRST, limits.YEAR_LAST, {}),
        _days_of_week(weekday) if day == "?" else _days_of_month(day),
    )


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int]) -> tuple[int, ...]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, highest, {}) if slash else 1
        if span == "*":
            first, last = lowest, highest
        elif "-" in span:
            one, _, other = span.partition("-")
            first, last = _number(one, lowest, highest, names), _number(other, lowest, highest, names)
            if first > last:  # FRI-MON wraps around
                found.update(range(first, highest + 1, step))
                first = lowest
        else:
            first = _number(span, lowest, highest, names)
            last = highest if slash else first
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _number(text: str, lowest: int, highest: int, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        raise ValueError(f"{text or 'nothing'} is not between {lowest} and {highest}")
    return int(text)


def _month_length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _days_of_month(field: str) -> Days:
    if field == "L":
        return lambda year, month: frozenset({_month_length(year, month)})
    if field == "LW":
        return lambda year, month: frozenset({_weekday_near(year, month, _month_length(year, month))})
    nearest = _NEAREST.fullmatch(field)
    if nearest is not None:
        wanted = _number(nearest[1], 1, 31, {})
        return lambda year, month: (
            frozenset({_weekday_near(year, month, wanted)}) if wanted <= _month_length(year, month) else frozenset()
        )
    numbers = frozenset(_numbers(field, 1, 31, {}))
    return lambda year, month: frozenset(day for day in numbers if day <= _month_length(year, month))


def _weekday_near(year: int, month: int, day: int) -> int:
    """The weekday nearest to a day, in the same month."""
    weekday = calendar.weekday(year, month, day)
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < _month_length(year, month) else day - 2
    return day


def _days_of_week(field: str) -> Days:
    nth = _NTH.fullmatch(field)
    if nth is not None:
        weekday, count = _number(nth[1], 1, 7, _DAYS), int(nth[2])
        return lambda year, month: frozenset(_all_of(year, month, {weekday})[count - 1 : count])
    last = _LAST.fullmatch(field)
    if last is not None:
        weekday = _number(last[1], 1, 7, _DAYS)
        return lambda year, month: frozenset(_all_of(year, month, {weekday})[-1:])
    weekdays = {7} if field == "L" else set(_numbers(field, 1, 7, _DAYS))
    return lambda year, month: frozenset(_all_of(year, month, weekdays))


def _all_of(year: int, month: int, weekdays: set[int]) -> list[int]:
    """The days of a month that fall on these days of the week (1 is Sunday)."""
    first = calendar.weekday(year, month, 1)
    return [day for day in range(1, _month_length(year, month) + 1) if (first + day) % 7 + 1 in weekdays]
