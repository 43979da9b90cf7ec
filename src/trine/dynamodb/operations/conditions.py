"""The condition of a write, and the filter of a read: expressions, or the parameters that were before them.

A request enters; a test of an item leaves, or None when there is none.
"""

from __future__ import annotations

from typing import Any

from trine.dynamodb.expressions.condition import BoundCondition, condition
from trine.dynamodb.expressions.legacy_condition import (
    LegacyCondition,
    check_conditional_operator,
    expected,
    legacy_filter,
)
from trine.dynamodb.expressions.names import ExpressionContext
from trine.dynamodb.operations.parameters import expression_context

Filter = BoundCondition | LegacyCondition


def condition_of(request: Any) -> Filter | None:
    """The condition of PutItem or DeleteItem. ValidationException when it is wrong or parameters do not go together."""
    if (
        request.condition_expression is None
        and request.expected is None
        and request.conditional_operator is None
        and request.expression_attribute_names is None
        and request.expression_attribute_values is None
    ):
        return None
    context = expression_context(
        request,
        (("ConditionExpression", request.condition_expression),),
        (("Expected", request.expected), ("ConditionalOperator", request.conditional_operator)),
    )
    if request.condition_expression is None:
        return expected_of(request)
    bound = condition(request.condition_expression, context, "ConditionExpression")
    context.check_all_used()
    return bound


def expected_of(request: Any) -> LegacyCondition | None:
    """The condition that `Expected` and `ConditionalOperator` make."""
    if request.expected is None:
        check_conditional_operator(request.conditional_operator)
        return None
    return expected(request.expected, request.conditional_operator)


def filter_of(request: Any, context: ExpressionContext, legacy: dict[str, Any] | None, parameter: str) -> Filter | None:
    """The filter of Query or Scan; `legacy` is what `parameter` (QueryFilter, ScanFilter) holds."""
    if request.filter_expression is not None:
        return condition(request.filter_expression, context, "FilterExpression")
    if legacy is None:
        check_conditional_operator(request.conditional_operator)
        return None
    return legacy_filter(legacy, request.conditional_operator, parameter)
