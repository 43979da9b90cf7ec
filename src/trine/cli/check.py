"""`trine check`: faults of the pattern that AWS would deploy all the same, from the template, the code and the traffic.

What only traffic shows (scans in a request path, reads that need `ConsistentRead`) is asked of the template's running
stack, if there is one. Exit code 1 when there are findings, 2 when the template has faults.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trine.cli.progress import progress
from trine.cli.serving import exit_with_faults

if TYPE_CHECKING:
    from trine.cloudformation.faults import Fault
    from trine.cloudformation.template import Template

_OBSERVED = {
    "dynamodb/scan-in-request-path": (
        "{function} scanned {table} {count} times while somebody waited, {units:g} units the last time",
        "use Query on the key, or give the table an index for this question",
    ),
    "dynamodb/filter-in-request-path": (
        "{function} read {scannedCount} items of {table} to return {returnedCount}, {count} times",
        "put what is filtered into a key or an index",
    ),
    "dynamodb/needs-consistent-read": (
        "{function} read from {table} {count} times what had just been written: AWS may answer with the old state",
        "set ConsistentRead (not possible on a global secondary index), or do not read back what was just written",
    ),
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--parameter-overrides", "-P", multiple=True, help="Parameter values: Name=Value, as SAM takes them.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("--json", "as_json_list", is_flag=True, help="The same as --format json.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="State directory of the running stack (default: .trine)."
)
@click.option("--observed/--no-observed", default=True, help="Also what the running stack's traffic showed.")
def command(
    path: Path, parameter_overrides: tuple[str, ...], form: str, as_json_list: bool, state: Path | None, observed: bool
) -> None:
    """Point out what AWS would deploy and one would regret.

    A comment `# trine: quiet RULE` on the line quiets a finding.
    """
    from trine.cli import findings as shapes
    from trine.cloudformation.advice import advise, quieted
    from trine.cloudformation.code_advice import advise_on_code
    from trine.cloudformation.discovery import find_template, parse_overrides
    from trine.cloudformation.faults import TemplateFaults
    from trine.cloudformation.template import load_template

    try:
        found = find_template(path)
        overrides = {**found.parameter_overrides, **parse_overrides(list(parameter_overrides))}
        with progress("reading the template"):
            template = load_template(found.path, overrides, found.stack_name)
    except TemplateFaults as faults:
        exit_with_faults(faults)
    advice = [*advise(template), *advise_on_code(template)]
    if observed:
        advice += _seen(template, state or found.project_directory / ".trine")
    findings = sorted(quieted(advice))
    form = "json" if as_json_list else form
    if form == "sarif":
        lines = shapes.as_sarif(findings, found.project_directory)
    else:
        lines = shapes.as_json(findings) if form == "json" else shapes.as_text(findings)
    for line in lines:
        click.echo(line)
    sys.exit(1 if findings else 0)


def _seen(template: Template, state: Path) -> Iterator[Fault]:
    """What the traffic of the running stack showed; nothing when none runs."""
    from trine.cli.client import get_document
    from trine.cloudformation.faults import Fault
    from trine.stack import run_file
    from trine.stack.run_file import NotRunning

    try:
        running = run_file.read(state)
    except NotRunning:
        return
    functions = {one.name: one for one in template.of_type("AWS::Lambda::Function")}
    for seen in get_document(running, "/_trine/faults")["faults"]:
        why, instead = _OBSERVED[seen["rule"]]
        function = functions.get(seen["function"])
        place = function.location if function is not None else None
        facts: dict[str, Any] = {**seen["detail"], **{key: seen[key] for key in ("table", "count")}}
        facts["function"] = function.source_id if function is not None else seen["function"]
        better = seen["detail"].get("instead")
        yield Fault(
            place.file if place is not None else str(template.path),
            place.line if place is not None else 0,
            place.column if place is not None else 0,
            why.format(**facts),
            f"{better or instead}; see `trine explain {seen['requestId']}`",
            seen["rule"],
            "warning",
        )
