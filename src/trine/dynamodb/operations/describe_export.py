"""DescribeExport: how far an export is."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.operations.transfers import ExportNotFoundException, described
from trine.dynamodb.shape import Document, DocumentCodec


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """DescribeExport on the export."""
    return (("dynamodb:DescribeExport", document["ExportArn"], None),)


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe it."""
    export = rooms.transfers.exports.find(document["ExportArn"])
    if export is None:
        raise ExportNotFoundException(f"Export not found: {document['ExportArn']}")
    return orjson.dumps({"ExportDescription": described(export, "Export")})


DESCRIBE_EXPORT = Operation("DescribeExport", DocumentCodec("DescribeExport"), permissions, no_plan, execute)
