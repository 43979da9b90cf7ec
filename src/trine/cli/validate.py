"""`trine validate`: every fault of a template with file, line, column and a hint. Exit code 2 when one is an error."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from trine.cli.progress import progress


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print the faults as a JSON list.")
def command(path: Path, as_json: bool) -> None:
    """Check a template and report every fault with its place."""
    from trine.cloudformation.discovery import find_template
    from trine.cloudformation.faults import TemplateFaults
    from trine.cloudformation.lint import validate

    try:
        found = find_template(path)
        with progress("checking the template"):
            faults = validate(found.path, found.parameter_overrides)
    except TemplateFaults as missing:
        faults = missing.faults
    if as_json:
        click.echo(json.dumps([fault.to_document() for fault in faults], indent=1))
    else:
        for fault in faults:
            click.echo(str(fault), err=True)
        if not faults:
            click.echo("no faults")
    sys.exit(2 if any(fault.level == "error" for fault in faults) else 0)
