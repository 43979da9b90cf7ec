"""A parsed statement: what it says, with attribute names and values behind placeholders.

Conditions and updates are the syntax trees of `expressions`, so that they are compiled and applied as any other:
`names` gives the attribute name behind each `#n`, `values` the literal behind each `:n`. A `?` is a `Parameter` until
the request's parameters take its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Condition, Path, UpdateTree
from trine.dynamodb.expressions.names import Values
from trine.dynamodb.model.attribute import AttributeValue
from trine.dynamodb.partiql.plan import Returning

Kind = Literal["SELECT", "INSERT", "UPDATE", "DELETE", "EXISTS"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """The `?` number `position`, counted from 0."""

    position: int


Filled = AttributeValue | Parameter


@dataclass(frozen=True, slots=True)
class Ordering:
    """One `ORDER BY` term."""

    attribute: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One projected path and the name it is answered under."""

    path: Path
    name: str


@dataclass(frozen=True)
class Statement:
    """One statement. `columns` None is `*`; `item` is INSERT's; `update` UPDATE's; `where` None is no WHERE."""

    kind: Kind
    table_name: str
    index_name: str | None
    names: Mapping[str, str]
    values: Mapping[str, Filled]
    parameter_count: int
    where: Condition | None = None
    columns: tuple[Column, ...] | None = None
    order: tuple[Ordering, ...] = ()
    item: Mapping[str, Filled] | None = None
    update: UpdateTree | None = None
    returning: Returning | None = None

    def filled(self, parameters: Sequence[AttributeValue] | None) -> Values:
        """The values with the request's parameters in place. ValidationException when their number is wrong."""
        given = parameters or ()
        if len(given) != self.parameter_count:
            raise ValidationException("Number of parameters in request and statement don't match.")
        return {name: _fill(value, given) for name, value in self.values.items()}

    def filled_item(self, parameters: Sequence[AttributeValue] | None) -> dict[str, AttributeValue]:
        """INSERT's item with the request's parameters in place."""
        assert self.item is not None
        return {name: _fill(value, parameters or ()) for name, value in self.item.items()}


def _fill(value: Filled, parameters: Sequence[Any]) -> AttributeValue:
    return parameters[value.position] if isinstance(value, Parameter) else value
