"""PutResourcePolicy: who may do what with a table or stream, said at the resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from trine.dynamodb.operations.create_table import after
from trine.dynamodb.operations.operation import Answer, Operation, Rooms, no_plan
from trine.dynamodb.operations.policies import MEMBER, PolicyNotFoundException, compiled, policies_of
from trine.dynamodb.operations.resources import on_resource, policy_table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec
from trine.dynamodb.storage.table import Table

_NO_POLICY = "NO_POLICY"
_NOT_FOUND = "Resource-based policy not found for the provided ResourceArn"


def execute(rooms: Rooms, document: Document, plan: None) -> Answer:
    """Keep the policy and answer when it is durable; it counts from the next request on."""
    arn, text = document["ResourceArn"], document["Policy"]
    table = policy_table_of_arn(rooms, arn)
    compiled(text, arn)
    known, expected = policies_of(table).get(arn), document.get("ExpectedRevisionId")
    check_revision(known, expected, table.name, arn)
    if known is not None and known["Policy"] == text:
        return orjson.dumps({"RevisionId": known["RevisionId"]})
    # Milliseconds on AWS, too; two policies of one millisecond are two revisions.
    revision = str(max(int(rooms.clock.now() * 1000), 1 + int(known["RevisionId"]) if known is not None else 0))

    def put(kept: Mapping[str, Any] | None) -> Mapping[str, Any]:
        # Once more: another policy may have been on its way to the disk.
        check_revision((kept or {}).get(arn), expected, table.name, arn)
        return {**(kept or {}), arn: {"Policy": text, "RevisionId": revision}}

    def follow(changed: Table) -> bytes:
        rooms.policies.follow(changed)
        return orjson.dumps({"RevisionId": revision})

    return after(rooms.tables.change(table, table.definition, **{MEMBER: put}), follow)


def check_revision(known: Mapping[str, str] | None, expected: str | None, table_name: str, arn: str) -> None:
    """PolicyNotFoundException when the caller expects another revision than `known` (`NO_POLICY`: none at all)."""
    if expected is None:
        return
    if known is None:
        if expected != _NO_POLICY:
            raise PolicyNotFoundException(f"{_NOT_FOUND}: {arn}")
    elif expected == _NO_POLICY:
        raise PolicyNotFoundException(
            f"{_NOT_FOUND}: Requested policy update expecting none to be present for table {table_name}, "
            f"but a policy exists with revision id {known['RevisionId']}."
        )
    elif expected != known["RevisionId"]:
        raise PolicyNotFoundException(
            f"{_NOT_FOUND}: Requested update for policy with revision id {expected}, "
            f"but the policy associated to target table {table_name} has revision id {known['RevisionId']}."
        )


PUT_RESOURCE_POLICY = Operation(
    "PutResourcePolicy", DocumentCodec("PutResourcePolicy"), on_resource("PutResourcePolicy"), no_plan, execute
)
