"""`--replica-lag`: a number, a range, or a message that says what it takes."""

from __future__ import annotations

import click
import pytest

from trine.cli.lag import replica_lag
from trine.cli.main import trine
from trine.dynamodb.consistency.lag import Lag

OPTION = click.Option(["--replica-lag"])
CONTEXT = click.Context(trine)


@pytest.mark.parametrize(("text", "bounds"), [("0.5", (0.5, 0.5)), ("0.1-1.5", (0.1, 1.5)), ("0-0", (0, 0))])
def test_a_lag_and_a_range(text: str, bounds: tuple[float, float]) -> None:
    lag = replica_lag(CONTEXT, OPTION, text)
    assert isinstance(lag, Lag)
    assert (lag.least_seconds, lag.most_seconds) == bounds


def test_none_at_all() -> None:
    assert replica_lag(CONTEXT, OPTION, "0") == 0.0


@pytest.mark.parametrize("text", ["", "-1", "x", "1-", "-", "2-1", "nan", "inf", "1e9", "1-2-3"])
def test_what_is_no_lag(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"it is 0\.5, or 0\.1-1\.5"):
        replica_lag(CONTEXT, OPTION, text)
