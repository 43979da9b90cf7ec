"""`trine build`: install what the functions of a template ask for and build what they name a method for, as `trine up`
does, and tell how it went.

Exit codes: 0 all is there, 1 something could not be installed or built, 2 the template has faults.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import click

from trine.cli.progress import progress


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--parameter-overrides", "-P", multiple=True, help="Parameter values: Name=Value, as SAM takes them.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object: folders by function, problems, failed.")
def command(path: Path, parameter_overrides: tuple[str, ...], as_json: bool) -> None:
    """Install requirements.txt and package.json of functions and layers, once, into the user's cache.

    Functions and layers with a BuildMethod of esbuild, Go, Rust, make, Python or Node.js are
    built.

    Packages of the AWS SDK that Node.js functions name and do not bring are installed as the runtime's own.
    PATH is the template or its directory. What `sam build` left in .aws-sam/build is complete and used as it is.
    """
    from trine.aws.arn import Place
    from trine.cli.serving import exit_with_faults
    from trine.clock import SystemClock
    from trine.cloudformation.discovery import find_template, parse_overrides
    from trine.cloudformation.faults import TemplateFaults
    from trine.cloudformation.template import load_template
    from trine.stack.functions import BUILT, prepare_dependencies
    from trine.stack.settings import user_cache

    try:
        found = find_template(path)
        overrides = {**found.parameter_overrides, **parse_overrides(list(parameter_overrides))}
        state = found.project_directory / ".trine"
        with progress("reading the template"):
            template = load_template(found.path, overrides, found.stack_name, Place(), state / "cache")
    except TemplateFaults as faults:
        exit_with_faults(faults)
    tell = partial(click.echo, err=as_json)
    made = asyncio.run(prepare_dependencies(template, user_cache(), state / BUILT, SystemClock(), tell))
    if as_json:
        folders = {name: str(folder) for name, folder in made.folders.items()}
        problems = [str(problem) for problem in made.problems]
        built = {name: str(one.folder) for name, one in made.built.items()}
        built |= {name: str(folder) for name, folder in made.layers.items()}
        brought = {name: str(folder) for name, folder in made.runtime_folders.items()}
        click.echo(
            json.dumps(
                {
                    "folders": folders,
                    "runtimeFolders": brought,
                    "built": built,
                    "problems": problems,
                    "failed": bool(made.failed),
                }
            )
        )
        raise SystemExit(1 if made.failed else 0)
    for problem in made.problems:
        click.echo(f"! {problem}", err=True)
    count = len({*made.folders.values(), *made.runtime_folders.values()})
    functions = len({*made.folders, *made.runtime_folders})
    click.echo(f"{count} installation{'' if count == 1 else 's'} for {functions} function(s)")
    if made.built or made.layers:
        click.echo(f"{len(made.built) + len(made.layers)} built")
    if made.failed:
        raise SystemExit(1)
