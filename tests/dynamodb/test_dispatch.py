"""Every operation that AWS has is answered, or refused in words that name it; the page says which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trine.dynamodb.dispatch import BUILT, STREAMS_TARGET, TABLE_TARGET, operation_of
from trine.dynamodb.errors import UnknownOperationException, UnsupportedOperationException, ValidationException
from trine.dynamodb.members import dynamodb_model, streams_model

PAGE = (Path(__file__).parents[2] / "docs" / "dynamodb.md").read_text()
ROWS = [line.split("|")[1:3] for line in PAGE.splitlines() if line.startswith("| ")]
TOLD = {name: said for names, said in ROWS for name in names.replace(" ", "").split(",")}
"""What the page says of each operation."""
TARGETS = sorted(
    f"{prefix}{name}"
    for prefix, model in ((TABLE_TARGET, dynamodb_model()), (STREAMS_TARGET, streams_model()))
    for name in model.operations
)


@pytest.mark.parametrize("target", TARGETS)
def test_every_operation_of_aws_is_built_or_says_that_it_is_not(target: str) -> None:
    name = target.partition(".")[2]
    if target.encode() in BUILT:
        assert operation_of(target.encode()).name == name
        assert "built" in TOLD[name]
        assert "not built" not in TOLD[name]
        return
    # A newer service model may have operations of which the page does not know yet.
    assert "not built" in TOLD.get(name, "not built")
    nothing: Any = None
    # Two of them AWS itself has closed, and says so.
    with pytest.raises(
        (UnsupportedOperationException, ValidationException), match=f"{name} is not built|is not supported"
    ):
        operation_of(target.encode()).execute(nothing, {}, None)


def test_a_name_that_aws_does_not_have() -> None:
    for target in (None, b"", b"GetItem", b"DynamoDB_20120810.Nothing", b"DynamoDB_20111205.GetItem"):
        with pytest.raises(UnknownOperationException):
            operation_of(target)
