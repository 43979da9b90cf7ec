"""Tables that an earlier template made and today's no longer names: they stay, and it is said what AWS would do.

Enters the template and what tables there are; leaves a note for each table left behind. CloudFormation deletes a
resource that its template no longer names, with all that lies in it, unless its `DeletionPolicy` says `Retain` (user
guide, "DeletionPolicy attribute"). A renamed logical id or table name is enough. Here nothing is deleted that way, so
that a slip of the editor costs no items; whoever deploys should know it beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from trine.cloudformation.resources import Resource
from trine.dynamodb.storage.table import Table
from trine.kv.disk import write_durably
from trine.stack.state import StateFault, store_faults

MADE_FILE = "made-tables.json"


class MadeTable(Struct, frozen=True):
    """A table as the template that made it described it."""

    name: str
    logical_id: str
    deletion_policy: str


def left_behind(
    state_directory: Path, resources: Iterable[Resource], find_table: Callable[[str], Table | None]
) -> list[str]:
    """What to tell about tables that only earlier templates name; `resources`, today's tables, are remembered for the
    next start. StateFault when the record cannot be read or written.
    """
    today = [MadeTable(one.physical_id, one.logical_id, one.deletion_policy) for one in resources]
    names = {one.name for one in today}
    record = state_directory / MADE_FILE
    remembered = _remembered(record)
    earlier = [(one, find_table(one.name)) for one in remembered if one.name not in names]
    left = [(made, table) for made, table in earlier if table is not None and table.status != "DELETING"]
    known = [*today, *(made for made, _ in left)]
    if known != remembered:  # what has not changed costs a start no sync
        _remember(record, known)
    return [_note(made, table) for made, table in left]


def _note(made: MadeTable, table: Table) -> str:
    if table.definition.deletion_protection:
        fate = "on AWS it would stay too, protected from deletion"
    elif made.deletion_policy == "Delete":
        fate = "AWS would delete it with its items at this deployment; DeletionPolicy: Retain keeps a table"
    else:
        fate = f"AWS would keep it too (DeletionPolicy: {made.deletion_policy})"
    return (
        f"table {made.name} ({made.logical_id}) is no longer in the template and stays as it is, until "
        f"`aws dynamodb delete-table` removes it: {fate}"
    )


def _remembered(record: Path) -> list[MadeTable]:
    with store_faults():
        try:
            written = record.read_bytes()
        except FileNotFoundError:
            return []
    try:
        return msgspec.json.decode(written, type=list[MadeTable])
    except msgspec.MsgspecError as error:
        raise StateFault(
            f"{record} cannot be read ({error}); delete it to go on: it only names earlier tables"
        ) from None


def _remember(record: Path, tables: list[MadeTable]) -> None:
    with store_faults():
        write_durably(record, msgspec.json.format(msgspec.json.encode(tables)))
