"""What AWS tells first when a request has more than one fault: parameters that exclude each other, then the values of
keys and items, before expressions, and before it looks for the table.

A decoded request enters the `earlier` of its operation once something of it was refused; it returns when nothing comes
before that. The order is what public suites recorded on AWS; its documentation has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.legacy_condition import legacy_filter, read_condition
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.model.item import check_item_size
from trine.dynamodb.operations.expect import only_all_old
from trine.dynamodb.operations.parameters import Parameter, refuse_misplaced
from trine.dynamodb.operations.reading import legacy_projection
from trine.dynamodb.shape import BatchGetItemInput, BatchWriteItemInput, ScanInput

DUPLICATE_KEYS = "Provided list of item keys contains duplicates"
START_KEY = "The provided starting key is invalid: "
# AWS puts the sentence above in front of some of its complaints and not in front of these.
_TOLD_ALONE = re.compile("contains duplicates|number set|numeric value|significant digits|number with magnitude").search
_EXPRESSIONS = {
    "ProjectionExpression": "projection_expression",
    "FilterExpression": "filter_expression",
    "KeyConditionExpression": "key_condition_expression",
    "UpdateExpression": "update_expression",
    "ConditionExpression": "condition_expression",
}
_REPLACED = {
    "AttributesToGet": "attributes_to_get",
    "QueryFilter": "query_filter",
    "ScanFilter": "scan_filter",
    "ConditionalOperator": "conditional_operator",
    "AttributeUpdates": "attribute_updates",
    "Expected": "expected",
}


def _given(request: Any, parameters: Mapping[str, str]) -> list[Parameter]:
    return [(name, getattr(request, member)) for name, member in parameters.items() if hasattr(request, member)]


def misplaced_parameters(request: Any) -> None:
    """ValidationException when expressions stand beside what they replaced, or placeholders without an expression."""
    refuse_misplaced(request, _given(request, _EXPRESSIONS), _given(request, _REPLACED))


def before_key(request: Any) -> None:
    """Of GetItem, UpdateItem and DeleteItem."""
    misplaced_parameters(request)
    validate_item(request.key)


def before_item(request: Any) -> None:
    """Of PutItem."""
    misplaced_parameters(request)
    size_bytes = validate_item(request.item)
    only_all_old(request.return_values)
    check_item_size(size_bytes)


def before_batch_get(request: BatchGetItemInput) -> None:
    """Of BatchGetItem: one table after the other."""
    for wish in request.request_items.values():
        misplaced_parameters(wish)
        legacy_projection(wish.attributes_to_get)
        for key in wish.keys:
            validate_item(key)


def refuse_duplicates(request: BatchGetItemInput) -> None:
    """Of a BatchGetItem whose tables are not all there: keys asked for twice, as far as that shows without a table."""
    for wish in request.request_items.values():
        if len({orjson.dumps(key, option=orjson.OPT_SORT_KEYS) for key in wish.keys}) != len(wish.keys):
            raise ValidationException(DUPLICATE_KEYS)


def before_batch_write(request: BatchWriteItemInput) -> None:
    """Of BatchWriteItem: every item and key, and the sizes of items."""
    for wishes in request.request_items.values():
        for wish in wishes:
            if wish.put_request is not None:
                check_item_size(validate_item(wish.put_request.item))
            elif wish.delete_request is not None:
                validate_item(wish.delete_request.key)


def before_page(filter_member: str) -> Callable[[Any], None]:
    """Of Query and Scan; `filter_member` holds the old filter."""
    parameter = "".join(word.capitalize() for word in filter_member.split("_"))

    def earlier(request: Any) -> None:
        misplaced_parameters(request)
        is_scan = isinstance(request, ScanInput)
        if is_scan:
            legacy_projection(request.attributes_to_get)
        conditions = getattr(request, filter_member)
        if conditions is not None:
            legacy_filter(conditions, request.conditional_operator, parameter)
        if not is_scan:
            legacy_projection(request.attributes_to_get)
        _start_key(request.exclusive_start_key)
        if is_scan:
            check_segments(request)
        else:
            for name, condition in (request.key_conditions or {}).items():
                read_condition(name, condition, "KeyConditions")

    return earlier


def _start_key(key: dict[str, Any] | None) -> None:
    try:
        validate_item(key or {})
    except ValidationException as fault:
        alone = _TOLD_ALONE(fault.message) is not None
        raise ValidationException(fault.message if alone else START_KEY + fault.message) from None


def check_segments(request: ScanInput) -> None:
    """ValidationException unless `Segment` and `TotalSegments` go together."""
    segment, total = request.segment, request.total_segments
    if segment is not None and total is None:
        raise ValidationException(
            "The TotalSegments parameter is required but was not present in the request "
            "when Segment parameter is present"
        )
    if total is not None and segment is None:
        raise ValidationException(
            "The Segment parameter is required but was not present in the request "
            "when parameter TotalSegments is present"
        )
    if segment is not None and total is not None and segment >= total:
        raise ValidationException(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
