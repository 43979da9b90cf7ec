"""`trine explain ID`: the waterfall of one request, and for a refusal what decided and where it would be mended."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import click

from trine.cli import waterfall
from trine.cli.client import find_run_file, get_document
from trine.cli.progress import progress
from trine.cli.remedy import remedies


@click.command()
@click.argument("request_id")
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="Print the trace as a JSON document.")
def command(request_id: str, state: Path | None, as_json: bool) -> None:
    """Show what happened to one request, and why it was refused.

    REQUEST_ID is the answer's `x-amzn-requestid` or `apigw-requestid`.
    """
    run_file = find_run_file(state)
    with progress("looking for the request"):
        document = get_document(run_file, f"/_trine/explain/{quote(request_id, safe='')}")
    if as_json:
        click.echo(json.dumps(document, indent=1))
        return
    for line in (*waterfall.render(document), *remedies(document, run_file)):
        click.echo(line)
