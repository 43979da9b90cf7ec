"""`trine logs [FUNCTION]`: the log lines of functions, oldest first; with --follow, as they come."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from trine.cli.client import find_run_file, get_document, message_of, request
from trine.cli.invoke import resolve_function
from trine.cli.waterfall import printable

FOLLOW_TIMEOUT_SECONDS = 7 * 86_400.0
LINE_MAX = 4096


@click.command()
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on printing as lines come; end with Ctrl-C.")
@click.option("-n", "--lines", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Lines at first.")
@click.option("--filter", "pattern", default="", help="Only lines that match: words, or any CloudWatch filter pattern.")
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(function: str | None, follow: bool, lines: int, pattern: str, state: Path | None, as_json: bool) -> None:
    """Show the log lines of functions.

    FUNCTION is a logical id or a name; without it, the lines of all.
    """
    stack = find_run_file(state)
    wish: dict[str, str | int] = {"limit": lines, "filter": pattern}
    if function is not None:
        wish["function"] = resolve_function(stack, function)
    if not follow:
        for event in get_document(stack, f"/_trine/logs?{urlencode(wish)}")["events"]:
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
