"""`trine top`: routes, functions and tables of the running stack, live in the terminal.

Polls the stack once a second and shows rates between two looks. Exit codes: 0 ended by the user, 1 no stack answers.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from threading import Event
from typing import Any

import click

from trine.cli import top_text
from trine.cli.client import find_run_file, get_document

ENTER, LEAVE, HOME = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l", "\x1b[H"


@click.command()
@click.option(
    "--interval", default=1.0, show_default=True, type=click.FloatRange(0.1, 3600), help="Seconds between looks."
)
@click.option("--once", is_flag=True, help="Print one look and end; rates are those of one interval.")
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="Print each look as a JSON document on a line.")
def command(interval: float, once: bool, state: Path | None, as_json: bool) -> None:
    """Watch the running stack: rates, errors, times, environments, units. Ctrl-C ends it."""
    run_file = find_run_file(state)
    drawing = sys.stdout.isatty() and not once and not as_json

    def look() -> Any:
        return get_document(run_file, "/_trine/live")

    pause = Event()
    before = look()
    if drawing:
        click.echo(ENTER, nl=False)
    try:
        while True:
            pause.wait(interval)
            now = look()
            if as_json:
                click.echo(json.dumps(now))
            else:
                if drawing:
                    size = shutil.get_terminal_size()
                    lines = top_text.lines(before, now, size.columns, size.lines - 1)
                    shown = [f"{line[: size.columns - 1]}\x1b[K" for line in lines[: size.lines - 1]]
                    click.echo(HOME + "\n".join(shown) + "\x1b[J", nl=False)
                else:
                    click.echo("\n".join(top_text.lines(before, now)))
            if once or (not drawing and not as_json):
                return
            before = now
    except KeyboardInterrupt:
        return
    finally:
        if drawing:
            click.echo(LEAVE, nl=False)
