"""A month ahead, three ways: on demand, provisioned with auto scaling, and on machines that are always on. Pure.

Enters recorded traffic (a `Survey`), or a load profile, and prices; leaves a document with the USD of each way, part by
part, and everything that was assumed on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from msgspec import Struct

from trine.metering.bill import price_list
from trine.metering.cost import Amounts, add_amounts, cost_of
from trine.metering.kinds.meter import GB_BYTES
from trine.metering.kinds.table_calls import Paid
from trine.metering.ledger import MINUTES_PER_DAY, TableName
from trine.metering.period import MINUTES_PER_MONTH
from trine.metering.prices import HOURS_PER_MONTH, Prices
from trine.metering.profile import Profile, RequestKind
from trine.metering.provisioned import Fit, best_fit
from trine.metering.survey import Survey

MACHINES_REQUESTS_PER_SECOND = 200
"""What the two small machines are taken to serve together, before the comparison says that they are too few."""


class NothingRecorded(Exception):
    """There is no traffic to project from."""


class Month(Struct):
    """A month's load: what it turns at API and functions, and units of tables by the minute."""

    amounts: Amounts
    requests: Sequence[float]
    reads: Mapping[TableName, Sequence[float]]
    writes: Mapping[TableName, Sequence[float]]
    stored: Amounts
    """GB kept all month, by meter: those of infrequent access have a price of their own."""
    infrequent: Set[TableName]
    """Tables and indexes of that class."""
    assumptions: list[str]
    held: Amounts
    """What is paid for all month, whoever uses it, beside tables."""


def month_from_survey(survey: Survey) -> Month:
    """A month in which the recorded minutes repeat themselves. NothingRecorded."""
    if survey.minutes <= 0 or not (survey.total.calls or survey.standing or survey.held):
        raise NothingRecorded("nothing is recorded in this range of time; send some requests, or give --profile")
    factor = MINUTES_PER_MONTH / survey.minutes
    minutes = range(survey.start, survey.stop)
    reads = {name: _repeated([by.get(at, (0, 0))[0] for at in minutes]) for name, by in survey.demand.items()}
    writes = {name: _repeated([by.get(at, (0, 0))[1] for at in minutes]) for name, by in survey.demand.items()}
    said = [f"what was recorded ({survey.minutes:,} min) repeats itself all month ({factor:,.0f} times)"]
    if survey.minutes < MINUTES_PER_DAY:
        said.append("less than a day is recorded: nights and quiet hours are missing from the projection")
    return Month(
        {meter: amount * factor for meter, amount in survey.total.amounts.items() if _by_request(meter)}
        | _metrics(survey),
        _repeated([survey.requests.get(at, 0.0) for at in minutes]),
        reads,
        writes,
        _stored(survey),
        _infrequent(survey),
        said,
        _held(survey),
    )


def month_from_profile(profile: Profile, recorded: Survey) -> Month:
    """The month of a profile; what one request is comes from the profile, else from the recorded traffic."""
    total = sum(profile.requests)
    said = [f"the load profile: {total:,.0f} requests a month, at most {max(profile.requests) / 60:,.0f} a second"]
    if profile.kinds:
        month = _month_of_kinds(profile.requests, profile.kinds, said)
    else:
        calls = recorded.asked
        if not calls:
            raise NothingRecorded(
                "nothing is recorded that says what one request is; send some requests, or give the profile `requests`"
            )
        said.append(f"one request is the average of the {calls:,.0f} recorded ones")
        amounts = {meter: amount / calls * total for meter, amount in recorded.total.amounts.items()
                   if _by_request(meter)} | _metrics(recorded)  # fmt: skip
        reads: dict[TableName, Sequence[float]] = {}
        writes: dict[TableName, Sequence[float]] = {}
        for name, by in recorded.demand.items():
            read, write = (sum(units[at] for units in by.values()) / calls for at in (0, 1))
            reads[name] = [requests * read for requests in profile.requests]
            writes[name] = [requests * write for requests in profile.requests]
        month = Month(amounts, profile.requests, reads, writes, {}, _infrequent(recorded), said, {})
    month.held = _held(recorded)
    month.stored = _stored(recorded) if profile.storage_gb is None else {"table.gb-month": profile.storage_gb}
    return month


def _month_of_kinds(requests: Sequence[float], kinds: Sequence[RequestKind], said: list[str]) -> Month:
    total = sum(requests)
    amounts: Amounts = {}

    def turn(meter: str, amount: float) -> None:
        if amount:
            amounts[meter] = amounts.get(meter, 0.0) + amount

    for kind in kinds:
        count = total * kind.share
        if kind.api != "none":
            turn(f"{kind.api}.request", count)
            turn("data.out-gb", count * kind.response_bytes / GB_BYTES)
        if kind.function_ms:
            turn("lambda.request", count)
            turn("lambda.gb-second", count * kind.function_ms / 1000 * kind.memory_mb / 1024)
            turn("logs.in-gb", count * kind.log_bytes / GB_BYTES)
    read = sum(kind.share * kind.read_units for kind in kinds)
    write = sum(kind.share * kind.write_units for kind in kinds)
    table = ("(table)", "")
    return Month(
        amounts,
        requests,
        {table: [one * read for one in requests]},
        {table: [one * write for one in requests]},
        {},
        frozenset(),
        said,
        {},
    )


def _stored(survey: Survey) -> Amounts:
    """What tables and indexes store at the end of the range."""
    stored: Amounts = {}
    for standing in survey.standing.values():
        meter = f"{Paid(infrequent=standing.infrequent).meters}gb-month"
        add_amounts(stored, {meter: standing.stored_bytes / GB_BYTES})
    return stored


def _infrequent(survey: Survey) -> frozenset[TableName]:
    return frozenset(name for name, standing in survey.standing.items() if standing.infrequent)


METRICS = "cloudwatch.metric-month"


def _by_request(meter: str) -> bool:
    """Whether so many more requests take so much more of it."""
    return not meter.startswith("table.") and meter != METRICS


def _metrics(survey: Survey) -> Amounts:
    """Metrics of one's own for a month. One is paid for by the hours that have data of it, however many there are: a
    month has as many times the hours that the range touches, not as many times its minutes or requests."""
    amount = survey.total.amounts.get(METRICS, 0.0)
    if not amount:
        return {}
    touched = (survey.stop - 1) // 60 - survey.start // 60 + 1
    return {METRICS: amount * HOURS_PER_MONTH / touched}


def _held(survey: Survey) -> Amounts:
    """What was held over the recorded minutes, for a month."""
    held: Amounts = {}
    for (meter, _), amount in survey.held.items():
        add_amounts(held, {meter: amount * MINUTES_PER_MONTH / survey.minutes})
    return held


def project(month: Month, prices: Prices, region: str, now: float) -> dict[str, Any]:
    """The three ways side by side."""
    shared = cost_of({**month.amounts, **month.held, **month.stored}, prices)
    tables: list[dict[str, Any]] = []
    units: Amounts = {}
    capacity: Amounts = {}
    throttled = consumed = 0.0
    for kind, demand in (("read", month.reads), ("write", month.writes)):
        for name, by_minute in demand.items():
            fit = best_fit(by_minute)
            hours = fit.capacity_hours * MINUTES_PER_MONTH / len(by_minute)
            meters = Paid(infrequent=name in month.infrequent).meters
            add_amounts(units, {f"{meters}{kind}-unit": sum(by_minute)})
            add_amounts(capacity, {f"{meters}{kind}-capacity-hour": hours})
            throttled, consumed = throttled + fit.throttled_units, consumed + fit.units
            tables.append(_table(name, kind, fit, hours))
    on_demand = {**shared, **cost_of(units, prices)}
    provisioned = {**shared, **cost_of(capacity, prices)}
    data_out = shared.get("data.out-gb", 0.0)
    parts = [{"name": one.name, "count": one.count, "usd": one.month_usd} for one in prices.always_on]
    if data_out:
        parts.append({"name": "data to the Internet", "count": 1, "usd": data_out})
    peak = max(month.requests, default=0.0) / 60
    return {
        "hours": MINUTES_PER_MONTH / 60,
        "requests": sum(month.requests) * MINUTES_PER_MONTH / max(1, len(month.requests)),
        "peakRequestsPerSecond": peak,
        "storedGb": sum(month.stored.values()),
        "onDemand": {"usd": sum(on_demand.values()), "usdByMeter": on_demand},
        "provisioned": {
            "usd": sum(provisioned.values()),
            "usdByMeter": provisioned,
            "tables": tables,
            "throttledShare": throttled / consumed if consumed else 0.0,
        },
        "alwaysOn": {"usd": sum(float(str(part["usd"])) for part in parts), "parts": parts},
        "priceList": price_list(prices),
        "warnings": [*prices.warnings(region, now), *_warnings(peak)],
        "assumptions": [*month.assumptions, *_ASSUMPTIONS],
    }


_ASSUMPTIONS = (
    "a month has 730 hours; storage stays as it is; no free tier, no Savings Plans, no reserved capacity",
    "provisioned: for each table and index the cheapest minimum with which at most 0.1 % of the units are refused",
    "auto scaling: target 70 %, up after 2 busy minutes, down after 15 quiet ones, at most hourly; burst of 300 s",
    "provisioned capacity: each hour is paid by the most it had",
    f"always on: two small machines behind the load balancer serve {MACHINES_REQUESTS_PER_SECOND} requests a second",
    "always on: people's time to look after it, backups and a second database for failover cost extra",
)


def _warnings(peak: float) -> list[str]:
    if peak <= MACHINES_REQUESTS_PER_SECOND:
        return []
    return [f"the peak of {peak:,.0f} requests a second is more than the always-on machines are taken to serve"]


def _table(name: TableName, kind: str, fit: Fit, hours: float) -> dict[str, Any]:
    return {
        "table": "/".join(filter(None, name)),
        "kind": kind,
        "minimum": fit.minimum,
        "highest": fit.highest,
        "capacityHours": hours,
        "throttledShare": fit.throttled_share,
    }


def _repeated(units: list[float]) -> list[float]:
    """At least a day of minutes, so that auto scaling has time to show what it does."""
    return units * -(-MINUTES_PER_DAY // len(units)) if len(units) < MINUTES_PER_DAY else units
