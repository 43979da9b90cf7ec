"""ListTagsOfResource: a table's tags, all of them at once (fifty at most)."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.operations.resources import on_resource, table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """List the tags."""
    table = table_of_arn(rooms, document["ResourceArn"])
    return orjson.dumps({"Tags": [{"Key": key, "Value": value} for key, value in table.record.get("Tags", {}).items()]})


LIST_TAGS_OF_RESOURCE = Operation(
    "ListTagsOfResource", DocumentCodec("ListTagsOfResource"), on_resource("ListTagsOfResource"), no_plan, execute
)
