"""UntagResource: tags taken off a table. The answer is empty."""

from __future__ import annotations

from asyncio import Future

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.resources import on_resource, table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec


def prepare(document: Document) -> None:
    """Whether there is a key to take off."""
    if not document["TagKeys"]:
        raise ValidationException("Atleast one Tag Key needs to be provided as Input.")


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Take the tags off and answer when that is durable."""
    table = table_of_arn(rooms, document["ResourceArn"])
    gone = set(document["TagKeys"])

    def left(kept: dict[str, str] | None) -> dict[str, str]:
        return {key: value for key, value in (kept or {}).items() if key not in gone}

    return after(rooms.tables.change(table, table.definition, Tags=left), lambda _: b"")


UNTAG_RESOURCE = Operation(
    "UntagResource", DocumentCodec("UntagResource"), on_resource("UntagResource"), prepare, execute
)
