"""DeleteResourcePolicy: the policy of a table or stream goes; deleting none is fine."""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Answer, Operation, Rooms, no_plan
from trine.dynamodb.operations.policies import MEMBER, policies_of
from trine.dynamodb.operations.put_resource_policy import check_revision
from trine.dynamodb.operations.resources import on_resource, policy_table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.tables import Table


def execute(rooms: Rooms, document: Document, plan: None) -> Answer:
    """Forget the policy and answer when that is durable."""
    arn = document["ResourceArn"]
    table = policy_table_of_arn(rooms, arn)
    kept = dict(policies_of(table))
    gone = kept.pop(arn, None)
    check_revision(gone, document.get("ExpectedRevisionId"), table.name, arn)
    if gone is None:
        return b"{}"

    def follow(changed: Table) -> bytes:
        rooms.policies.follow(changed)
        return orjson.dumps({"RevisionId": gone["RevisionId"]})

    done: Future[bytes] = after(rooms.tables.change(table, table.definition, **{MEMBER: kept}), follow)
    return done


DELETE_RESOURCE_POLICY = Operation(
    "DeleteResourcePolicy",
    DocumentCodec("DeleteResourcePolicy"),
    on_resource("DeleteResourcePolicy"),
    no_plan,
    execute,
)
