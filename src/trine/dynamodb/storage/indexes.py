"""The entries of secondary indexes: what a change of an item changes in them.

The item before and after enters, one `IndexChange` for each index that is touched leaves: entries to put and delete,
and the sizes from which its write units are counted. An entry's value is the projected item in stored form.
"""

from __future__ import annotations

from collections.abc import Sequence

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.item import encode_stored, stored_size
from trine.dynamodb.model.key import check_index_key
from trine.dynamodb.storage.table import Index, Table


class IndexChange:
    """What one index needs for one item's transition. Sizes are None where there is no entry."""

    __slots__ = ("index", "new_size_bytes", "old_size_bytes", "puts", "rekeyed")

    def __init__(self, index: Index) -> None:
        self.index = index
        self.puts: dict[bytes, bytes | None] = {}
        self.old_size_bytes: int | None = None
        self.new_size_bytes: int | None = None
        self.rekeyed = False
        """The entry moved: AWS counts the deletion and the insertion apart."""

    @property
    def count_delta(self) -> int:
        """Entries gained or lost."""
        return (self.new_size_bytes is not None) - (self.old_size_bytes is not None)

    @property
    def size_delta_bytes(self) -> int:
        """Bytes gained or lost."""
        return (self.new_size_bytes or 0) - (self.old_size_bytes or 0)


def index_changes(table: Table, old: Item | None, new: Item | None) -> Sequence[IndexChange]:
    """The changes of every index of `table` whose entry for the item is not the same afterwards."""
    changes = []
    for index in table.indexes:
        if index.status == "DELETING":
            continue
        change = _index_change(index, old, new)
        if change is not None:
            changes.append(change)
    return changes


def _index_change(index: Index, old: Item | None, new: Item | None) -> IndexChange | None:
    definition, space = index.definition, index.space
    before = old if old is not None and _holds(index, old) else None
    after = new if new is not None and _holds(index, new) else None
    if before is None and after is None:
        return None
    change = IndexChange(index)
    old_key = new_key = old_entry = new_entry = None
    if before is not None:
        old_key, old_entry = space.key(before), encode_stored(definition.project(before))
        change.old_size_bytes = stored_size(old_entry)
    if after is not None:
        new_key, new_entry = space.key(after), encode_stored(definition.project(after))
        change.new_size_bytes = stored_size(new_entry)
    if old_key == new_key and old_entry == new_entry:
        return None
    if old_key is not None and old_key != new_key:
        change.puts[old_key] = None
    if new_key is not None:
        change.puts[new_key] = new_entry
    change.rekeyed = old_key is not None and new_key is not None and old_key != new_key
    return change


def _holds(index: Index, item: Item) -> bool:
    """Whether the index has an entry for `item`.

    Items older than the index may have values that are no keys (empty, too long): AWS leaves those out of it.
    """
    if not index.definition.holds(item):
        return False
    try:
        check_index_key(index.name, index.definition.key, item)
    except ValidationException:
        return False
    return True


def index_entry(index: Index, item: Item) -> tuple[bytes, bytes] | None:
    """The entry of `item` in `index`, or None when the index does not hold it: for the backfill."""
    if not _holds(index, item):
        return None
    return index.space.key(item), encode_stored(index.definition.project(item))
