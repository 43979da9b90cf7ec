"""`trine store`: verify, compact or fork the durable store of a state directory. Exit code 1 when it has faults."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from msgspec.structs import asdict

from trine.cli.progress import progress

Result = TypeVar("Result")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")


@click.group()
def command() -> None:
    """Verify or copy the durable store of a state directory.

    STATE is a .trine directory whose stack has ended.
    """


@command.command()
@click.argument("state", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_as_json
def verify(state: Path, as_json: bool) -> None:
    """Read every byte and check it; change nothing."""
    from trine.stack import state as states

    with progress("reading the store"):
        found = _guarded(lambda: states.verify(state))
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        sys.exit(1 if found.faults else 0)
    click.echo(f"format {found.format_version}, {found.tree_keys} keys in the tree, last group {found.last_group}")
    click.echo(f"{found.segments_to_fold} log segments to fold; torn tail: {'yes' if found.torn_tail else 'no'}")
    for fault in found.faults:
        click.echo(f"fault: {fault}", err=True)
    sys.exit(1 if found.faults else 0)


@command.command()
@click.argument("state", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_as_json
def compact(state: Path, as_json: bool) -> None:
    """Fold the log and rewrite the tree without free pages."""
    from trine.stack import state as states

    with progress("rewriting the store"):
        before, after = _guarded(lambda: states.compact(state))
    if as_json:
        click.echo(json.dumps({"bytesBefore": before, "bytesAfter": after}))
        return
    click.echo(f"{before:,} bytes before, {after:,} bytes after")


@command.command()
@click.argument("state", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path))
@_as_json
def fork(state: Path, target: Path, as_json: bool) -> None:
    """Make TARGET a state directory of its own with the same content, in milliseconds where the disk can."""
    from trine.stack import state as states

    with progress("copying the store"):
        _guarded(lambda: states.fork(state, target))
    if as_json:
        click.echo(json.dumps({"state": str(state), "target": str(target)}))
        return
    click.echo(f"{target} is a copy of {state}; run it with `trine up … --state {target}`")


def _guarded(work: Callable[[], Result]) -> Result:
    from trine.stack.state import StateFault

    try:
        return work()
    except StateFault as error:
        raise click.ClickException(str(error)) from None
