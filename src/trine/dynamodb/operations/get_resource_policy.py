"""GetResourcePolicy: the policy of a table or stream, as it was put."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan
from trine.dynamodb.operations.policies import PolicyNotFoundException, policies_of
from trine.dynamodb.operations.resources import on_resource, policy_table_of_arn
from trine.dynamodb.shape import Document, DocumentCodec


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Tell the policy."""
    arn = document["ResourceArn"]
    kept = policies_of(policy_table_of_arn(rooms, arn)).get(arn)
    if kept is None:
        raise PolicyNotFoundException(f"Resource-based policy not found for the provided ResourceArn: {arn}")
    return orjson.dumps(kept)


GET_RESOURCE_POLICY = Operation(
    "GetResourcePolicy", DocumentCodec("GetResourcePolicy"), on_resource("GetResourcePolicy"), no_plan, execute
)
