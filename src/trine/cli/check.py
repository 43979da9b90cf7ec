"""`trine check`: static faults of the pattern in a template that AWS would deploy all the same. Exit code 1 when any.

What only traffic can show (scans in a request path, reads that need `ConsistentRead`) stands in `trine explain`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from trine.cli.serving import exit_with_faults


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def command(path: Path, as_json: bool) -> None:
    """Point out what AWS would deploy and one would regret.

    A comment `# trine: quiet RULE` on the line quiets a finding.
    """
    from trine.cloudformation.advice import advise
    from trine.cloudformation.discovery import find_template
    from trine.cloudformation.faults import TemplateFaults
    from trine.cloudformation.template import load_template

    try:
        found = find_template(path)
        template = load_template(found.path, found.parameter_overrides, found.stack_name)
    except TemplateFaults as faults:
        exit_with_faults(faults)
    lines = {file: Path(file).read_text("utf-8", "replace").splitlines() for file in map(str, template.files)}
    findings = advise(template, lines)
    if as_json:
        click.echo(json.dumps([finding.to_document() for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(str(finding))
        if not findings:
            click.echo("nothing to point out")
    sys.exit(1 if findings else 0)
