"""PartiQL statements: text in, `Statement` out, cached by text.

SELECT, INSERT, UPDATE (also with FROM first), DELETE, and EXISTS for transactions. What the WHERE clause means for
keys is the planner's business.
"""

from __future__ import annotations

import re
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Path
from trine.dynamodb.expressions.text_cache import cached_by_text
from trine.dynamodb.partiql.condition import where_clause
from trine.dynamodb.partiql.literal import literal, struct_key
from trine.dynamodb.partiql.plan import Returning
from trine.dynamodb.partiql.reader import KEYWORDS, LEFTOVER, Reader
from trine.dynamodb.partiql.setting import update_clauses
from trine.dynamodb.partiql.statement import Column, Filled, Kind, Ordering, Statement
from trine.dynamodb.partiql.token import END, PARAMETER, QUOTED, WORD, not_well_formed

_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}").fullmatch


def parse(text: str) -> Statement:
    """The statement in `text`. ValidationException with AWS's sentence."""
    return _parse(text, "Statement")


@cached_by_text
def _parse(text: str, parameter: str) -> Statement:
    reader = Reader(text)
    statement = _statement(reader)
    reader.accept(";")
    if reader.token.kind != END:
        raise not_well_formed(LEFTOVER)
    return statement


def _statement(reader: Reader) -> Statement:
    keyword = reader.accept_keyword("SELECT", "INSERT", "UPDATE", "DELETE", "FROM", "EXISTS")
    if keyword == "SELECT":
        return _select(reader)
    if keyword == "INSERT":
        return _insert(reader)
    if keyword == "UPDATE":
        return _update(reader)
    if keyword == "FROM":
        return _from_first(reader)
    if keyword == "DELETE":
        return _delete(reader)
    if keyword == "EXISTS":
        return _exists(reader)
    raise not_well_formed("Unexpected term" if reader.token.kind == END else "Unexpected term in statement")


def _select(reader: Reader) -> Statement:
    columns = _columns(reader)
    reader.expect_keyword("FROM")
    table_name, index_name = _source(reader)
    where = where_clause(reader) if reader.accept_keyword("WHERE") else None
    order = _order(reader)
    return _made(reader, "SELECT", table_name, index_name, where=where, columns=columns, order=order)


def _exists(reader: Reader) -> Statement:
    reader.expect("(")
    reader.expect_keyword("SELECT")
    columns = _columns(reader)
    reader.expect_keyword("FROM")
    table_name, index_name = _source(reader)
    where = where_clause(reader) if reader.accept_keyword("WHERE") else None
    reader.expect(")")
    return _made(reader, "EXISTS", table_name, index_name, where=where, columns=columns)


def _insert(reader: Reader) -> Statement:
    reader.expect_keyword("INTO")
    table_name, index_name = _source(reader, alias=False)
    if reader.accept_keyword("VALUES"):
        raise ValidationException(
            "Unsupported operation: Inserting multiple items in a single statement is not supported, "
            'use "INSERT INTO tableName VALUE item" instead'
        )
    if reader.accept_keyword("VALUE") is None:
        raise not_well_formed(LEFTOVER if reader.token.kind in (WORD, QUOTED) else "Unexpected term")
    if reader.token.kind != "{":
        raise ValidationException(
            "Unsupported format in item expression. Please use struct format {...} to express item values for "
            "insert statement."
        )
    item = _item(reader)
    if reader.token.keyword == "RETURNING":
        raise ValidationException("RETURNING is not supported in INSERT")
    return _made(reader, "INSERT", table_name, index_name, item=item)


def _item(reader: Reader) -> dict[str, Filled]:
    """INSERT's struct: the only one whose members may be parameters."""
    reader.expect("{")
    members: dict[str, Filled] = {}
    while not reader.accept("}"):
        if members:
            reader.expect(",")
        name = struct_key(reader, members)
        members[name] = reader.parameter() if reader.token.kind == PARAMETER else literal(reader)
    return members


def _update(reader: Reader) -> Statement:
    table_name, index_name = _source(reader)
    change = update_clauses(reader)
    where = where_clause(reader) if reader.accept_keyword("WHERE") else None
    returning = _returning(reader)
    return _made(reader, "UPDATE", table_name, index_name, where=where, update=change, returning=returning)


def _from_first(reader: Reader) -> Statement:
    table_name, index_name = _source(reader)
    where = where_clause(reader) if reader.accept_keyword("WHERE") else None
    change = update_clauses(reader)
    returning = _returning(reader)
    return _made(reader, "UPDATE", table_name, index_name, where=where, update=change, returning=returning)


def _delete(reader: Reader) -> Statement:
    reader.expect_keyword("FROM")
    if reader.token.kind != QUOTED and (reader.token.kind != WORD or reader.token.keyword in KEYWORDS):
        raise not_well_formed("Expected identifier for simple path")
    table_name, index_name = _source(reader)
    where = where_clause(reader) if reader.accept_keyword("WHERE") else None
    returning = _returning(reader)
    if returning not in (None, "ALL OLD"):
        raise ValidationException(
            f"Invalid returning clause: RETURNING {returning} *. "
            "Only RETURNING ALL OLD * is allowed in DELETE statements."
        )
    return _made(reader, "DELETE", table_name, index_name, where=where, returning=returning)


def _made(reader: Reader, kind: Kind, table_name: str, index_name: str | None, **more: Any) -> Statement:
    if index_name is not None and kind not in ("SELECT", "EXISTS"):
        raise ValidationException("This operation is not supported on an index")
    return Statement(kind, table_name, index_name, reader.names, reader.values, reader.parameters, **more)


def _source(reader: Reader, *, alias: bool = True) -> tuple[str, str | None]:
    """A table, or a table and an index."""
    parts: list[str] = []
    while True:
        if reader.token.kind not in (WORD, QUOTED):
            raise reader.unexpected()
        parts.append(reader.advance().text)
        if not reader.accept("."):
            break
    if len(parts) > 2:
        raise ValidationException("A path may contain at most 2 components in the FROM clause")
    if "" in parts:
        raise ValidationException("Path component cannot be an empty string")
    if any(_TABLE_NAME(part) is None for part in parts):
        raise ValidationException(
            "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'."
        )
    if reader.token.kind == ",":
        raise ValidationException("Only select from a single table or index is supported.")
    if alias and (reader.token.keyword == "AS" or reader.is_name()):
        raise ValidationException("Aliasing is not supported")
    return parts[0], parts[1] if len(parts) == 2 else None


def _columns(reader: Reader) -> tuple[Column, ...] | None:
    if reader.accept("*"):
        if reader.token.kind == ",":
            raise ValidationException("Other attributes should not be present in the projection when '*' is used.")
        return None
    columns: list[Column] = []
    while True:
        if reader.token.kind == "*":
            raise ValidationException("Other attributes should not be present in the projection when '*' is used.")
        if reader.next_is_call() or not reader.is_name():
            if reader.token.kind in (END, ",") or reader.token.keyword == "FROM":
                raise reader.unexpected()
            raise ValidationException(f"Unexpected path component {reader.token.place}")
        path = reader.path()
        name = _column_name(path, reader.names)
        if any(column.name == name for column in columns):
            raise ValidationException(f"Duplicate identifiers in select clause: {name}")
        columns.append(Column(path, name))
        if reader.token.keyword == "AS":
            raise ValidationException("Aliasing is not supported")
        if not reader.accept(","):
            return tuple(columns)


def _column_name(path: Path, names: dict[str, str]) -> str:
    """The last attribute name of a path with the indexes after it: `c` of `a.b.c`, `l[0]` of `a.l[0]`."""
    indexes = ""
    for element in reversed(path.elements):
        if isinstance(element, str):
            return names[element] + indexes
        indexes = f"[{element}]{indexes}"
    raise AssertionError("a path begins with a name")


def _order(reader: Reader) -> tuple[Ordering, ...]:
    if not reader.accept_keyword("ORDER"):
        return ()
    reader.expect_keyword("BY")
    terms: list[Ordering] = []
    while True:
        path = reader.path()
        if len(path.elements) > 1:
            raise ValidationException("Argument to ORDER BY must be of type VariableReference. Type: Path")
        descending = reader.accept_keyword("ASC", "DESC") == "DESC"
        terms.append(Ordering(reader.names[str(path.elements[0])], descending))
        if not reader.accept(","):
            return tuple(terms)


def _returning(reader: Reader) -> Returning | None:
    if not reader.accept_keyword("RETURNING"):
        return None
    extent = reader.accept_keyword("ALL", "MODIFIED")
    when = reader.accept_keyword("OLD", "NEW")
    if extent is None or when is None or not reader.accept("*"):
        raise ValidationException("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
    if reader.token.kind == ",":
        raise ValidationException("Invalid syntax with multiple returning elements in RETURNING clause")
    returning: Returning
    if extent == "ALL":
        returning = "ALL OLD" if when == "OLD" else "ALL NEW"
    else:
        returning = "MODIFIED OLD" if when == "OLD" else "MODIFIED NEW"
    return returning
