"""DeleteResourcePolicy: the policy of a table or stream goes; deleting none is fine."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Mapping
from typing import Any

import orjson

from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Answer, Operation, Rooms, no_plan
from trine.dynamodb.operations.policies import MEMBER, policies_of
from trine.dynamodb.operations.put_resource_policy import check_revision
from trine.dynamodb.operations.resources import on_resource, policy_table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.table import Table


def execute(rooms: Rooms, document: Document, plan: None) -> Answer:
    """Forget the policy and answer when that is durable."""
    arn = document["ResourceArn"]
    table = policy_table_of_arn(rooms, arn)
    gone, expected = policies_of(table).get(arn), document.get("ExpectedRevisionId")
    check_revision(gone, expected, table.name, arn)
    if gone is None:
        return b"{}"

    def left(kept: Mapping[str, Any] | None) -> Mapping[str, Any]:
        # Once more: another policy may have been on its way to the disk.
        check_revision((kept or {}).get(arn), expected, table.name, arn)
        return {name: policy for name, policy in (kept or {}).items() if name != arn}

    def follow(changed: Table) -> bytes:
        rooms.policies.follow(changed)
        return orjson.dumps({"RevisionId": gone["RevisionId"]})

    done: Future[bytes] = after(rooms.tables.change(table, table.definition, **{MEMBER: left}), follow)
    return done


DELETE_RESOURCE_POLICY = Operation(
    "DeleteResourcePolicy",
    DocumentCodec("DeleteResourcePolicy"),
    on_resource("DeleteResourcePolicy"),
    no_plan,
    execute,
)
