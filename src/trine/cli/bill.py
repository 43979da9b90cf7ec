"""`trine bill`: what the traffic would have cost on AWS, by whom and by what, and a month of it three ways.

Asks the stack that runs; without one, reads the ledger that it has left in the state directory. Exit codes: 0 printed,
1 it failed, 2 the arguments, the price list or the profile are wrong, 3 dearer than `--fail-above`.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from trine.cli import bill_text
from trine.cli.client import find_run_file, get_document
from trine.cli.progress import progress
from trine.metering.period import PeriodFault, minute_at
from trine.metering.survey import GROUPINGS

TOO_DEAR = 3


def usd(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """An amount of money that anything can be compared with."""
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise click.BadParameter(f"{value} is no amount of USD: write 0, 2.5 or 40")
    return value


@click.command()
@click.option(
    "--from", "start", default="30d", show_default=True, help="2026-11-28T14:00Z, today, month, 90m, 24h, 7d."
)
@click.option("--to", "stop", default="now", show_default=True, help="Likewise.")
@click.option("--by", type=click.Choice(list(GROUPINGS)), default="route", show_default=True, help="Tell apart by.")
@click.option("--only", multiple=True, metavar="GROUPING=NAME", help="Only this: route=…, function=…, caller=…")
@click.option("--project", is_flag=True, help="A month ahead: on demand, provisioned, always on.")
@click.option("--profile", type=click.Path(path_type=Path, dir_okay=False), help="Project this load, not the recorded.")
@click.option("--prices", type=click.Path(path_type=Path, dir_okay=False), help="Your own price list (JSON).")
@click.option(
    "--fail-above", type=float, callback=usd, metavar="USD", help="Exit code 3 if a million calls of a group cost more."
)
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(**options: Any) -> None:
    """Show what the traffic would cost on AWS, and a month of it three ways."""
    given = _documents(options["prices"], options["profile"])
    only = _only(options["only"])
    span = _span(options["start"], options["stop"])
    projecting = options["project"] or options["profile"] is not None
    if projecting and (only or options["fail_above"] is not None):
        raise click.UsageError("--project looks at everything: it goes with neither --only nor --fail-above")
    with progress("reading the usage"):
        document = _ask(options["state"], "projection" if projecting else "bill", span, options["by"], only, given)
    if options["prices"] is not None:
        document["priceList"]["file"] = str(options["prices"])  # the stack was sent what is in it, not its name
    if as_json := options["as_json"]:
        click.echo(json.dumps(document, indent=1))
    else:
        lines = bill_text.projection_lines(document) if projecting else bill_text.bill_lines(document)
        for line in lines:
            click.echo(line)
    if only and not projecting and not document["groups"]:
        names = ", ".join(f"`trine bill --by {grouping}`" for grouping in only)
        click.echo(f"Nothing of that name was called in this range of time; {names} lists what was.", err=True)
    if options["fail_above"] is not None:
        _judge(document, options["fail_above"], as_json)


def _documents(prices: Path | None, profile: Path | None) -> dict[str, Any]:
    """The user's files as documents, checked here: their faults name the file."""
    from trine.metering.prices import PriceFault, load_prices, read_list
    from trine.metering.profile import ProfileFault, profile_of, read_profile

    found: dict[str, Any] = {}
    try:
        if prices is not None:
            load_prices(prices)
            found["prices"] = read_list(prices)
        if profile is not None:
            found["profile"] = read_profile(profile)
            profile_of(found["profile"])
    except (PriceFault, ProfileFault) as fault:
        raise click.UsageError(str(fault)) from None
    return found


def _only(texts: Sequence[str]) -> dict[str, str]:
    only: dict[str, str] = {}
    for text in texts:
        grouping, found, name = text.partition("=")
        if not found or grouping not in GROUPINGS:
            raise click.UsageError(f"--only takes GROUPING=NAME, with a grouping of: {', '.join(GROUPINGS)}")
        if grouping in only:
            raise click.UsageError(f"--only names two of the same grouping, {grouping}: nothing belongs to both")
        only[grouping] = name
    return only


def _span(start: str, stop: str) -> dict[str, str]:
    """The range as the stack reads it; it is read here first, so that a wrong one is an error of the arguments."""
    from trine.clock import SystemClock

    now = SystemClock().now()
    try:
        first, last = minute_at(start, now), minute_at(stop, now)
    except PeriodFault as fault:
        raise click.UsageError(str(fault)) from None
    if first >= last:
        raise click.UsageError(f"the range is empty: --from {start} is not before --to {stop}")
    return {"from": start, "to": stop}


def _ask(
    state: Path | None, view: str, span: Mapping[str, str], by: str, only: Mapping[str, str], given: dict[str, Any]
) -> Any:
    if state is not None and _is_fork(state):
        return _left_behind(state, None, view, span, by, only, given)
    run_file = find_run_file(state, running=False)
    if run_file.is_running:
        query = urlencode({**span, "by": by, **only})
        return get_document(run_file, f"/_trine/{view}?{query}", given or None)
    return _left_behind(run_file.state_directory, run_file.region, view, span, by, only, given)


def _is_fork(state: Path) -> bool:
    """Whether a stack has left its usage there but never run: `trine store fork` copies what is durable."""
    from trine.stack import run_file
    from trine.stack.observing import USAGE_DIRECTORY

    return (state / USAGE_DIRECTORY).is_dir() and not (state / run_file.NAME).exists()


def _left_behind(
    directory: Path,
    region: str | None,
    view: str,
    span: Mapping[str, str],
    by: str,
    only: Mapping[str, str],
    given: Any,
) -> Any:
    """The document of a stack that has ended, from what it wrote; without a region, that of the price list."""
    from trine.clock import SystemClock
    from trine.metering.prices import load_prices, prices_of
    from trine.metering.profile import profile_of
    from trine.metering.projection import NothingRecorded
    from trine.stack.observing import Books, ledger_of

    now = SystemClock().now()
    prices = prices_of(given["prices"]) if "prices" in given else load_prices()
    books = Books(ledger_of(directory).view(), prices, region or prices.region, now)
    try:
        start, stop = minute_at(span["from"], now), minute_at(span["to"], now)
        if view == "bill":
            return books.bill(start, stop, by, list(only.items()))
        return books.projection(start, stop, profile_of(given["profile"]) if "profile" in given else None)
    except (PeriodFault, NothingRecorded) as fault:
        raise click.ClickException(str(fault)) from None


def _judge(document: Mapping[str, Any], limit_usd: float, as_json: bool) -> None:
    """End with code 3 when a million calls of any group cost more than the limit."""
    judged = [group for group in document["groups"] if group["usdPerMillion"] is not None]
    if not judged:
        raise click.ClickException("nothing was called in this range of time, so there is nothing to judge")
    dear = [group for group in judged if group["usdPerMillion"] > limit_usd]
    for group in dear:
        name = bill_text.printable(group["name"])
        click.echo(f"{name} costs ${group['usdPerMillion']:.2f} a million calls, more than ${limit_usd:.2f}", err=True)
    if dear:
        sys.exit(TOO_DEAR)
    if not as_json:
        click.echo(f"Nothing costs more than ${limit_usd:.2f} a million calls.")
