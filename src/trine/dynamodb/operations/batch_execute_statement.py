"""BatchExecuteStatement: up to 25 PartiQL statements, each for itself: one that fails says so in its own place."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Iterable
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.capacity import ConsumedCapacity
from trine.dynamodb.operations.consumed import add_transition, consumed_list, take_consumed, wanted
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.statements import (
    Selection,
    plan_of,
    returned_item,
    statement_permission,
    write_of,
)
from trine.dynamodb.partiql import ExistsPlan, SelectPlan, Statement, check_parameters, parse
from trine.dynamodb.shape import BatchExecuteStatementInput, BatchStatementRequest, codec
from trine.dynamodb.storage.items import commit_one
from trine.trace import Trace

_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ValidationException": "ValidationError",
    "ResourceNotFoundException": "ResourceNotFound",
    "DuplicateItemException": "DuplicateItem",
    "ProvisionedThroughputExceededException": "ProvisionedThroughputExceeded",
    "ThrottlingException": "ThrottlingError",
    "RequestLimitExceeded": "RequestLimitExceeded",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
}
Outcome = tuple[dict[str, Any], ConsumedCapacity | None]


def permissions(rooms: Rooms, request: BatchExecuteStatementInput) -> Iterable[Permission]:
    """Each statement's own action on its table or index."""
    for one in request.statements:
        try:
            yield statement_permission(rooms, one.statement)
        except ValidationException:
            continue  # told in its own place, and never run


def prepare(request: BatchExecuteStatementInput) -> list[Statement | ValidationException]:
    """The statements, read, or why one cannot be: all of them reads, or all of them writes."""
    statements = [_read(one.statement) for one in request.statements]
    if len({one.kind == "SELECT" for one in statements if isinstance(one, Statement)}) > 1:
        raise ValidationException("The batch request cannot mix reads and writes: all statements must be of one kind")
    return statements


def _read(text: str) -> Statement | ValidationException:
    try:
        return parse(text)
    except ValidationException as fault:
        return fault


def execute(
    rooms: Rooms, request: BatchExecuteStatementInput, statements: list[Statement | ValidationException]
) -> Future[bytes]:
    """Run each and answer when all are done."""
    return asyncio.ensure_future(_run(rooms, request, statements, rooms.trace))


async def _run(
    rooms: Rooms,
    request: BatchExecuteStatementInput,
    statements: list[Statement | ValidationException],
    trace: Trace | None,
) -> bytes:
    pending = [_one(rooms, one, statement) for one, statement in zip(request.statements, statements, strict=True)]
    outcomes = await asyncio.gather(*pending)
    document: dict[str, Any] = {"Responses": [response for response, _ in outcomes]}
    for _, consumed in outcomes:
        if consumed is not None and trace is not None:
            take_consumed(trace, consumed)
    if wanted(request.return_consumed_capacity):
        found = {str(at): consumed for at, (_, consumed) in enumerate(outcomes) if consumed is not None}
        document["ConsumedCapacity"] = consumed_list(found, request.return_consumed_capacity)
    return orjson.dumps(document)


async def _one(rooms: Rooms, one: BatchStatementRequest, statement: Statement | ValidationException) -> Outcome:
    if isinstance(statement, ValidationException):
        return {"Error": _error(statement)}, None
    try:
        check_parameters(one.parameters)
        return await _outcome(rooms, one, statement)
    except AwsError as refused:
        return {"TableName": statement.table_name, "Error": _error(refused)}, None


def _error(refused: AwsError) -> dict[str, Any]:
    error = {"Code": _CODES.get(refused.code, "InternalServerError"), "Message": refused.message}
    if "Item" in refused.members:
        error["Item"] = refused.members["Item"]
    return error


async def _outcome(rooms: Rooms, one: BatchStatementRequest, statement: Statement) -> Outcome:
    table, plan = plan_of(rooms, statement, one.parameters)
    response: dict[str, Any] = {"TableName": statement.table_name}
    if isinstance(plan, SelectPlan):
        if plan.key is None or not plan.only_key:
            raise ValidationException(
                "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
            )
        selection = Selection(rooms, plan, one.consistent_read)
        selection.read(None, None)
        if selection.items:
            response["Item"] = orjson.Fragment(selection.items[0])
        return response, selection.consumed
    if isinstance(plan, ExistsPlan):
        raise ValidationException("EXISTS is a condition of ExecuteTransaction only")
    write = write_of(table, plan, one.return_values_on_condition_check_failure == "ALL_OLD")
    transition = await commit_one(rooms.store, write, lambda done: done, rooms.clock.now())
    item = returned_item(plan, transition)
    if item is not None:
        response["Item"] = orjson.Fragment(item)
    consumed = ConsumedCapacity(table.name)
    add_transition(consumed, transition)
    return response, consumed


BATCH_EXECUTE_STATEMENT = Operation(
    "BatchExecuteStatement",
    codec("BatchExecuteStatement", BatchExecuteStatementInput),
    permissions,
    prepare,
    execute,
)
