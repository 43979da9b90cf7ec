"""From a statement to a plan: parameters put in, keys found, conditions and updates compiled.

A `Statement`, the request's parameters and the table's definition enter, a `Plan` leaves. Pure; what AWS refuses only
when it knows the table is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Condition
from trine.dynamodb.expressions.checks import paths_of
from trine.dynamodb.expressions.condition import compile_condition
from trine.dynamodb.expressions.condition_checks import leaf_of, leaves_of, operands_of
from trine.dynamodb.expressions.names import Names, Values
from trine.dynamodb.expressions.path import find, resolve
from trine.dynamodb.expressions.update import update_of
from trine.dynamodb.model.attribute import AttributeValue, Item, validate_item, validate_value
from trine.dynamodb.model.item import check_item_size
from trine.dynamodb.model.key import check_key
from trine.dynamodb.model.number import NumberOutOfRange
from trine.dynamodb.model.table import IndexDefinition, TableDefinition
from trine.dynamodb.partiql.ordering import check_order, is_reverse, ordered
from trine.dynamodb.partiql.overlap import check_overlaps
from trine.dynamodb.partiql.plan import (
    DeletePlan,
    ExistsPlan,
    InsertPlan,
    Plan,
    Project,
    SelectPlan,
    Test,
    UpdateStatementPlan,
)
from trine.dynamodb.partiql.reading import KeyReader
from trine.dynamodb.partiql.statement import Column, Statement

SEVERAL_ATTRIBUTES = (
    "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
)
INCOMPLETE_KEY = "Where clause does not contain a mandatory equality on all key attributes"
Parameters = Sequence[AttributeValue] | None


def check_parameters(parameters: Iterable[Any] | None) -> None:
    """Validate and normalise a request's parameters in place, as AWS does before it reads the statement."""
    for parameter in parameters or ():
        try:
            validate_value(parameter)
        except NumberOutOfRange as fault:
            raise ValidationException(fault.as_a_big_decimal()) from None


def make_plan(statement: Statement, parameters: Parameters, definition: TableDefinition) -> Plan:
    """The plan of a statement on a table. ValidationException with AWS's sentence."""
    values = statement.filled(parameters)
    if statement.kind == "SELECT":
        return _select(statement, values, definition)
    if statement.kind == "INSERT":
        return _insert(statement, parameters, definition)
    key, where = _single_item(statement, values, definition)
    if statement.kind == "EXISTS":
        return _exists(statement, values, definition, key, where)
    test = _test(where, statement.names, values)
    if statement.kind == "DELETE":
        only_key = KeyReader(where, statement.names, values).is_only_key(definition.key)
        return DeletePlan(definition.name, key, None if only_key else test, statement.returning)
    assert statement.update is not None
    change = update_of(statement.update, statement.names, values)
    definition.check_given(change.given)
    change.check_keys(definition.key.names, definition.index_key_names)
    return UpdateStatementPlan(definition.name, key, change, test, statement.returning)


def _select(statement: Statement, values: Values, definition: TableDefinition) -> SelectPlan:
    schema = definition.key
    index: IndexDefinition | None = None
    if statement.index_name is not None:
        index = definition.index_by_name.get(statement.index_name)
        if index is None:
            raise ValidationException("The table does not have the specified index")
        schema = index.key
        if len(schema.partition) > 1 or len(schema.sort) > 1:
            raise ValidationException(SEVERAL_ATTRIBUTES)
        _check_columns(statement, index)
    names, where = statement.names, statement.where
    accept: Test | None = None
    reads = None
    key: Item | None = None
    only_key = False
    if where is not None:
        accept = _test(where, names, values)
        reader = KeyReader(where, names, values)
        reads = reader.reads(schema)
        if reads is not None:
            check_overlaps(reader, schema)
        if index is not None and reader.is_keyed(schema):
            _check_filter(where, names, index)
        if reads is not None and len(reads) == 1 and reads[0].is_single_item and statement.index_name is None:
            key = dict(reads[0].partition_key)
            for attribute, value in zip(schema.sort, reads[0].operands, strict=True):
                key[attribute.name] = value
            check_key(schema, key)
            only_key = reader.is_only_key(schema)
            if only_key:
                accept = None
    check_order(statement, schema, reads)
    return SelectPlan(
        definition.name,
        statement.index_name,
        key,
        None if reads is None else ordered(reads, statement.order, schema),
        accept,
        only_key,
        None if statement.columns is None else _project(statement.columns, names),
        _attributes(statement),
        is_reverse(statement.order, schema),
    )


def _check_columns(statement: Statement, index: IndexDefinition) -> None:
    """A global index answers only what it carries; a local one is completed from its table."""
    if not index.is_global or statement.columns is None:
        return
    names = dict.fromkeys(statement.names[str(column.path.elements[0])] for column in statement.columns)
    absent = [name for name in names if not index.carries(name)]
    if absent:
        raise ValidationException(
            f"One or more parameter values were invalid: Global secondary index {index.name} does not project "
            f"[{', '.join(absent)}]"
        )


def _check_filter(where: Condition, names: Names, index: IndexDefinition) -> None:
    """A query of an index can be filtered by what it carries only; a scan finds nothing there."""
    paths = [path for leaf in leaves_of(where) for path in paths_of(operands_of(leaf))]
    read = dict.fromkeys(names[str(path.elements[0])] for path in paths)
    absent = [name for name in read if not index.carries(name)]
    if absent:
        raise ValidationException(
            f"One or more parameter values were invalid: Secondary index {index.name} does not project one or more "
            f"filter attributes: [{', '.join(absent)}]"
        )


def _insert(statement: Statement, parameters: Parameters, definition: TableDefinition) -> InsertPlan:
    item = statement.filled_item(parameters)
    check_item_size(validate_item(item))
    definition.check_item(item)
    return InsertPlan(definition.name, item, definition.key_of(item))


def _single_item(statement: Statement, values: Values, definition: TableDefinition) -> tuple[Item, Condition]:
    """The key of the one item that a write or EXISTS is about, and its WHERE clause."""
    if statement.index_name is not None:
        raise ValidationException("Operations on indices are not supported in transactions")
    if statement.where is None:
        raise ValidationException(INCOMPLETE_KEY)
    reader = KeyReader(statement.where, statement.names, values)
    key: Item = {}
    for name in definition.key.names:
        found = reader.key_values(name)
        if not found:
            raise ValidationException(INCOMPLETE_KEY)
        if len(found) > 1 and statement.kind != "EXISTS":
            raise ValidationException(
                f"Multiple conditions on same key {name}. Only single item Update/Insert/Delete are supported"
            )
        key[name] = found[0]
    check_key(definition.key, key)
    return key, statement.where


def _exists(
    statement: Statement, values: Values, definition: TableDefinition, key: Item, where: Condition
) -> ExistsPlan:
    if KeyReader(where, statement.names, values).is_only_key(definition.key):
        raise ValidationException("EXISTS() must contain a single item read with additional condition")
    return ExistsPlan(definition.name, key, _test(where, statement.names, values))


def check_operands(statement: Statement, parameters: Parameters) -> None:
    """ValidationException when an operand of the WHERE clause has a type that its operator never takes."""
    values = statement.filled(parameters)
    if statement.where is not None:
        _check_leaves(statement.where, statement.names, values)


def _check_leaves(where: Condition, names: Names, values: Values) -> None:
    for leaf in leaves_of(where):
        for check in leaf_of(leaf).checks:
            check(names, values)


def _test(where: Condition, names: Names, values: Values) -> Test:
    _check_leaves(where, names, values)
    compiled = compile_condition(where)
    return lambda item: compiled(item, names, values)


def _project(columns: Sequence[Column], names: Names) -> Project:
    paths = [(column.name, resolve(column.path, names)) for column in columns]

    def project(item: Item) -> Item:
        found = ((name, find(item, path)) for name, path in paths)
        return {name: value for name, value in found if value is not None}

    return project


def _attributes(statement: Statement) -> frozenset[str] | None:
    """What a local index completes from its table: the columns, while a filter sees what the index carries."""
    if statement.columns is None:
        return None
    return frozenset(statement.names[str(column.path.elements[0])] for column in statement.columns)
