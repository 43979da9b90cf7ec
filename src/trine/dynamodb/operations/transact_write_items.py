"""TransactWriteItems: up to a hundred writes and checks, all or nothing, and once for each token.

Every item's rule runs inside one `decide`; whatever a rule refuses becomes that item's cancellation reason. A token's
record is written in the same commit as the items, so a repeated request finds it if and only if the first one happened.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import orjson

from trine.dynamodb.errors import EmptyKeyValue, ValidationException
from trine.dynamodb.limits import IDEMPOTENCY_TOKEN_SECONDS, TRANSACTION_MAX_BYTES
from trine.dynamodb.model.attribute import Item, validate_item
from trine.dynamodb.model.capacity import ConsumedCapacity, read_units
from trine.dynamodb.model.item import check_item_size, encode_stored, item_size, stored_size
from trine.dynamodb.operations.cancellation import SAME_ITEM_TWICE, Reasons
from trine.dynamodb.operations.consumed import consumed_list, wanted, write_capacities
from trine.dynamodb.operations.expect import (
    checked,
    collection_metrics,
    item_context,
    item_key_bytes,
    key_bytes,
    refuse_parts_of_key,
)
from trine.dynamodb.operations.operation import Operation, Permission, Rooms
from trine.dynamodb.operations.parameters import expression_context
from trine.dynamodb.operations.update_item import Plan, check_keys, expressions_of, update_rule
from trine.dynamodb.shape import TransactWriteItem, TransactWriteItemsInput, codec, table_name_of
from trine.dynamodb.storage.items import Rule, Transition, Write, commit_all, commit_once
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tokens import Token

_ACTIONS = {
    "condition_check": "dynamodb:ConditionCheckItem",
    "put": "dynamodb:PutItem",
    "delete": "dynamodb:DeleteItem",
    "update": "dynamodb:UpdateItem",
}


class Wish(NamedTuple):
    """One item of the transaction: which action, and its members."""

    action: str
    members: Any
    plan: Plan
    size_bytes: int
    """Of its item, or of its key."""

    @property
    def item(self) -> Item:
        """What holds the key."""
        found: Item = self.members.item if self.action == "put" else self.members.key
        return found


def wish_of(item: TransactWriteItem) -> tuple[str, Any]:
    """The one action of an item. ValidationException when there is none or several."""
    given = (item.condition_check, item.put, item.delete, item.update)
    if given.count(None) != len(given) - 1:
        raise ValidationException("TransactItems can only contain one of Check, Put, Update or Delete")
    for action, members in zip(_ACTIONS, given, strict=True):
        if members is not None:
            return action, members
    raise AssertionError("one of them is there")


def permissions(rooms: Rooms, request: TransactWriteItemsInput) -> Iterable[Permission]:
    """The action of each item on its table."""
    for item in request.transact_items:
        action, members = wish_of(item)

        def context(rooms: Rooms, request: Any, action: str = action, members: Any = members) -> dict[str, list[str]]:
            found = members.item if action == "put" else members.key
            facts = item_context(rooms, table_name_of(members.table_name), found, members)
            return {**facts, "dynamodb:EnclosingOperation": ["TransactWriteItems"]}

        yield (_ACTIONS[action], rooms.table_arn(members.table_name), context)


def prepare(request: TransactWriteItemsInput) -> list[Wish]:
    """Each item by itself, one after the other, before any table is looked for: AWS tells the first fault there is
    (seen by a public suite, October 2026)."""
    wishes = []
    for one in request.transact_items:
        action, members = wish_of(one)
        item = members.item if action == "put" else members.key
        if "" in item:
            raise ValidationException("Empty attribute name")
        plan = _expressions(action, members)
        size_bytes = validate_item(item)
        if action == "put":
            check_item_size(size_bytes)
        wishes.append(Wish(action, members, plan, size_bytes))
    return wishes


def _expressions(action: str, members: Any) -> Plan:
    if action != "update" and members.condition_expression is None and not _has_placeholders(members):
        return _NO_EXPRESSIONS
    update_text = getattr(members, "update_expression", None)
    expressions = [("ConditionExpression", members.condition_expression)]
    if action == "update":
        expressions.insert(0, ("UpdateExpression", update_text))
    context = expression_context(members, expressions)
    return expressions_of(update_text, members.condition_expression, context)


_NO_EXPRESSIONS = Plan(None, None)


def _has_placeholders(members: Any) -> bool:
    return members.expression_attribute_names is not None or members.expression_attribute_values is not None


def execute(rooms: Rooms, request: TransactWriteItemsInput, wishes: list[Wish]) -> Future[bytes]:
    """Do all of it, or say for each item why not."""
    tables = [rooms.tables.get(table_name_of(wish.members.table_name)) for wish in wishes]
    if sum([wish.size_bytes + _values_size(wish) for wish in wishes]) > TRANSACTION_MAX_BYTES:
        raise ValidationException("Transaction payload size cannot exceed 4 MB")
    reasons = Reasons(len(wishes))
    writes = []
    for at, (table, wish) in enumerate(zip(tables, wishes, strict=True)):
        try:
            writes.append(_write(table, wish, reasons.guard(at)))
        except EmptyKeyValue:
            raise
        except ValidationException as refused:
            # AWS stops at the first item that its table cannot take, and gives the others no reason.
            reasons.add(at, "ValidationError", refused.message)
            reasons.raise_if_any()
    if len({write.key for write in writes}) != len(writes):
        raise ValidationException(SAME_ITEM_TWICE)
    now = rooms.clock.now()

    def answer(transitions: Sequence[Transition]) -> bytes:
        reasons.add_throttled(transitions)
        reasons.raise_if_any()
        return _answer(request, wishes, transitions)

    if request.client_request_token is None:
        return commit_all(rooms.store, writes, answer, now, "transactional", rooms.trace)
    digest = sha256(msgspec.json.encode(request.transact_items, order="sorted")).hexdigest()
    token = Token(request.client_request_token, rooms.place.region, digest, now, IDEMPOTENCY_TOKEN_SECONDS)

    def repeated(current: Sequence[Transition]) -> bytes:
        return _repeated_answer(request, current)

    return commit_once(rooms.store, writes, token, answer, repeated, now, rooms.trace)


def _values_size(wish: Wish) -> int:
    values = wish.members.expression_attribute_values
    return item_size(values) if values is not None else 0


def _write(table: Table, wish: Wish, guard: Callable[[Rule], Rule]) -> Write:
    members, (change, condition) = wish.members, wish.plan
    refuse_parts_of_key(table, condition)
    returns_old = members.return_values_on_condition_check_failure == "ALL_OLD"
    if wish.action == "put":
        item = members.item
        key = item_key_bytes(table, item)
        stored = encode_stored(item, wish.size_bytes)
    else:
        key = key_bytes(table, members.key)
    check = checked(condition, returns_old)
    if wish.action == "update":
        check_keys(table, change)
        return Write(table, key, guard(update_rule(table, members.key, wish.plan, returns_old)))

    def rule(transition: Transition) -> None:
        if check is not None:
            check(transition)
        if wish.action == "put":
            transition.become(item, stored)
        elif wish.action == "delete":
            transition.become(None)

    return Write(table, key, guard(rule))


def _answer(request: TransactWriteItemsInput, wishes: Sequence[Wish], transitions: Sequence[Transition]) -> bytes:
    document: dict[str, Any] = {}
    if wanted(request.return_consumed_capacity):
        consumed = write_capacities(transitions, transactional=True)
        document["ConsumedCapacity"] = consumed_list(consumed, request.return_consumed_capacity, by_kind=True)
    if request.return_item_collection_metrics == "SIZE":
        metrics: dict[str, list[dict[str, Any]]] = {}
        for wish, transition in zip(wishes, transitions, strict=True):
            one = collection_metrics(transition, wish.item)
            if one is not None:
                metrics.setdefault(transition.table.name, []).append(one)
        if metrics:
            document["ItemCollectionMetrics"] = metrics
    return orjson.dumps(document)


def _repeated_answer(request: TransactWriteItemsInput, transitions: Sequence[Transition]) -> bytes:
    """A request that happened before costs the reading of its items."""
    if not wanted(request.return_consumed_capacity):
        return b"{}"
    consumed: dict[str, ConsumedCapacity] = {}
    for transition in transitions:
        name = transition.table.name
        size_bytes = stored_size(transition.old_stored) if transition.old_stored is not None else 0
        consumed.setdefault(name, ConsumedCapacity(name)).add_table(read=read_units(size_bytes, "transactional"))
    capacities = consumed_list(consumed, request.return_consumed_capacity, by_kind=True)
    return orjson.dumps({"ConsumedCapacity": capacities})


TRANSACT_WRITE_ITEMS = Operation(
    "TransactWriteItems", codec("TransactWriteItems", TransactWriteItemsInput), permissions, prepare, execute
)
