"""Which key or index would answer what a filter asks: pure.

A table's definition and the attributes that a filter compares with `=` enter; the table's key or the index whose
partition key they give leaves, the one with the most of its sort key first, or None when there is none.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from trine.dynamodb.model.key import KeySchema
from trine.dynamodb.model.table import TableDefinition


class AccessPath(Struct, frozen=True):
    """A Query (or, with the whole key of the table, a GetItem) by these attributes."""

    index_name: str | None
    attributes: tuple[str, ...]
    whole_key: bool = False

    def sentence(self) -> str:
        """In words."""
        condition = " AND ".join(f"{name} = …" for name in self.attributes)
        if self.index_name is not None:
            return f"Query the index {self.index_name} with {condition}"
        return f"GetItem with {condition}" if self.whole_key else f"Query the table with {condition}"


def instead_of(definition: TableDefinition, filtered: Iterable[str], given: Iterable[str] = ()) -> AccessPath | None:
    """The path that reads less: `filtered` attributes have one value by a filter, `given` by the key that is read."""
    dropped = frozenset(filtered)
    equal = dropped.union(given)
    paths: list[AccessPath] = []
    for index_name, key in ((None, definition.key), *((index.name, index.key) for index in definition.indexes)):
        found = _given(key, equal)
        if not dropped.isdisjoint(found):
            paths.append(AccessPath(index_name, found, index_name is None and len(found) == len(key.names)))
    if not paths:
        return None
    return max(paths, key=lambda path: (len(path.attributes), path.index_name is None))


def _given(key: KeySchema, equal: frozenset[str]) -> tuple[str, ...]:
    """The attributes of `key` that are given: all of its partition key, then as many of its sort key as follow."""
    names = [attribute.name for attribute in key.partition]
    if not equal.issuperset(names):
        return ()
    for attribute in key.sort:
        if attribute.name not in equal:
            break
        names.append(attribute.name)
    return tuple(names)
