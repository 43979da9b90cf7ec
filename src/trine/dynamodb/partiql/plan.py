"""Plans: what a PartiQL statement does, in the words of the table's own operations.

The planner makes them of a statement and a table's definition; the operations run them. Nothing here knows the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trine.dynamodb.expressions.key_condition import KeyCondition
from trine.dynamodb.expressions.update import UpdatePlan
from trine.dynamodb.model.attribute import Item

Test = Callable[[Item], bool]
Project = Callable[[Item], Item]
Returning = Literal["ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW"]


@dataclass(frozen=True, slots=True)
class SelectPlan:
    """A read.

    `key`: exactly one item of the table by its whole key (then `reads` has the same key as its one condition).
    `reads`: the partitions to query, one after the other, each with its part of the sort order; None is a scan of the
    table or index. `accept`: what an item must satisfy to be answered (None: all). It speaks of any attribute, keys
    included, and of all of WHERE. `only_key` says that WHERE is nothing but the key: what transactions and batches ask.
    `project`: the answer made of an item (None: the item as it is). `attributes` are the top-level attributes that
    `project` and `accept` read, None for all. `reverse`: descending sort order.
    """

    table_name: str
    index_name: str | None
    key: Item | None
    reads: tuple[KeyCondition, ...] | None
    accept: Test | None
    only_key: bool
    project: Project | None
    attributes: frozenset[str] | None
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class InsertPlan:
    """A put of an item that must not exist: DuplicateItemException "Duplicate primary key exists in table"."""

    table_name: str
    item: Item
    key: Item


@dataclass(frozen=True, slots=True)
class UpdateStatementPlan:
    """An update of one item. `condition` holds for no item that does not exist (ConditionalCheckFailedException)."""

    table_name: str
    key: Item
    update: UpdatePlan
    condition: Test
    returning: Returning | None


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """A delete of one item. `condition` None: deleting nothing is fine. `returning` is None or ALL OLD."""

    table_name: str
    key: Item
    condition: Test | None
    returning: Returning | None


@dataclass(frozen=True, slots=True)
class ExistsPlan:
    """A condition check of one item, for ExecuteTransaction only."""

    table_name: str
    key: Item
    condition: Test


Plan = SelectPlan | InsertPlan | UpdateStatementPlan | DeletePlan | ExistsPlan
