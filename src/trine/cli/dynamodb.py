"""`trine dynamodb`: the DynamoDB-compatible table server alone, on one port."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from trine.cli import serving
from trine.cli.lag import replica_lag as lagging
from trine.cli.option_types import PORT, STATE
from trine.cli.signals import interruptible
from trine.stack.settings import DYNAMODB_PORT, Settings

if TYPE_CHECKING:
    from trine.dynamodb.consistency.lag import Lag


@click.command()
@click.option(
    "--port", type=PORT, default=DYNAMODB_PORT, show_default=True, help="Port to listen on; 0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--memory", is_flag=True, help="Keep nothing on disk.")
@click.option("--state", type=STATE, default=Path(".trine"), show_default=True, help="Its state.")
@click.option("--soft", is_flag=True, help="Take any credentials; report what AWS would refuse, and let it pass.")
@click.option("--no-throttling", is_flag=True, help="Count capacity units of tables, but refuse nothing.")
@click.option("--replica-lag", default="0", show_default=True, metavar="SECONDS", callback=lagging,
              help="By how much eventual reads trail: 0.5, or 0.1-1.5 to draw it anew for each read.")  # fmt: skip
@click.option(
    "--item-collection-limit",
    type=click.IntRange(min=1),
    default=10 * 1024**3,
    metavar="BYTES",
    help="What one partition key may hold where there are local indexes; 10 GB, as on AWS.",
)
@click.option("--region", default="us-east-1", show_default=True, help="AWS region to stand in.")
@click.option("--account-id", default="123456789012", show_default=True, help="AWS account id to stand in.")
@click.option("--observe", type=click.Choice(["all", "traces", "nothing"]), default="all", help="As for `trine up`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document when ready, instead of text.")
def command(
    port: int,
    host: str,
    memory: bool,
    state: Path,
    soft: bool,
    no_throttling: bool,
    replica_lag: float | Lag,
    item_collection_limit: int,
    region: str,
    account_id: str,
    observe: Literal["all", "traces", "nothing"],
    as_json: bool,
) -> None:
    """Run the DynamoDB-compatible table server alone."""
    from trine.aws.arn import Place

    interruptible()
    settings = Settings(
        template=Path(),
        state_directory=state.absolute(),
        host=host,
        dynamodb_port=port,
        memory=memory,
        enforcement="soft" if soft else "enforce",
        replica_lag_seconds=replica_lag,
        item_collection_max_bytes=item_collection_limit,
        throttling=not no_throttling,
        place=Place(account_id, region),
        observe=observe,
    )
    serving.serve(lambda: _serve(settings, as_json))


async def _serve(settings: Settings, as_json: bool) -> None:
    from trine.stack.table_server import TableServer

    server = await TableServer.start(settings)
    try:
        server.dynamodb.warm()
        await serving.until_stopped(partial(_announce, server.url, settings, as_json))
    finally:
        await server.close()


def _announce(url: str, settings: Settings, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"dynamodbUrl": url, "stateDirectory": str(settings.state_directory)}))
        return
    kept = "in memory only" if settings.memory else f"on disk: {settings.state_directory}"
    click.echo(f'DynamoDB at {url}, {kept}\nCredentials: eval "$(trine env)". Ctrl-C ends it.')
