"""Query: the items of one partition, in order of their sort key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.key_condition import KeyTerms, key_terms
from trine.dynamodb.expressions.legacy_condition import LegacyCondition
from trine.dynamodb.expressions.legacy_key import LegacyKeyTerms, key_conditions
from trine.dynamodb.expressions.projection import Projection, projection
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.operations.conditions import Filter, filter_of
from trine.dynamodb.operations.expect import refuse_parts_of_key
from trine.dynamodb.operations.observed import admit_page, look_at_access, page_read
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.parameters import expression_context
from trine.dynamodb.operations.precedence import before_page
from trine.dynamodb.operations.reading import (
    Target,
    View,
    check_select,
    legacy_projection,
    reading_permission,
    view_of,
)
from trine.dynamodb.shape import QueryInput, codec, table_name_of
from trine.dynamodb.storage.pages import read_page
from trine.dynamodb.storage.ranges import plain_range, range_of

OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"


class Plan(NamedTuple):
    """A Query's expressions."""

    keys: KeyTerms | LegacyKeyTerms
    accept: Filter | None
    view: View


def prepare(request: QueryInput) -> Plan | None:
    """The expressions, before the table is known; None when there is only a key condition.

    Such a one may be read the short way, when the table is at hand (`storage.ranges.plain_range`).
    """
    if (
        request.key_condition_expression is not None
        and request.filter_expression is None
        and request.projection_expression is None
        and request.key_conditions is None
        and request.query_filter is None
        and request.attributes_to_get is None
        and request.conditional_operator is None
        and request.select is None
    ):
        return None
    return plan_of(request)


def plan_of(request: QueryInput) -> Plan:
    """The expressions, bound to their names and values."""
    # KeyConditions may stand beside a filter or projection expression, only not beside the expression it became.
    old_keys = request.key_conditions if request.key_condition_expression is not None else None
    context = expression_context(
        request,
        (
            ("ProjectionExpression", request.projection_expression),
            ("FilterExpression", request.filter_expression),
            ("KeyConditionExpression", request.key_condition_expression),
        ),
        (
            ("AttributesToGet", request.attributes_to_get),
            ("QueryFilter", request.query_filter),
            ("ConditionalOperator", request.conditional_operator),
            ("KeyConditions", old_keys),
        ),
    )
    check_select(request)
    keys: KeyTerms | LegacyKeyTerms
    if request.key_condition_expression is not None:
        keys = key_terms(request.key_condition_expression, context)
    elif request.key_conditions is not None:
        keys = key_conditions(request.key_conditions)
    else:
        raise ValidationException(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    accept = filter_of(request, context, request.query_filter, "QueryFilter")
    chosen: Projection | None = None
    if request.projection_expression is not None:
        chosen = projection(request.projection_expression, context)
    keys.check()  # what is wrong with the meaning of one expression comes after the syntax of all
    context.check_all_used()
    if chosen is None:
        chosen = legacy_projection(request.attributes_to_get)
    return Plan(keys, accept, view_of(accept, chosen, request.select))


def execute(rooms: Rooms, request: QueryInput, plan: Plan | None) -> bytes:
    """Read a page and answer."""
    if plan is None and not _is_readable(rooms, request):
        plan = plan_of(request)  # what is wrong with the expression comes before the table that is not there
    target = Target(rooms, request.table_name, request.index_name, request.consistent_read)
    given = request.exclusive_start_key
    if given is not None:
        target.check_start_names(given)
    span = None
    if plan is None:
        text = request.key_condition_expression or ""
        span = plain_range(target.space, text, request.expression_attribute_values, request.expression_attribute_names)
    if span is None:
        plan = plan or plan_of(request)
        if given is not None:
            _check_start_parts(target, given, plan)
        span = range_of(target.space, plan.keys.against(target.key))
    elif given is not None:
        for attribute in target.key.attributes:
            target.check_start_part(given, attribute)
    start, stop = span
    reverse = request.scan_index_forward is False
    begin = target.start_key(given)
    one_item = target.index is None and not target.key.sort
    if begin is not None:
        if one_item:
            raise _no_restart(given or {})
        if not start <= begin < stop:
            raise _outside(target, request, plan or plan_of(request), (start, stop))
        if reverse:
            stop = begin
        else:
            start = begin + b"\0"
    admit_page(target, start)
    with rooms.source.open(request.consistent_read) as source:
        choose = None
        if plan is not None:
            if plan.accept is not None:
                refuse_key_attributes(target, plan.accept)
                target.check_filter(plan.accept)
            choose = target.choose(source, plan.view)
            refuse_parts_of_key(target.table, plan.view)
        page = read_page(source, start, stop, reverse=reverse, limit=request.limit, choose=choose)
    if one_item:
        page.last_stored = None  # nothing follows, also where `Limit` is 1
    page_read(rooms, target, start, stop, page.size_bytes)
    if plan is not None:
        look_at_access(rooms, target, plan.accept, page, False)
    return target.answer(request, page)


def _check_start_parts(target: Target, given: Item, plan: Plan) -> None:
    """What is wrong with a start key's attributes, up to the first of which the conditions say nothing: that is told
    before what follows."""
    terms = plan.keys.check()
    for attribute in target.key.attributes:
        target.check_start_part(given, attribute)
        if attribute.name not in terms:
            return


def _no_restart(given: Item) -> ValidationException:
    """A partition without sort key has one item, so a Query of it cannot go on (seen on AWS by Scylla's test_query)."""
    shown = ", ".join(
        f"{name}=AttributeValue: {{{kind}:{value[kind]}}}" for name, value in given.items() for kind in value
    )
    return ValidationException(f"The provided exclusive start key is invalid: ExclusiveStartKey: {{{shown}}}")


def _outside(target: Target, request: QueryInput, plan: Plan, span: tuple[bytes, bytes]) -> ValidationException:
    """Why a page cannot begin at a key outside of the range that the conditions span."""
    condition = plan.keys.against(target.key)
    if condition.operator is None:
        return ValidationException(OUTSIDE)
    given = request.exclusive_start_key or {}
    sort = target.space.key(given)[len(target.space.partition(given)) :]
    if span[0] <= target.space.partition(condition.partition_key) + sort < span[1]:
        return ValidationException("The query can return at most one row and cannot be restarted")
    return ValidationException("The provided starting key does not match the range key predicate")


def _is_readable(rooms: Rooms, request: QueryInput) -> bool:
    """Whether `Target` will find what the request names."""
    table = rooms.tables.find(request.table_name)
    if table is None or table.status == "CREATING":
        return False
    if request.index_name is None:
        return True
    index = table.by_name.get(request.index_name)
    return (
        index is not None and index.status == "ACTIVE" and not (request.consistent_read and index.definition.is_global)
    )


def refuse_key_attributes(target: Target, accept: Filter) -> None:
    """A Query's filter may not speak of the key it is ordered by."""
    what = "QueryFilter" if isinstance(accept, LegacyCondition) else "Filter Expression"
    for name in target.key.names:
        if name in accept.attributes:
            raise ValidationException(
                f"{what} can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def _leading(rooms: Rooms, request: QueryInput) -> Iterable[str]:
    table = rooms.tables.find(table_name_of(request.table_name))
    if table is None:
        return
    index = table.by_name.get(request.index_name) if request.index_name is not None else None
    schema = index.definition.key if index is not None else table.definition.key
    for attribute in schema.partition:
        term = plan_of(request).keys.check().get(attribute.name)
        if term is not None:
            yield from (str(content) for operand in term.operands for content in operand.values())


QUERY = Operation(
    "Query",
    codec("Query", QueryInput),
    reading_permission("dynamodb:Query", _leading),
    prepare,
    execute,
    before_page("query_filter"),
)
