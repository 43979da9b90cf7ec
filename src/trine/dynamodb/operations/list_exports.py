"""ListExports: exports of all tables or of one, by ARN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.operations.transfers import on_list, page
from trine.dynamodb.shape import Document, DocumentCodec


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """ListExports."""
    return on_list(rooms, document, "ListExports")


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """List one page."""
    wanted = rooms.table_arn(document["TableArn"]) if "TableArn" in document else None
    found = [export for export in rooms.transfers.exports.all() if wanted in (None, export["TableArn"])]
    shown, token = page(found, document, "MaxResults")
    answer: dict[str, Any] = {
        "ExportSummaries": [
            {"ExportArn": one["Arn"], "ExportStatus": one["Status"], "ExportType": one["ExportType"]} for one in shown
        ]
    }
    if token is not None:
        answer["NextToken"] = token
    return orjson.dumps(answer)


LIST_EXPORTS = Operation("ListExports", DocumentCodec("ListExports"), permissions, no_plan, execute)
