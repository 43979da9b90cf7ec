"""ExecuteStatement: one PartiQL statement."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.consumed import wanted, write_capacity
from trine.dynamodb.operations.operation import Answer, Operation, Permission, Rooms
from trine.dynamodb.operations.statements import (
    Selection,
    WritePlan,
    plan_of,
    returned_item,
    statement_permission,
    write_of,
)
from trine.dynamodb.partiql import ExistsPlan, SelectPlan, Statement, check_parameters, parse
from trine.dynamodb.shape import ExecuteStatementInput, codec
from trine.dynamodb.storage.items import Transition, commit_one
from trine.dynamodb.storage.table import Table


def permissions(rooms: Rooms, request: ExecuteStatementInput) -> Sequence[Permission]:
    """The statement's own action on its table or index."""
    check_parameters(request.parameters)
    return (statement_permission(rooms, request.statement),)


def prepare(request: ExecuteStatementInput) -> Statement:
    """The statement, read."""
    return parse(request.statement)


def execute(rooms: Rooms, request: ExecuteStatementInput, statement: Statement) -> Answer:
    """Run it and answer."""
    table, plan = plan_of(rooms, statement, request.parameters)
    if isinstance(plan, SelectPlan):
        return _select(rooms, request, plan)
    if isinstance(plan, ExistsPlan):
        raise ValidationException("EXISTS is a condition of ExecuteTransaction only")
    return _write(rooms, request, table, plan)


def _select(rooms: Rooms, request: ExecuteStatementInput, plan: SelectPlan) -> bytes:
    selection = Selection(rooms, plan, request.consistent_read)
    selection.read(request.limit, request.next_token)
    parts = [b'"Items":[' + b",".join(selection.items) + b"]"]
    if selection.next_token is not None:
        parts.append(b'"NextToken":' + orjson.dumps(selection.next_token))
        if selection.last_key is not None:
            parts.append(b'"LastEvaluatedKey":' + orjson.dumps(selection.last_key))
    if wanted(request.return_consumed_capacity):
        consumed = selection.consumed.document(request.return_consumed_capacity)
        parts.append(b'"ConsumedCapacity":' + orjson.dumps(consumed))
    return b"{" + b",".join(parts) + b"}"


def _write(rooms: Rooms, request: ExecuteStatementInput, table: Table, plan: WritePlan) -> Future[bytes]:
    write = write_of(table, plan, request.return_values_on_condition_check_failure == "ALL_OLD")

    def answer(transition: Transition) -> bytes:
        item = returned_item(plan, transition)
        parts = [b'"Items":[' + (item or b"") + b"]"]
        if (capacity := write_capacity(request.return_consumed_capacity, transition)) is not None:
            parts.append(b'"ConsumedCapacity":' + capacity)
        return b"{" + b",".join(parts) + b"}"

    return commit_one(rooms.store, write, answer, rooms.clock.now(), rooms.trace)


EXECUTE_STATEMENT = Operation(
    "ExecuteStatement", codec("ExecuteStatement", ExecuteStatementInput), permissions, prepare, execute
)
