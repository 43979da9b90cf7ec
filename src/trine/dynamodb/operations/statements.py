"""PartiQL statements run in the words of the table's own operations: what its three operations share.

A statement's text enters; a permission, then a plan, then a `Write` or a page of items leaves.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson

from trine.dynamodb.errors import (
    ConditionalCheckFailedException,
    DuplicateItemException,
    ResourceNotFoundException,
    ValidationException,
)
from trine.dynamodb.expressions.update import updated
from trine.dynamodb.limits import PAGE_MAX_BYTES
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.capacity import ConsumedCapacity
from trine.dynamodb.model.item import check_item_size, encode_stored, item_bytes, item_size
from trine.dynamodb.operations.expect import CONDITION_FAILED
from trine.dynamodb.operations.observed import admit_page, page_read
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.operations.reading import Target, View
from trine.dynamodb.partiql import (
    DeletePlan,
    ExistsPlan,
    InsertPlan,
    Plan,
    SelectPlan,
    Statement,
    UpdateStatementPlan,
    check_operands,
    make_plan,
    parse,
)
from trine.dynamodb.storage.items import Rule, Transition, Write
from trine.dynamodb.storage.pages import read_page
from trine.dynamodb.storage.ranges import range_of
from trine.dynamodb.storage.table import Table

DUPLICATE = "Duplicate primary key exists in table"
_ACTIONS = {
    "SELECT": "dynamodb:PartiQLSelect",
    "INSERT": "dynamodb:PartiQLInsert",
    "UPDATE": "dynamodb:PartiQLUpdate",
    "DELETE": "dynamodb:PartiQLDelete",
    "EXISTS": "dynamodb:PartiQLSelect",
}
WritePlan = InsertPlan | UpdateStatementPlan | DeletePlan | ExistsPlan


def statement_permission(rooms: Rooms, text: str) -> Permission:
    """What the caller of a statement must be allowed. ValidationException when it cannot be read."""
    statement = parse(text)
    arn = rooms.table_arn(statement.table_name)
    if statement.index_name is not None:
        arn = f"{arn}/index/{statement.index_name}"
    return (_ACTIONS[statement.kind], arn, None)


def plan_of(rooms: Rooms, statement: Statement, parameters: list[dict[str, Any]] | None) -> tuple[Table, Plan]:
    """The table and what the statement does to it. ResourceNotFoundException, ValidationException."""
    try:
        table = rooms.tables.get(statement.table_name)
    except ResourceNotFoundException:
        check_operands(statement, parameters)
        raise
    return table, make_plan(statement, parameters, table.definition)


def write_of(table: Table, plan: WritePlan, returns_old: bool) -> Write:
    """The write of an INSERT, UPDATE or DELETE, or the check of an EXISTS."""
    if isinstance(plan, InsertPlan):
        table.definition.check_item(plan.item)
        size_bytes = item_size(plan.item)
        check_item_size(size_bytes)
        return Write(table, table.space.key(plan.item), _inserting(plan.item, encode_stored(plan.item, size_bytes)))
    key = table.space.key(plan.key)
    if isinstance(plan, UpdateStatementPlan):
        return Write(table, key, _updating(table, plan, returns_old))
    condition = plan.condition

    def rule(transition: Transition) -> None:
        old = transition.old
        if condition is not None and (old is None or not condition(old)):
            raise _failed(old, returns_old)
        if isinstance(plan, DeletePlan):
            transition.become(None)

    return Write(table, key, rule)


def _inserting(item: Item, stored: bytes) -> Rule:
    def rule(transition: Transition) -> None:
        if transition.old_stored is not None:
            raise DuplicateItemException(DUPLICATE)
        transition.become(item, stored)

    return rule


def _updating(table: Table, plan: UpdateStatementPlan, returns_old: bool) -> Rule:
    def rule(transition: Transition) -> None:
        old = transition.old
        if old is None or not plan.condition(old):
            raise _failed(old, returns_old)
        new, _ = plan.update.apply(old)
        table.definition.check_updated(new)
        size_bytes = item_size(new)
        check_item_size(size_bytes, updated=True)
        transition.become(new, encode_stored(new, size_bytes))

    return rule


def _failed(old: Item | None, returns_old: bool) -> ConditionalCheckFailedException:
    members = {"Item": old} if returns_old and old is not None else None
    return ConditionalCheckFailedException(CONDITION_FAILED, members=members)


def returned_item(plan: WritePlan, transition: Transition) -> bytes | None:
    """The JSON of what RETURNING asks for, or None."""
    returning = plan.returning if isinstance(plan, UpdateStatementPlan | DeletePlan) else None
    if returning is None:
        return None
    item, stored = transition.old, transition.old_stored
    if returning.endswith("NEW"):
        item, stored = transition.new, transition.new_stored
    if item is None or stored is None:
        return None
    if returning.startswith("ALL"):
        return item_bytes(stored)
    assert isinstance(plan, UpdateStatementPlan)
    return orjson.dumps(updated(item, plan.update.paths))


class Selection:
    """The reading of one SELECT: partition after partition, or a scan, until a page is full."""

    def __init__(self, rooms: Rooms, plan: SelectPlan, consistent: bool | None) -> None:
        self._rooms, self._plan = rooms, plan
        if consistent and plan.index_name is not None:
            index = rooms.tables.get(plan.table_name).definition.index_by_name.get(plan.index_name)
            if index is not None and index.is_global:
                raise ValidationException("Strongly consistent read is not supported on Global Secondary Indexes")
        self._target = Target(rooms, plan.table_name, plan.index_name, consistent)
        self.items: list[bytes] = []
        self.last_key: Item | None = None
        self.next_token: str | None = None
        self._size_bytes = 0

    @property
    def consumed(self) -> ConsumedCapacity:
        """What it cost."""
        return self._target.consumed(self._size_bytes)

    def read(self, limit: int | None, token: str | None) -> None:
        """Read up to `limit` items or 1 MB, from where `token` says."""
        plan, target = self._plan, self._target
        spans = [(target.space.start, target.space.stop)]
        if plan.reads is not None:
            spans = [range_of(target.space, condition) for condition in plan.reads]
        at, begin = self._place(token, len(spans))
        scanned = 0
        with self._rooms.source.open(target.consistent) as source:
            choose = target.choose(source, View(plan.accept, plan.project, lambda: set(plan.attributes or ())))
            while at < len(spans):
                start, stop = spans[at]
                if begin is not None:
                    start, stop = (start, begin) if plan.reverse else (begin + b"\0", stop)
                    begin = None
                left = None if limit is None else limit - scanned
                admit_page(target, start)
                page = read_page(source, start, stop, reverse=plan.reverse, limit=left, choose=choose)
                self.items += page.items
                self._size_bytes += page.size_bytes
                scanned += page.scanned_count
                page_read(self._rooms, target, start, stop, page.size_bytes)
                if page.last_stored is not None or self._size_bytes >= PAGE_MAX_BYTES:
                    self._stop_at(at, page.last_stored, len(spans))
                    return
                at += 1

    def _stop_at(self, at: int, last_stored: bytes | None, spans: int) -> None:
        if last_stored is not None:
            self.last_key = self._target.last_key(last_stored)
        elif at + 1 == spans:
            return
        else:
            at += 1
        document = {"p": at, "k": self.last_key}
        self.next_token = urlsafe_b64encode(orjson.dumps(document)).decode()

    def _place(self, token: str | None, spans: int) -> tuple[int, bytes | None]:
        if token is None:
            return 0, None
        try:
            document = orjson.loads(urlsafe_b64decode(token))
            at, key = document["p"], document["k"]
            if not isinstance(at, int) or not 0 <= at < spans or not isinstance(key, dict | None):
                raise ValueError(token)
        except (ValueError, KeyError, TypeError):
            raise ValidationException("Invalid NextToken") from None
        return at, self._target.start_key(key)
