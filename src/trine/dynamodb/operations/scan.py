"""Scan: every item of a table or index, a page at a time, also in parallel segments."""

from __future__ import annotations

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.projection import Projection, projection
from trine.dynamodb.operations.conditions import filter_of
from trine.dynamodb.operations.expect import refuse_parts_of_key
from trine.dynamodb.operations.observed import admit_page, look_at_access, page_read
from trine.dynamodb.operations.operation import Operation, Rooms
from trine.dynamodb.operations.parameters import expression_context
from trine.dynamodb.operations.precedence import before_page, check_segments
from trine.dynamodb.operations.reading import (
    Target,
    View,
    check_select,
    legacy_projection,
    reading_permission,
    view_of,
)
from trine.dynamodb.shape import ScanInput, codec
from trine.dynamodb.storage.pages import read_page


def prepare(request: ScanInput) -> View:
    """The expressions and segments, before the table is known."""
    context = expression_context(
        request,
        (
            ("ProjectionExpression", request.projection_expression),
            ("FilterExpression", request.filter_expression),
        ),
        (
            ("AttributesToGet", request.attributes_to_get),
            ("ScanFilter", request.scan_filter),
            ("ConditionalOperator", request.conditional_operator),
        ),
    )
    check_select(request)
    check_segments(request)
    accept = filter_of(request, context, request.scan_filter, "ScanFilter")
    chosen: Projection | None = None
    if request.projection_expression is not None:
        chosen = projection(request.projection_expression, context)
    context.check_all_used()
    if chosen is None:
        chosen = legacy_projection(request.attributes_to_get)
    return view_of(accept, chosen, request.select)


def execute(rooms: Rooms, request: ScanInput, view: View) -> bytes:
    """Read a page and answer."""
    target = Target(rooms, request.table_name, request.index_name, request.consistent_read)
    given = request.exclusive_start_key
    if given is not None:
        target.check_start_names(given, scan=True)
        for attribute in target.key.attributes if target.index is not None else ():
            target.check_start_part(given, attribute)
    start, stop = target.space.start, target.space.stop
    if request.total_segments is not None and request.segment is not None:
        start, stop = target.space.segment(request.segment, request.total_segments)
    begin = target.start_key(given)
    if begin is not None:
        if not start <= begin < stop:
            raise ValidationException(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
                f"correct Segment. TotalSegments: {request.total_segments} Segment: {request.segment}"
            )
        start = begin + b"\0"
    admit_page(target, start)
    with rooms.source.open(request.consistent_read) as source:
        choose = target.choose(source, view)
        refuse_parts_of_key(target.table, view)
        page = read_page(source, start, stop, limit=request.limit, choose=choose)
    page_read(rooms, target, start, stop, page.size_bytes)
    look_at_access(rooms, target, view.accept, page, True)
    return target.answer(request, page)


SCAN = Operation(
    "Scan",
    codec("Scan", ScanInput),
    reading_permission("dynamodb:Scan", lambda rooms, request: ()),
    prepare,
    execute,
    before_page("scan_filter"),
)
