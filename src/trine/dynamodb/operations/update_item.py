"""UpdateItem: an item changed in place, or begun from its key."""

from __future__ import annotations

from asyncio import Future
from typing import NamedTuple

import orjson

from trine.dynamodb.expressions.condition import condition
from trine.dynamodb.expressions.legacy_update import LegacyUpdate, attribute_updates
from trine.dynamodb.expressions.names import ExpressionContext
from trine.dynamodb.expressions.update import UpdatePlan, update, updated
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.item import (
    changed_size,
    check_item_size,
    encode_stored,
    item_bytes,
    item_size,
    stored_size,
)
from trine.dynamodb.model.key import check_index_key
from trine.dynamodb.operations.conditions import Filter, expected_of
from trine.dynamodb.operations.expect import checked, item_permission, key_bytes, refuse_parts_of_key, write_answer
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.parameters import expression_context
from trine.dynamodb.operations.precedence import before_key
from trine.dynamodb.shape import UpdateItemInput, codec
from trine.dynamodb.storage.items import Rule, Transition, Write, commit_one
from trine.dynamodb.storage.table import Table


class Plan(NamedTuple):
    """An update and its condition."""

    update: UpdatePlan | LegacyUpdate | None
    condition: Filter | None


def prepare(request: UpdateItemInput) -> Plan:
    """The update and the condition."""
    context = expression_context(
        request,
        (
            ("UpdateExpression", request.update_expression),
            ("ConditionExpression", request.condition_expression),
        ),
        (
            ("AttributeUpdates", request.attribute_updates),
            ("Expected", request.expected),
            ("ConditionalOperator", request.conditional_operator),
        ),
    )
    if (
        request.attribute_updates is not None
        or request.expected is not None
        or request.conditional_operator is not None
    ):
        changes = attribute_updates(request.attribute_updates) if request.attribute_updates is not None else None
        return Plan(changes, expected_of(request))
    return expressions_of(request.update_expression, request.condition_expression, context)


def expressions_of(update_text: str | None, condition_text: str | None, context: ExpressionContext) -> Plan:
    """Both expressions, bound to one context of which nothing may be left over."""
    change = update(update_text, context) if update_text is not None else None
    test = condition(condition_text, context, "ConditionExpression") if condition_text is not None else None
    context.check_all_used()
    return Plan(change, test)


def execute(rooms: Rooms, request: UpdateItemInput, plan: Plan) -> Future[bytes]:
    """Update the item and answer when it is durable."""
    table = rooms.table(request.table_name)
    refuse_parts_of_key(table, plan.condition)
    key = key_bytes(table, request.key)
    check_keys(table, plan.update)
    returns_old = request.return_values_on_condition_check_failure == "ALL_OLD"
    rule = update_rule(table, request.key, plan, returns_old)

    def answer(transition: Transition) -> bytes:
        return write_answer(request, transition, returned(request.return_values, transition, plan.update), request.key)

    return commit_one(rooms.store, Write(table, key, rule), answer, rooms.clock.now(), rooms.trace)


def check_keys(table: Table, change: UpdatePlan | LegacyUpdate | None) -> None:
    """ValidationException when the update touches what it must not."""
    if change is not None:
        definition = table.definition
        if isinstance(change, UpdatePlan) and definition.indexes:
            definition.check_given(change.given)
        change.check_keys(definition.key.names, definition.index_key_names)


def update_rule(table: Table, key: Item, plan: Plan, returns_old: bool) -> Rule:
    """The rule of one update."""
    change, check = plan.update, checked(plan.condition, returns_old)

    def rule(transition: Transition) -> None:
        if check is not None:
            check(transition)
        old = transition.old
        if old is None and change is not None and change.only_removes:
            return
        new: Item = dict(key) if old is None else old
        if change is not None:
            new, _ = change.apply(new, exists=old is not None)
        elif old is not None:
            return
        # The table's key, the old item's or the request's, has been checked; no update changes it.
        if table.indexes:
            if isinstance(change, LegacyUpdate):
                for index in table.indexes:
                    check_index_key(index.name, index.definition.key, new)
            else:
                table.definition.check_updated(new)
        if old is None or change is None or transition.old_stored is None:
            size_bytes = item_size(new)
        else:
            size_bytes = changed_size(stored_size(transition.old_stored), old, new, change.attributes)
        check_item_size(size_bytes, updated=True)
        transition.become(new, encode_stored(new, size_bytes))

    return rule


def returned(
    return_values: str | None, transition: Transition, change: UpdatePlan | LegacyUpdate | None
) -> bytes | None:
    """The `Attributes` of the answer, or None."""
    if return_values is None or return_values == "NONE":
        return None
    if return_values == "ALL_OLD":
        return item_bytes(transition.old_stored) if transition.old_stored is not None else None
    if return_values == "ALL_NEW":
        return item_bytes(transition.new_stored) if transition.new_stored is not None else None
    item = transition.old if return_values == "UPDATED_OLD" else transition.new
    if item is None or change is None:
        return None
    parts = updated(item, change.paths)
    return orjson.dumps(parts) if parts else None


UPDATE_ITEM = Operation(
    "UpdateItem",
    codec("UpdateItem", UpdateItemInput),
    item_permission("dynamodb:UpdateItem", "key"),
    prepare,
    execute,
    before_key,
)
