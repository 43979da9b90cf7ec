"""TagResource: tags set on a table. The answer is empty."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.resources import on_resource, table_of_arn
from trine.dynamodb.operations.tags import check_count, checked_tags
from trine.dynamodb.shape import Document, DocumentCodec


def prepare(document: Document) -> dict[str, str]:
    """The tags, key → value."""
    tags = checked_tags(document["Tags"])
    if not tags:
        raise ValidationException("Atleast one Tag needs to be provided as Input.")
    return tags


def execute(rooms: Rooms, document: Document, tags: dict[str, str]) -> Future[bytes]:
    """Set the tags and answer when they are durable."""
    table = table_of_arn(rooms, document["ResourceArn"])

    def together(kept: dict[str, str] | None) -> dict[str, str]:
        found = {**(kept or {}), **tags}
        check_count(found)
        return found

    return after(rooms.tables.change(table, table.definition, Tags=together), lambda _: b"")


TAG_RESOURCE = Operation("TagResource", DocumentCodec("TagResource"), on_resource("TagResource"), prepare, execute)
