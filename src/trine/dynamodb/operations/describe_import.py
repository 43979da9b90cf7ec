"""DescribeImport: how far an import is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.operations.transfers import ImportNotFoundException, described
from trine.dynamodb.shape import Document, DocumentCodec


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """DescribeImport on the import."""
    return (("dynamodb:DescribeImport", document["ImportArn"], None),)


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe it."""
    found = rooms.transfers.imports.find(document["ImportArn"])
    if found is None:
        raise ImportNotFoundException(f"Import not found: {document['ImportArn']}")
    return orjson.dumps({"ImportTableDescription": described(found, "Import")})


DESCRIBE_IMPORT = Operation("DescribeImport", DocumentCodec("DescribeImport"), permissions, no_plan, execute)
