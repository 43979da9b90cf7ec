"""`trine console`: a fresh one-time link to the running stack's console."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import click

from trine.cli.client import find_run_file, message_of, request


@click.command()
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--open", "open_browser", is_flag=True, help="Open it in the browser as well.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(state: Path | None, open_browser: bool, as_json: bool) -> None:
    """Print a link that opens the console, once.

    The session it opens ends with the browser, after twelve hours, or with the stack.
    """
    with request(find_run_file(state), "POST", "/_trine/link", service="trine") as response:
        body = response.read()
        if response.status != 200:
            raise click.ClickException(message_of(body) or f"the stack answered {response.status}")
    document = json.loads(body)
    click.echo(json.dumps(document) if as_json else document["url"])
    if open_browser and not webbrowser.open(document["url"]):
        raise click.ClickException("no browser could be opened; use the link")
