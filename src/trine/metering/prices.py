"""What AWS charges: price lists as data, read and checked.

Enters a JSON file (the one that ships, or the user's own), leaves `Prices`. A list says its region, date and sources;
one that lacks a price, has a wrong one, or is old says so. Prices are in USD; tiers are those of one month.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

SHIPPED = Path(__file__).with_name("price_lists")
OLD_DAYS = 540
"""A list whose last known change is older is said to be old."""
ODD_TIMES = 25
"""A price so many times dearer or cheaper than the shipped one is told: AWS's regions differ by less than three."""
FILE_MAX_BYTES = 1_000_000
CACHES_GB = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
"""Sizes of caches of REST APIs, each with a price of its own."""
METERS = (
    "rest.request", *(f"rest.cache-{gb}-gb-hour" for gb in CACHES_GB),
    "http.request", "websocket.message", "websocket.connection-minute", "lambda.request",
    "lambda.gb-second", "lambda.arm-gb-second", "lambda.ready-gb-second", "lambda.arm-ready-gb-second",
    "lambda.provisioned-gb-second", "lambda.arm-provisioned-gb-second", "lambda.storage-gb-second",
    "lambda.streamed-gb", "table.read-unit", "table.write-unit", "table.read-capacity-hour",
    "table.write-capacity-hour", "table.gb-month", "table.ia-read-unit", "table.ia-write-unit",
    "table.ia-read-capacity-hour", "table.ia-write-capacity-hour", "table.ia-gb-month", "table.pitr-gb-month",
    "table.backup-gb-month", "stream.read", "data.out-gb", "logs.in-gb", "logs.gb-month", "logs.scanned-gb",
    "cloudwatch.request", "cloudwatch.metric-month", "cloudwatch.alarm-month", "cloudwatch.fast-alarm-month",
    "cloudwatch.composite-alarm-month", "cloudwatch.dashboard-month", "queue.request", "queue.fifo-request",
    "topic.request", "topic.fifo-message", "event.published", "schedule.invocation",
)  # fmt: skip
"""Everything that has a price, in the order in which bills show it."""
HOURS_PER_MONTH = 730
"""AWS's own pricing calculator reckons with 730 hours a month."""


class PriceFault(Exception):
    """A price list cannot be used; the message says which file, what is wrong and how it should be."""


class Price(Struct, frozen=True):
    """The price of one meter: `tiers` are (up to so many a month or None, USD for each)."""

    unit: str
    tiers: tuple[tuple[float | None, float], ...]

    @property
    def first_usd(self) -> float:
        """The price of the first one in a month."""
        return self.tiers[0][1]

    def cost_usd(self, amount: float) -> float:
        """What `amount` of it costs within one month."""
        cost, below = 0.0, 0.0
        for upper, usd in self.tiers:
            if upper is None or amount <= upper:
                return cost + (amount - below) * usd
            cost += (upper - below) * usd
            below = upper
        return cost


class Constant(Struct, frozen=True):
    """A part of the always-on alternative: so many of it, all month, whatever the traffic."""

    name: str
    unit: str
    count: float
    usd: float

    @property
    def month_usd(self) -> float:
        """For a month."""
        return self.count * self.usd * (HOURS_PER_MONTH if self.unit == "hour" else 1)


class Prices(Struct, frozen=True):
    """One price list."""

    region: str
    date: str
    source: tuple[str, ...]
    meters: Mapping[str, Price]
    always_on: tuple[Constant, ...]
    file: str
    odd: tuple[str, ...] = ()
    """Prices that are far from those of the list that ships, a sentence each."""

    def warnings(self, region: str, now: float) -> list[str]:
        """What to know before trusting figures made with this list in `region` at `now`."""
        found = []
        if region != self.region:
            found.append(f"the prices are those of {self.region}, not of {region}: give the region's list (--prices)")
        age_days = (now - _instant(self.date)) / 86_400
        if age_days > OLD_DAYS:
            found.append(f"the price list is of {self.date}, {age_days:.0f} days ago; prices may have changed")
        if age_days < -1:
            found.append(f"the price list is of {self.date}, which is in the future")
        return [*found, *self.odd]


def load_prices(path: Path | None = None) -> Prices:
    """The list in `path`, or the one that ships (us-east-1). PriceFault says what is wrong with it.

    A user's list may leave prices out; those are taken from the list that ships.
    """
    shipped = SHIPPED / "us-east-1.json"
    if path is None:
        return _prices(read_list(shipped), "shipped with Trine", {})
    return _prices(read_list(path), str(path), load_prices().meters)


def prices_of(document: Mapping[str, Any], name: str = "prices") -> Prices:
    """The list that a document holds; `name` is how faults call it. PriceFault."""
    return _prices(document, name, load_prices().meters)


def read_list(path: Path) -> Mapping[str, Any]:
    """The document in a file, not yet checked. PriceFault."""
    try:
        if path.stat().st_size > FILE_MAX_BYTES:
            raise PriceFault(f"{path} is too large for a price list (more than {FILE_MAX_BYTES} bytes)")
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise PriceFault(f"the price list {path} cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise PriceFault(f"the price list {path} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise PriceFault(f"the price list {path} must be a JSON object; docs/metering.md shows one")
    return document


def _prices(document: Mapping[str, Any], file: str, otherwise: Mapping[str, Price]) -> Prices:
    region, date = document.get("region"), document.get("date")
    if not isinstance(region, str) or not isinstance(date, str):
        raise PriceFault(f"the price list {file} must say its region and its date (2025-08-01)")
    try:
        _instant(date)
    except ValueError:
        raise PriceFault(f"the price list {file} has the date {date[:40]!r}; write it as 2025-08-01") from None
    if document.get("currency", "USD") != "USD":
        raise PriceFault(f"the price list {file} must be in USD")
    given = document.get("prices", {})
    if not isinstance(given, dict):
        raise PriceFault(f"prices in {file} must be an object of meters; docs/metering.md lists them")
    unknown = sorted(set(given) - set(METERS))
    if unknown:
        raise PriceFault(f"the price list {file} has prices of {', '.join(unknown)[:200]}; {_nearest(unknown[0])}")
    meters = {**otherwise, **{name: _price(given[name], name, file, otherwise.get(name)) for name in given}}
    missing = [name for name in METERS if name not in meters]
    if missing:
        raise PriceFault(f"the price list {file} lacks {', '.join(missing)}")
    source = document.get("source", ())
    return Prices(
        region,
        date,
        tuple(map(str, [source] if isinstance(source, str) else source)),
        meters,
        tuple(_constant(one, file) for one in document.get("always-on") or _shipped_constants(otherwise)),
        file,
        tuple(_oddities(meters, otherwise)),
    )


def _oddities(meters: Mapping[str, Price], otherwise: Mapping[str, Price]) -> Iterator[str]:
    """What looks like a price for a million, or of another unit. A price of nothing is a gift, and believed."""
    for name, known in otherwise.items():
        times = meters[name].first_usd / known.first_usd
        if times and not 1 / ODD_TIMES <= times <= ODD_TIMES:
            yield (
                f"the price of {name} is {times:,.4g} times that of the list that ships: "
                f"is it USD for one {known.unit}?"
            )


def _nearest(name: str) -> str:
    """What may have been meant by a name that nothing has."""
    from difflib import get_close_matches

    near = get_close_matches(name, METERS, 3)
    return f"did you mean {' or '.join(near)}?" if near else "docs/metering.md lists what has a price"


def _shipped_constants(otherwise: Mapping[str, Price]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = read_list(SHIPPED / "us-east-1.json")["always-on"] if otherwise else ()
    return found


def _price(given: Any, name: str, file: str, otherwise: Price | None) -> Price:
    tiers: Any = given.get("tiers") if isinstance(given, dict) else [[None, given]]
    unit = str(given.get("unit", "")) if isinstance(given, dict) else ""
    unit = unit or (otherwise.unit if otherwise is not None else "")
    try:
        read = tuple((None if upper is None else _number(upper), _number(usd)) for upper, usd in tiers)
    except (TypeError, ValueError):
        read = ()
    uppers = [upper for upper, _ in read[:-1]]
    ascending = all(upper is not None for upper in uppers) and uppers == sorted(uppers, key=lambda upper: upper or 0)
    if not read or read[-1][0] is not None or not ascending:
        raise PriceFault(
            f"the price of {name} in {file} must be a number of USD, or tiers [[up to so many, USD], …, [null, USD]]"
        )
    return Price(unit, read)


def _constant(given: Any, file: str) -> Constant:
    try:
        found = Constant(str(given["name"]), str(given["unit"]), _number(given["count"]), _number(given["usd"]))
    except (KeyError, TypeError, ValueError):
        found = None
    if found is None or found.unit not in ("hour", "GB-month", "month"):
        raise PriceFault(f"always-on in {file} must list name, unit (hour, GB-month or month), count, usd of each part")
    return found


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise ValueError(value)
    return float(value)


def _instant(date: str) -> float:
    return datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
