"""DescribeContributorInsights: that they are off, as for every table on AWS where nobody has switched them on."""

from __future__ import annotations

import orjson

from trine.dynamodb.errors import ResourceNotFoundException
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_table
from trine.dynamodb.shape import Document, DocumentCodec, table_name_of


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Describe a table's insights, or those of one of its indexes."""
    table = rooms.tables.described(table_name_of(document["TableName"]))
    described = {"TableName": table.name, "ContributorInsightsStatus": "DISABLED"}
    if (name := document.get("IndexName")) is not None:
        if name not in table.by_name:
            raise ResourceNotFoundException(f"Requested resource not found: Index: {name} not found")
        described["IndexName"] = name
    return orjson.dumps(described)


DESCRIBE_CONTRIBUTOR_INSIGHTS = Operation(
    "DescribeContributorInsights",
    DocumentCodec("DescribeContributorInsights"),
    on_table("DescribeContributorInsights"),
    no_plan,
    execute,
)
