"""The bill of any range of time, by route, function, table, index, API key, caller or service.

Enters a `Survey` and `Prices`; leaves a document of plain JSON values: groups with their amounts and USD, what stands
there whoever uses it (storage, provisioned capacity that nobody consumed), the sum, and everything that was assumed.
"""

from __future__ import annotations

from typing import Any

from trine.metering.cost import Amounts, add_amounts, cost_of
from trine.metering.meter_names import NAMES
from trine.metering.period import shown
from trine.metering.prices import Prices
from trine.metering.survey import Survey

UNNAMED = {
    "route": "(not through an API)",
    "function": "(no function)",
    "table": "(no table)",
    "index": "(no table)",
    "api-key": "(no API key)",
    "caller": "(anonymous)",
    "service": "(none)",
}
ASSUMPTIONS = (
    "no free tier is taken off (AWS: 1M invocations, 400,000 GB-seconds and 25 GB of tables each month)",
    "no Savings Plans, no reserved capacity; tiers count from the beginning of the range",
    "all bytes of HTTP answers go to the Internet; AWS's 100 free GB a month are not taken off",
    "an HTTP API call is metered in steps of 512 KB of the larger of its request and its answer",
    "API calls refused by authorization, API key or throttling are free, as on AWS",
    "billed duration: each invocation rounded up to 1 ms, with its INIT phase (AWS since 2025-08-01)",
    "milliseconds are this machine's: AWS gives a function CPU in proportion to its memory",
    "tables are paid for while the stack is down, as on AWS; GB are 2^30 bytes, a month has 730 hours",
    "provisioned concurrency is paid by the minute (AWS: by five minutes) from the moment it is asked for",
    "logs: the lines that functions and their platform write; AWS packs what it keeps, here nothing is packed",
    "CloudWatch: an alarm by the metrics it looks at, a metric of your own by the hours in which it has data",
    "queues: each call by 64 KB; functions' queues by what is read; AWS also asks empty ones, some 15 times a minute",
    "topics and events by 64 KB, FIFO topics by the message alone; a schedule each time it runs",
    "not charged here: user pools, X-Ray, SnapStart, networks (NAT gateways, endpoints), e-mail, S3, taxes",
    "nor are the GB by which tables are restored, exported and imported",
)


def bill(survey: Survey, prices: Prices, by: str, region: str, now: float) -> dict[str, Any]:
    """The document."""
    total_cost = cost_of(survey.total.amounts, prices)
    rates = {meter: usd / survey.total.amounts[meter] for meter, usd in total_cost.items()}
    groups: list[dict[str, Any]] = []
    for name, group in survey.groups.items():
        costs = {meter: amount * rates[meter] for meter, amount in group.amounts.items()}
        usd = sum(costs.values())
        groups.append(
            {
                "name": name or UNNAMED[by],
                "usd": usd,
                "calls": group.calls,
                "usdPerMillion": usd / group.calls * 1e6 if group.calls else None,
                "usdByMeter": costs,
                "amounts": group.amounts,
                "counts": group.counts,
            }
        )
    groups.sort(key=lambda group: (-group["usd"], str(group["name"])))
    standing = _standing(survey, prices)
    used_usd, standing_usd = sum(total_cost.values()), sum(line["usd"] for line in standing)
    calls = survey.total.calls
    return {
        "from": shown(survey.start),
        "to": shown(survey.stop),
        "minutes": survey.minutes,
        "by": by,
        "groups": groups,
        "standing": standing,
        "total": {
            "usd": used_usd + standing_usd,
            "usageUsd": used_usd,
            "standingUsd": standing_usd,
            "calls": calls,
            "usdPerMillion": (used_usd + standing_usd) / calls * 1e6 if calls else None,
            "usageUsdPerMillion": used_usd / calls * 1e6 if calls else None,
            "usdByMeter": total_cost,
            "amounts": survey.total.amounts,
            "counts": survey.total.counts,
        },
        "priceList": price_list(prices),
        "warnings": prices.warnings(region, now),
        "assumptions": list(ASSUMPTIONS),
    }


def price_list(prices: Prices) -> dict[str, Any]:
    """Where the prices come from, and the prices themselves."""
    return {
        "file": prices.file,
        "region": prices.region,
        "date": prices.date,
        "source": list(prices.source),
        "usd": {meter: price.first_usd for meter, price in prices.meters.items()},
        "units": {meter: price.unit for meter, price in prices.meters.items()},
        "names": NAMES,
    }


def _standing(survey: Survey, prices: Prices) -> list[dict[str, Any]]:
    """One line for each table or index and meter; of provisioned capacity what no row of usage has paid already."""
    held: Amounts = {}
    for (meter, _), amount in survey.held.items():
        add_amounts(held, {meter: amount})
    rates = {meter: usd / held[meter] for meter, usd in cost_of(held, prices).items()}
    lines: list[dict[str, Any]] = []
    for (table, index_name), standing in sorted(survey.standing.items()):
        used = survey.consumed.get((table, index_name), {})
        amounts = {meter: max(0.0, amount - used.get(meter, 0.0)) for meter, amount in standing.amounts.items()}
        name = f"{table}/{index_name}" if index_name else table
        lines += [
            {"meter": meter, "what": name, "amount": amounts[meter], "unit": prices.meters[meter].unit, "usd": usd,
             "storedBytes": standing.stored_bytes}
            for meter, usd in cost_of(amounts, prices).items()
        ]  # fmt: skip
    for (meter, what), amount in sorted(survey.held.items()):
        lines.append({"meter": meter, "what": what, "amount": amount, "unit": prices.meters[meter].unit,
                      "usd": amount * rates[meter]})  # fmt: skip
    return lines
