"""`--replica-lag`: the option's text becomes seconds, or a lag that is drawn anew for each read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trine.dynamodb.consistency.lag import Lag


def replica_lag(context: click.Context, parameter: click.Parameter, text: str) -> float | Lag:
    """`0.5`, or `0.1-1.5`. BadParameter."""
    if text == "0":
        return 0.0  # the usual start loads nothing for it
    from trine.dynamodb.consistency.lag import parsed_lag

    try:
        return parsed_lag(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; it is 0.5, or 0.1-1.5", context, parameter) from None
