"""TagResource: tags set on a table. The answer is empty."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import TAG_KEY_MAX_CHARACTERS, TAG_VALUE_MAX_CHARACTERS, TAGS_PER_RESOURCE_MAX_COUNT
from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.resources import on_resource, table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec


def prepare(document: Document) -> dict[str, str]:
    """The tags, key → value."""
    tags = checked_tags(document["Tags"])
    if not tags:
        raise ValidationException("Atleast one Tag Key-Value pair is required")
    return tags


def checked_tags(given: Sequence[Document]) -> dict[str, str]:
    """Tags as a map. ValidationException for too many, too long or repeated ones."""
    tags: dict[str, str] = {}
    for tag in given:
        key, value = tag["Key"], tag["Value"]
        if not 1 <= len(key) <= TAG_KEY_MAX_CHARACTERS:
            raise ValidationException(
                f"One or more parameter values were invalid: tag key must have 1 to {TAG_KEY_MAX_CHARACTERS} characters"
            )
        if len(value) > TAG_VALUE_MAX_CHARACTERS:
            raise ValidationException(
                f"One or more parameter values were invalid: tag value must have at most {TAG_VALUE_MAX_CHARACTERS} "
                "characters"
            )
        if key in tags:
            raise ValidationException(f"One or more parameter values were invalid: Duplicate tag key: {key}")
        tags[key] = value
    check_count(tags)
    return tags


def check_count(tags: dict[str, str]) -> None:
    """ValidationException for more tags than a resource may have."""
    if len(tags) > TAGS_PER_RESOURCE_MAX_COUNT:
        raise ValidationException(
            f"One or more parameter values were invalid: Too many tags: {TAGS_PER_RESOURCE_MAX_COUNT} at most"
        )


def execute(rooms: Rooms, document: Document, tags: dict[str, str]) -> Future[bytes]:
    """Set the tags and answer when they are durable."""
    table = table_of_arn(rooms, document["ResourceArn"])
    together = {**table.record.get("Tags", {}), **tags}
    check_count(together)
    return after(rooms.tables.change(table, table.definition, Tags=together), lambda _: b"")


TAG_RESOURCE = Operation("TagResource", DocumentCodec("TagResource"), on_resource("TagResource"), prepare, execute)
