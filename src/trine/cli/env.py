"""`trine env`: the owner's access key and the endpoints as shell exports, for `eval "$(trine env)"`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from trine.cli.client import find_run_file
from trine.cli.waterfall import printable


@click.command()
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of exports.")
def command(state: Path | None, as_json: bool) -> None:
    """Print access key and endpoints as shell exports."""
    run_file = find_run_file(state, running=False)
    variables = {
        "AWS_ACCESS_KEY_ID": run_file.access_key_id,
        "AWS_SECRET_ACCESS_KEY": run_file.secret_access_key,
        "AWS_REGION": run_file.region,
        "AWS_DEFAULT_REGION": run_file.region,
        "AWS_ENDPOINT_URL": run_file.aws_url,
    }
    if as_json:
        click.echo(
            json.dumps(
                {**variables, "ApiKeys": dict(run_file.api_keys), "ClientSecrets": dict(run_file.client_secrets)},
                indent=1,
            )
        )
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo("unset AWS_SESSION_TOKEN AWS_PROFILE")
    for name, value in run_file.client_secrets.items():
        click.echo(f"# client secret of {printable(name)}: {printable(value)}")
    for name, value in run_file.api_keys.items():
        click.echo(f"# API key {printable(name)} (header x-api-key): {printable(value)}")
