"""ExecuteTransaction: up to a hundred PartiQL statements, all or nothing: all of them reads, or all of them writes."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import IDEMPOTENCY_TOKEN_SECONDS
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import decode_stored, item_bytes, stored_size
from trine.dynamodb.operations.cancellation import SAME_ITEM_TWICE, Reasons
from trine.dynamodb.operations.consumed import consumed_list, wanted, write_capacities
from trine.dynamodb.operations.observed import transaction_read
from trine.dynamodb.operations.operation import Answer, Operation, Permission, Rooms
from trine.dynamodb.operations.statements import plan_of, statement_permission, write_of
from trine.dynamodb.partiql import Plan, SelectPlan, Statement, check_parameters, parse
from trine.dynamodb.shape import ExecuteTransactionInput, codec
from trine.dynamodb.storage.items import Transition, Write, commit_all, commit_once
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tokens import Token


def permissions(rooms: Rooms, request: ExecuteTransactionInput) -> Iterable[Permission]:
    """Each statement's own action on its table."""
    for at, one in enumerate(request.transact_statements):
        check_parameters(one.parameters)
        with _place(at):
            permission = statement_permission(rooms, one.statement)
        yield permission


def prepare(request: ExecuteTransactionInput) -> list[Statement]:
    """The statements, read: all of them reads, or all of them writes (and EXISTS)."""
    statements = []
    for at, one in enumerate(request.transact_statements):
        with _place(at):
            statements.append(_read_statement(one.statement))
    if len({statement.kind == "SELECT" for statement in statements}) > 1:
        raise ValidationException("The transaction cannot mix reads and writes: all statements must be of one kind")
    return statements


def _read_statement(text: str) -> Statement:
    statement = parse(text)
    if statement.returning is not None:
        raise ValidationException("RETURNING clause is not supported in ExecuteTransaction.")
    if statement.kind == "SELECT" and statement.index_name is not None:
        raise ValidationException("Reads on indices are not supported within transactions.")
    return statement


@contextmanager
def _place(at: int) -> Iterator[None]:
    """What is refused inside is told with the statement's place."""
    try:
        yield
    except ValidationException as refused:
        raise ValidationException(f"Validation failed in TransactStatements[{at}]: {refused.message}") from None


def execute(rooms: Rooms, request: ExecuteTransactionInput, statements: list[Statement]) -> Answer:
    """Run them as one and answer."""
    both = zip(request.transact_statements, statements, strict=True)
    planned = [_planned(rooms, at, one.parameters, statement) for at, (one, statement) in enumerate(both)]
    if statements[0].kind == "SELECT":
        return _read(rooms, request, planned)
    return _write(rooms, request, planned)


def _planned(
    rooms: Rooms, at: int, parameters: list[dict[str, Any]] | None, statement: Statement
) -> tuple[Table, Plan]:
    with _place(at):
        table, plan = plan_of(rooms, statement, parameters)
        if isinstance(plan, SelectPlan) and (plan.key is None or not plan.only_key):
            raise ValidationException(
                "Select statements within ExecuteTransaction must specify the primary key in the where clause."
            )
    return table, plan


def _read(rooms: Rooms, request: ExecuteTransactionInput, planned: Sequence[tuple[Table, Plan]]) -> bytes:
    responses: list[bytes] = []
    consumed: dict[str, ConsumedCapacity] = {}
    with rooms.store.snapshot() as snapshot:
        keys = [table.space.key(plan.key) for table, plan in planned if isinstance(plan, SelectPlan) and plan.key]
        found = [snapshot.get(key) for key in keys]
        transaction_read(rooms, [table for table, _ in planned], keys, found)
        for (table, plan), stored in zip(planned, found, strict=True):
            assert isinstance(plan, SelectPlan)
            capacity = consumed.setdefault(table.name, ConsumedCapacity(table.name))
            capacity.add_table(read=read_units(stored_size(stored) if stored else 0, "transactional"))
            if stored is None:
                responses.append(b"{}")
                continue
            body = item_bytes(stored) if plan.project is None else orjson.dumps(plan.project(decode_stored(stored)))
            responses.append(b'{"Item":' + body + b"}")
    answer = b'{"Responses":[' + b",".join(responses) + b"]"
    if wanted(request.return_consumed_capacity):
        capacities = consumed_list(consumed, request.return_consumed_capacity, by_kind=True)
        answer += b',"ConsumedCapacity":' + orjson.dumps(capacities)
    return answer + b"}"


def _write(rooms: Rooms, request: ExecuteTransactionInput, planned: Sequence[tuple[Table, Plan]]) -> Future[bytes]:
    reasons = Reasons(len(planned))
    writes: list[Write] = []
    for at, ((table, plan), one) in enumerate(zip(planned, request.transact_statements, strict=True)):
        assert not isinstance(plan, SelectPlan)
        try:
            write = write_of(table, plan, one.return_values_on_condition_check_failure == "ALL_OLD")
        except ValidationException as refused:
            reasons.add(at, "ValidationError", refused.message)
            reasons.raise_if_any()
            raise
        writes.append(Write(table, write.key, reasons.guard(at)(write.rule)))
    if len({write.key for write in writes}) != len(writes):
        raise ValidationException(SAME_ITEM_TWICE)

    def answer(transitions: Sequence[Transition]) -> bytes:
        reasons.add_throttled(transitions)
        reasons.raise_if_any()
        return _answer(request, transitions)

    now = rooms.clock.now()
    if request.client_request_token is None:
        return commit_all(rooms.store, writes, answer, now, "transactional", rooms.trace)
    digest = sha256(msgspec.json.encode(request.transact_statements, order="sorted")).hexdigest()
    token = Token(request.client_request_token, rooms.place.region, digest, now, IDEMPOTENCY_TOKEN_SECONDS)
    return commit_once(rooms.store, writes, token, answer, lambda _: b'{"Responses":[]}', now, rooms.trace)


def _answer(request: ExecuteTransactionInput, transitions: Sequence[Transition]) -> bytes:
    # Writes have no responses, not even empty ones (seen on AWS by a public suite, October 2026).
    document: dict[str, Any] = {"Responses": []}
    if wanted(request.return_consumed_capacity):
        consumed = write_capacities(transitions, transactional=True)
        document["ConsumedCapacity"] = consumed_list(consumed, request.return_consumed_capacity, by_kind=True)
    return orjson.dumps(document)


EXECUTE_TRANSACTION = Operation(
    "ExecuteTransaction", codec("ExecuteTransaction", ExecuteTransactionInput), permissions, prepare, execute
)
