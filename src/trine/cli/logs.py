"""`trine logs [FUNCTION]`: the log lines of functions, those of earlier runs too; with --follow, as they come."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from trine.cli.client import find_run_file, get_document, message_of, request
from trine.cli.function_names import function_names
from trine.cli.invoke import resolve_function
from trine.cli.progress import progress
from trine.cli.waterfall import printable
from trine.clock import SystemClock

FOLLOW_TIMEOUT_SECONDS = 7 * 86_400.0
LINE_MAX = 4096
LINES_SHOWN, LINES_MAX = 200, 10_000
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def moment(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """A time, as seconds since the epoch: so long ago (`10m`, as `aws logs tail` takes it), or an ISO 8601 date.

    A usage error for what is neither.
    """
    if value is None:
        return None
    count, unit = value[:-1], value[-1:]
    if count.isdecimal() and len(count) < 10 and unit in _UNIT_SECONDS:
        return max(0.0, SystemClock().now() - int(count) * _UNIT_SECONDS[unit])
    try:
        return max(0.0, datetime.fromisoformat(value).timestamp())
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{value!r} is neither a duration (90s, 10m, 3h, 2d, 1w) nor a date (2026-01-31T12:00)"
        ) from None


@click.command()
@click.argument("function", required=False, shell_complete=function_names)
@click.option("-f", "--follow", is_flag=True, help="Go on printing as lines come; end with Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(1, LINES_MAX),
    help="Lines at first: 200, or with --since as many as there are.",
)
@click.option(
    "-s", "--since", callback=moment, help="Only lines since then: 90s, 10m, 3h, 2d, 1w, or 2026-01-31T12:00."
)
@click.option("--filter", "pattern", default="", help="Only lines that match: words, or any CloudWatch filter pattern.")
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    function: str | None,
    follow: bool,
    lines: int | None,
    since: float | None,
    pattern: str,
    state: Path | None,
    as_json: bool,
) -> None:
    """Show the log lines of functions.

    FUNCTION is a logical id or a name; without it, the lines of all. Lines of earlier runs are shown too.
    """
    stack = find_run_file(state)
    shown = lines or (LINES_SHOWN if since is None else LINES_MAX)
    wish: dict[str, str | int] = {"limit": shown, "filter": pattern, "since": int((since or 0) * 1000)}
    if function is not None:
        wish["function"] = resolve_function(stack, function)
    if not follow:
        with progress("reading the logs"):
            events = get_document(stack, f"/_trine/logs?{urlencode(wish)}")["events"]
        for event in events:
            _show(event, as_json)
        return
    path = f"/_trine/logs?{urlencode({**wish, 'follow': 1})}"
    with request(stack, "GET", path, service="trine", timeout_seconds=FOLLOW_TIMEOUT_SECONDS) as response:
        if response.status != 200:
            raise click.ClickException(message_of(response.read()) or f"the stack answered {response.status}")
        while line := response.readline():
            _show(json.loads(line), as_json)


def _show(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(event))
        return
    at = time.strftime("%H:%M:%S", time.localtime(event["timestamp"] / 1000))
    first, *rest = event["message"].rstrip("\r\n").replace("\r", "\n").replace("\u00a0", " ").split("\n")
    click.echo(f"{at}.{event['timestamp'] % 1000:03d} {event['function']:<24} {printable(first, LINE_MAX)}")
    for line in rest:  # a traceback is one event of several lines
        click.echo(f"{'':13}{'':<24} {printable(line, LINE_MAX)}")
