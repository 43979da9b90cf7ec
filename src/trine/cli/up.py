"""`trine up`: read the template, start the stack, say what there is, run until Ctrl-C or SIGTERM.

Exit codes: 0 ended by the user, 1 it could not start (ports, state directory), 2 the template has faults.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trine.cli.lag import replica_lag
from trine.cli.option_types import PORT, STATE
from trine.cli.signals import interruptible
from trine.stack.settings import AWS_PORT, DEBUG_PORT, DYNAMODB_PORT, FRONT_PORT, NEIGHBOURS_MAX, Settings

if TYPE_CHECKING:
    from trine.awslambda.head_start import Started

ZYGOTE_PATIENCE_SECONDS = 0.25
"""How long the announcement waits for the Pythons of functions to be loaded. They take longer only at the very first
start, which compiles the SDK for a Python version; then `trine up` says so."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--port", type=PORT, default=FRONT_PORT, show_default=True, help="Front door; 0 takes a free one.")
@click.option("--aws-port", type=PORT, default=AWS_PORT, show_default=True, help="AWS wire protocols of all services.")
@click.option("--dynamodb-port", type=PORT, default=DYNAMODB_PORT, show_default=True, help="DynamoDB alone.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--vpc-neighbour", multiple=True, metavar="HOST:PORT", help="Lies in the VPC of functions: a database here."
)
@click.option("--memory", is_flag=True, help="Keep the tables in memory only; no data is left afterwards.")
@click.option("--state", type=STATE, help="State directory (default: .trine beside the template).")
@click.option("--parameter-overrides", "-P", multiple=True, help="Parameter values: Name=Value, as SAM takes them.")
@click.option("--env-vars", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="SAM's env-vars JSON.")
@click.option("--stack-name", help="Name of the stack (default: from samconfig.toml or the directory).")
@click.option("--region", help="AWS region to stand in (default: samconfig.toml, else us-east-1).")
@click.option("--account-id", default="123456789012", show_default=True, help="AWS account id to stand in.")
@click.option("--soft", is_flag=True, help="Report what AWS would refuse, and let it pass.")
@click.option("--record-keys", is_flag=True, help="Record partition keys, for conditions that `trine policy` writes.")
@click.option("--no-throttling", is_flag=True, help="Count capacity units of tables, but refuse nothing.")
@click.option("--cpu-limits", is_flag=True, help="Functions get the CPU that AWS gives their memory, and no more.")
@click.option("--replica-lag", default="0", show_default=True, metavar="SECONDS", callback=replica_lag,
              help="By how much eventual reads trail: 0.5, or 0.1-1.5 to draw it anew for each read.")  # fmt: skip
@click.option("--vpc-link", multiple=True, help="Where a VPC link leads: NAME=URL; may be repeated.")
@click.option("--vpc-endpoint", default="", help="VPC endpoint that requests to private APIs come through.")
@click.option(
    "--share-limits",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of token buckets and quotas that several `trine up` of this machine share.",
)
@click.option("--api-rate", default=10_000.0, show_default=True, help="Requests/s of the account over all APIs.")
@click.option(
    "--observe",
    type=click.Choice(["all", "traces", "nothing"]),
    default="all",
    show_default=True,
    help="Count usage and measures of requests; only trace them; or neither, to measure what that costs.",
)
@click.option("--receipt-header", is_flag=True, help="Answers of the front door carry what they cost.")
@click.option("--otlp", metavar="URL", help="Send traces to an OpenTelemetry collector (pip install 'trine[otel]').")
@click.option(
    "--prices", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A price list of your own."
)
@click.option("--debug", "debug_function", metavar="FUNCTION", help="This function waits for a debugger to attach.")
@click.option("--debug-port", type=PORT, default=DEBUG_PORT, show_default=True, help="Where it waits.")
@click.option("--install/--no-install", default=True, show_default=True, help="Install functions' own packages.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document when ready, instead of text.")
@click.option("--manifest/--no-manifest", default=True, show_default=True, help="Print the fidelity manifest.")
def command(**options: Any) -> None:
    """Run the stack of a SAM or CloudFormation template.

    PATH is the template or its directory.
    """
    from trine.cloudformation.faults import TemplateFaults

    interruptible()
    try:
        settings = settings_of(options)
    except TemplateFaults as faults:
        from trine.cli.serving import exit_with_faults

        exit_with_faults(faults)
    from trine.awslambda.head_start import head_start

    # First of all: the Pythons of functions load on another core while this process loads the wings.
    started = head_start(settings.template, settings.parameters.values(), settings.state_directory)
    from trine.cli import serving

    as_json, with_manifest = options["as_json"], options["manifest"]
    serving.serve(lambda: _serve(settings, started, as_json=as_json, with_manifest=with_manifest))


def settings_of(options: dict[str, Any]) -> Settings:
    """The settings that the options and samconfig.toml give. TemplateFaults when there is no template."""
    from trine.aws.arn import DEFAULT_REGION, Place
    from trine.cloudformation.discovery import find_template, parse_overrides

    found = find_template(options["path"])
    overrides = {**found.parameter_overrides, **parse_overrides(list(options["parameter_overrides"]))}
    if len(options["account_id"]) != 12 or not options["account_id"].isdecimal():
        raise click.UsageError("--account-id takes twelve digits")
    if options["api_rate"] <= 0:
        raise click.UsageError("--api-rate must be above zero")
    return Settings(
        template=found.path,
        state_directory=(options["state"] or found.project_directory / ".trine").absolute(),
        stack_name=options["stack_name"] or found.stack_name,
        parameters=overrides,
        host=options["host"],
        front_port=options["port"],
        aws_port=options["aws_port"],
        dynamodb_port=options["dynamodb_port"],
        vpc_neighbours=_neighbours(options["vpc_neighbour"]),
        memory=options["memory"],
        enforcement="soft" if options["soft"] else "enforce",
        replica_lag_seconds=options["replica_lag"],
        record_keys=options["record_keys"],
        throttling=not options["no_throttling"],
        cpu_limits=options["cpu_limits"],
        api_rate_per_second=options["api_rate"],
        vpc_links=_checked_links(options["vpc_link"]),
        vpc_endpoint=options["vpc_endpoint"],
        shared_limits=options["share_limits"].absolute() if options["share_limits"] else None,
        api_burst=max(1, int(options["api_rate"] / 2)),
        place=Place(options["account_id"], options["region"] or found.region or DEFAULT_REGION),
        observe=options["observe"],
        receipt_header=options["receipt_header"],
        prices=_checked_prices(options["prices"]),
        otlp_endpoint=_checked_url(options["otlp"]),
        install=options["install"],
        debug_function=options["debug_function"],
        debug_port=options["debug_port"],
        environment_overrides=_environment_overrides(options["env_vars"]),
    )


def _neighbours(given: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    if len(given) > NEIGHBOURS_MAX:
        raise click.UsageError(f"--vpc-neighbour can be given {NEIGHBOURS_MAX} times at most")
    return tuple(map(_neighbour, given))


def _neighbour(text: str) -> tuple[str, int]:
    import socket

    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise click.UsageError(f"--vpc-neighbour takes HOST:PORT, not {text!r}")
    try:
        return str(socket.getaddrinfo(host, int(port), socket.AF_INET)[0][4][0]), int(port)
    except OSError:
        raise click.UsageError(f"--vpc-neighbour {text}: {host} has no IPv4 address here") from None


def _checked_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--otlp takes an http or https URL, not {url!r}")
    return url


def _checked_links(given: Sequence[str]) -> dict[str, str]:
    links: dict[str, str] = {}
    for text in given:
        name, found, url = text.partition("=")
        if not found or not name or not url.startswith(("http://", "https://")):
            raise click.UsageError(f"--vpc-link takes NAME=URL with an http or https URL, not {text!r}")
        links[name] = url
    return links


def _checked_prices(path: Path | None) -> Path | None:
    """The price list, if it can be used: a wrong one ends the start, not the first bill."""
    if path is not None:
        from trine.metering.prices import PriceFault, load_prices

        try:
            load_prices(path)
        except PriceFault as fault:
            raise click.UsageError(str(fault)) from None
    return path


def _environment_overrides(path: Path | None) -> dict[str, dict[str, str]]:
    if path is None:
        return {}
    try:
        document = json.loads(path.read_bytes())
        return {str(name): {str(k): str(v) for k, v in values.items()} for name, values in document.items()}
    except (ValueError, AttributeError) as error:
        raise click.UsageError(f"{path} is not SAM's env-vars JSON ({error})") from None


def _secret_key(state_directory: Path) -> bytes:
    from trine.stack.state import secret_key  # most templates have no secret: a start does not wait for this

    return secret_key(state_directory)


async def _serve(settings: Settings, started: dict[str, Started], *, as_json: bool, with_manifest: bool) -> None:
    import asyncio

    from trine.cli import serving
    from trine.cloudformation.template import load_template

    settings.state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # On a cold cache a child process expands the template; meanwhile this one imports the wings.
    reading = asyncio.get_running_loop().run_in_executor(
        None,
        load_template,
        settings.template,
        settings.parameters,
        settings.stack_name,
        settings.place,
        settings.state_directory / "cache",
        partial(_secret_key, settings.state_directory),
    )
    from trine.cli.progress import progress
    from trine.console.door import ConsoleDoor
    from trine.stack.stack import ConsoleHandler, Stack

    with progress("reading the template"):
        template = await reading
    for note in template.notes:
        click.echo(str(note), err=True)
    doors: list[ConsoleDoor] = []

    def open_console(made: Stack) -> ConsoleHandler:
        doors.append(ConsoleDoor(made))
        return doors[0].handle

    stack = await Stack.start(settings, template, open_console, head_starts=started, tell=partial(click.echo, err=True))
    try:
        stack.warm()
        for python in await stack.wings.functions.machinery.interpreters.ready(ZYGOTE_PATIENCE_SECONDS):
            click.echo(f"{python} is still being prepared for functions; first calls wait for it", err=True)
        await serving.until_stopped(
            partial(_announce, {**stack.description(), "consoleUrl": doors[0].views.new_link()}, as_json, with_manifest)
        )
        if not as_json:
            click.echo("\nstopping …")
    finally:
        await stack.close()


def _announce(description: dict[str, Any], as_json: bool, with_manifest: bool) -> None:
    if as_json:
        click.echo(json.dumps(description))
        return
    from trine.cli import announcement

    for line in announcement.lines(description, with_manifest=with_manifest):
        click.echo(line)
