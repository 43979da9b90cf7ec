"""PutResourcePolicy: who may do what with a table or stream, said at the resource."""

from __future__ import annotations

from asyncio import Future

import orjson

from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.operations.policies import MEMBER, PolicyNotFoundException, compiled, policies_of
from trine.dynamodb.operations.resources import on_resource, policy_table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.tables import Table

_NO_POLICY = "NO_POLICY"


def execute(rooms: Rooms, document: Document, plan: None) -> Future[bytes]:
    """Keep the policy and answer when it is durable; it counts from the next request on."""
    arn, text = document["ResourceArn"], document["Policy"]
    table = policy_table_of_arn(rooms, arn)
    compiled(text, arn)
    kept = dict(policies_of(table))
    check_revision(kept.get(arn, {}).get("RevisionId", _NO_POLICY), document.get("ExpectedRevisionId"), arn)
    revision = str(int(rooms.clock.now() * 1000))
    kept[arn] = {"Policy": text, "RevisionId": revision}

    def follow(changed: Table) -> bytes:
        rooms.policies.follow(changed)
        return orjson.dumps({"RevisionId": revision})

    return after(rooms.tables.change(table, table.definition, **{MEMBER: kept}), follow)


def check_revision(revision: str, expected: str | None, arn: str) -> None:
    """PolicyNotFoundException when the caller expects another revision (`NO_POLICY`: none at all)."""
    if expected is not None and expected != revision:
        raise PolicyNotFoundException(f"Resource-based policy with the expected revision was not found: {arn}")


PUT_RESOURCE_POLICY = Operation(
    "PutResourcePolicy", DocumentCodec("PutResourcePolicy"), on_resource("PutResourcePolicy"), no_plan, execute
)
