"""ListContributorInsights: none, for nobody can switch any on here."""

from __future__ import annotations

from collections.abc import Sequence

from trine.dynamodb.operations.operation import Operation, Permission, Rooms, no_plan
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def permissions(rooms: Rooms, document: Document) -> Sequence[Permission]:
    """ListContributorInsights, on one table or on all."""
    name = document.get("TableName")
    return (("dynamodb:ListContributorInsights", rooms.table_arn(name) if name is not None else "*", None),)


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """An empty page. ResourceNotFoundException for a table that is not there."""
    if (name := document.get("TableName")) is not None:
        rooms.tables.described(table_name_of(name))
    return b'{"ContributorInsightsSummaries":[]}'


LIST_CONTRIBUTOR_INSIGHTS = Operation(
    "ListContributorInsights", DocumentCodec("ListContributorInsights"), permissions, no_plan, execute
)
