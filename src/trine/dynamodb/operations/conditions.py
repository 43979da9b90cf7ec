"""The condition of a write: its ConditionExpression, or the `Expected` that came before it.

A request enters, a test of the item as it is leaves, or None when the write is unconditional.
"""

from __future__ import annotations

from typing import Any

from trine.dynamodb.expressions.condition import condition
from trine.dynamodb.operations.expect import Condition
from trine.dynamodb.operations.parameters import expression_context


def condition_of(request: Any) -> Condition | None:
    """The condition of PutItem or DeleteItem. ValidationException when it is wrong or parameters do not go together."""
    context = expression_context(
        request,
        (("ConditionExpression", request.condition_expression),),
        (("Expected", request.expected), ("ConditionalOperator", request.conditional_operator)),
    )
    if request.condition_expression is None:
        return None
    bound = condition(request.condition_expression, context, "ConditionExpression")
    context.check_all_used()
    return bound
