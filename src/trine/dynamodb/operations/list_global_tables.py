"""ListGlobalTables (version 2017.11.29): none, for nobody can create one here."""

from __future__ import annotations

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_everything
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """An empty page."""
    return b'{"GlobalTables":[]}'


LIST_GLOBAL_TABLES = Operation(
    "ListGlobalTables", DocumentCodec("ListGlobalTables"), on_everything("ListGlobalTables"), no_plan, execute
)
