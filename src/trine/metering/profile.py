"""A load profile: how many requests come at which minute of a month, and what one of them is. Pure but for the file.

Enters a YAML or JSON file (docs/metering.md shows one), leaves requests for each of a month's 43,800 minutes and the
kinds of request they are. A file that cannot be understood is a `ProfileFault` that says how it should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from trine.metering.ledger import MINUTES_PER_DAY
from trine.metering.period import MINUTES_PER_MONTH

FILE_MAX_BYTES = 1_000_000
SPIKES_MAX_COUNT = 1_000
RATE_MAX_PER_SECOND = 1e7
_KNOWN = {"requests_per_second", "nights", "weekends", "spikes", "requests", "storage_gb"}


class ProfileFault(Exception):
    """The profile cannot be used; the message says where and how it should be."""


class RequestKind(Struct, frozen=True):
    """One kind of request of a profile, with its share of all."""

    share: float
    api: str
    function_ms: float
    memory_mb: float
    read_units: float
    write_units: float
    response_bytes: float
    log_bytes: float


class Profile(Struct, frozen=True):
    """A month of load."""

    requests: Sequence[float]
    """Of each minute of the month; the first day is a Monday."""
    kinds: Sequence[RequestKind]
    """Empty: as the recorded traffic was."""
    storage_gb: float | None


def read_profile(path: Path) -> Mapping[str, Any]:
    """The document in a file, not yet checked. ProfileFault."""
    import yaml

    try:
        if path.stat().st_size > FILE_MAX_BYTES:
            raise ProfileFault(f"{path} is too large for a load profile")
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileFault(f"the load profile {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileFault(f"the load profile {path} is no YAML or JSON: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ProfileFault(f"the load profile {path} must be an object; docs/metering.md shows one")
    return document


def profile_of(document: Mapping[str, Any]) -> Profile:
    """The profile that a document describes. ProfileFault."""
    unknown = sorted(map(str, set(document) - _KNOWN))
    if unknown:
        raise ProfileFault(f"the load profile has {', '.join(unknown)[:200]}; there are: {', '.join(sorted(_KNOWN))}")
    if "requests_per_second" not in document:
        raise ProfileFault("the load profile must say requests_per_second (0 when there are only spikes)")
    by_day = _rate(document, "requests_per_second")
    day = [by_day] * MINUTES_PER_DAY
    nights = _object(document, "nights", ("from", "to", "requests_per_second"))
    if nights is not None:
        begin, end = _time(nights, "from"), _time(nights, "to")
        rate = _rate(nights, "requests_per_second")
        for minute in range(MINUTES_PER_DAY):
            if (begin <= minute < end) if begin <= end else (minute >= begin or minute < end):
                day[minute] = rate
    weekends = _object(document, "weekends", ("requests_per_second",))
    quiet = day if weekends is None else [min(rate, _rate(weekends, "requests_per_second")) for rate in day]
    days = -(-MINUTES_PER_MONTH // MINUTES_PER_DAY)
    rates = [rate for number in range(days) for rate in (quiet if number % 7 in (5, 6) else day)][:MINUTES_PER_MONTH]
    for spike in _list(document, "spikes"):
        _add_spike(rates, spike, days)
    storage = document.get("storage_gb")
    if storage is not None:
        storage = _number(storage, "storage_gb", 1e9)
    return Profile([rate * 60 for rate in rates], _kinds(_list(document, "requests")), storage)


def _add_spike(rates: list[float], spike: Any, days: int) -> None:
    if not isinstance(spike, dict):
        raise ProfileFault("each of spikes must be an object: {at: '12:00', minutes: 15, requests_per_second: 300}")
    _check_names(spike, "a spike", ("at", "day", "minutes", "requests_per_second"))
    begin, rate = _time(spike, "at"), _rate(spike, "requests_per_second")
    length = int(_number(spike.get("minutes"), "minutes of a spike", MINUTES_PER_DAY))
    wanted = range(days) if spike.get("day") is None else [int(_number(spike["day"], "day of a spike", 31)) - 1]
    for number in wanted:
        first = number * MINUTES_PER_DAY + begin
        for minute in range(max(0, first), min(first + length, len(rates))):
            rates[minute] = max(rates[minute], rate)


_REQUEST_NUMBERS = {"share": 1, "function_ms": 0, "memory_mb": 128, "read_units": 0, "write_units": 0,
                    "response_bytes": 1000, "log_bytes": 0}  # fmt: skip
"""What a request is, and what it is where nothing is said."""


def _check_names(given: Mapping[str, Any], what: str, known: Iterable[str]) -> None:
    """ProfileFault when something has a name that means nothing: it would count as nothing, unseen."""
    unknown = sorted(str(name)[:40] for name in set(given) - set(known))
    if unknown:
        raise ProfileFault(f"{what} has {', '.join(unknown[:5])}; there are: {', '.join(sorted(known))}")


def _kinds(given: Sequence[Any]) -> list[RequestKind]:
    kinds = []
    for one in given:
        if not isinstance(one, dict):
            raise ProfileFault("each of requests must be an object: {share: 1, api: http, function_ms: 12}")
        _check_names(one, "a request", ("api", *_REQUEST_NUMBERS))
        api = one.get("api", "http")
        if api not in ("rest", "http", "none"):
            raise ProfileFault(f"api of a request must be rest, http or none, not {str(api)[:40]!r}")
        numbers = {name: _number(one.get(name, default), name, 1e12) for name, default in _REQUEST_NUMBERS.items()}
        kinds.append(RequestKind(api=api, **numbers))
    total = sum(kind.share for kind in kinds)
    if kinds and total <= 0:
        raise ProfileFault("the shares of requests add up to nothing")
    return [
        RequestKind(
            kind.share / total, kind.api, kind.function_ms, kind.memory_mb, kind.read_units, kind.write_units,
            kind.response_bytes, kind.log_bytes,
        )
        for kind in kinds
    ]  # fmt: skip


def _object(document: Mapping[str, Any], name: str, known: Iterable[str]) -> Mapping[str, Any] | None:
    found = document.get(name)
    if found is not None and not isinstance(found, dict):
        raise ProfileFault(f"{name} must be an object")
    _check_names(found or {}, name, known)
    return found


def _list(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = document.get(name) or []
    if not isinstance(found, list) or len(found) > SPIKES_MAX_COUNT:
        raise ProfileFault(f"{name} must be a list of at most {SPIKES_MAX_COUNT}")
    return found


def _rate(document: Mapping[str, Any], name: str) -> float:
    return _number(document.get(name), name, RATE_MAX_PER_SECOND)


def _number(value: Any, name: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ProfileFault(f"{name} must be a number from 0 to {most:g}, not {str(value)[:40]!r}")
    return float(value)


def _time(document: Mapping[str, Any], name: str) -> int:
    """Minutes since midnight of `22:00` (YAML reads an unquoted one as 1320, which means the same)."""
    value = document.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MINUTES_PER_DAY:
        return value
    hours, _, minutes = str(value).partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and len(hours) <= 2 and int(hours) < 24 and int(minutes) < 60):
        raise ProfileFault(f"{name} must be a time of day such as '22:00', not {str(value)[:40]!r}")
    return int(hours) * 60 + int(minutes)
