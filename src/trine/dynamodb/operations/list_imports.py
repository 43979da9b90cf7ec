"""ListImports: imports into all tables or into one, by ARN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.operations.transfers import described, on_list, page
from trine.dynamodb.shape import Document, DocumentCodec

_TOLD = ("ImportArn", "ImportStatus", "TableArn", "S3BucketSource", "InputFormat", "StartTime", "EndTime")


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """ListImports."""
    return on_list(rooms, document, "ListImports")


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """List one page."""
    wanted = rooms.table_arn(document["TableArn"]) if "TableArn" in document else None
    found = [one for one in rooms.transfers.imports.all() if wanted in (None, one["TableArn"])]
    shown, token = page(found, document, "PageSize")
    summaries = [described(one, "Import") for one in shown]
    answer: dict[str, Any] = {
        "ImportSummaryList": [{name: one[name] for name in _TOLD if name in one} for one in summaries]
    }
    if token is not None:
        answer["NextToken"] = token
    return orjson.dumps(answer)


LIST_IMPORTS = Operation("ListImports", DocumentCodec("ListImports"), permissions, no_plan, execute)
