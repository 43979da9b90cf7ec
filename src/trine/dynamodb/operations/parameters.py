"""Expression parameters of a request: which may stand together, and the context their placeholders live in.

A decoded request enters; an `ExpressionContext` leaves, or AWS's complaint about parameters that exclude each other or
placeholders without an expression. Sentences are AWS's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.names import ExpressionContext

Parameter = tuple[str, Any]
"""A parameter's name as AWS spells it, and what the request gave for it (None: absent)."""


def refuse_misplaced(request: Any, expressions: Sequence[Parameter], legacy: Sequence[Parameter]) -> None:
    """ValidationException when expressions stand beside what they replaced, or placeholders without an expression."""
    given = False
    for _, text in expressions:
        if text is not None:
            given = True
            for _, content in legacy:
                if content is not None:
                    raise mixture([name for name, text in expressions if text is not None], legacy)
            break
    names = request.expression_attribute_names
    values = getattr(request, "expression_attribute_values", None)
    if names is not None and not given:
        raise ValidationException("ExpressionAttributeNames can only be specified when using expressions")
    if values is not None:
        for name, text in expressions:
            if text is not None and name != "ProjectionExpression":
                break
        else:
            able = [name for name, _ in expressions if name != "ProjectionExpression"]
            raise ValidationException(
                "ExpressionAttributeValues can only be specified when using expressions: "
                f"{' and '.join(able)} {'are' if len(able) > 1 else 'is'} null"
            )


def expression_context(
    request: Any, expressions: Sequence[Parameter], legacy: Sequence[Parameter] = ()
) -> ExpressionContext:
    """The context of a request's expressions. ValidationException when parameters exclude each other."""
    refuse_misplaced(request, expressions, legacy)
    names = request.expression_attribute_names
    values = getattr(request, "expression_attribute_values", None)
    if names is None and values is None:
        return ExpressionContext()
    return ExpressionContext(names, values)


def mixture(expressions_given: Sequence[str], legacy: Sequence[Parameter]) -> ValidationException:
    """The error for expressions in one request with the parameters that they replaced."""
    old = [name for name, content in legacy if content is not None]
    return ValidationException(
        "Can not use both expression and non-expression parameters in the same request: "
        f"Non-expression parameters: {{{', '.join(old)}}} "
        f"Expression parameters: {{{', '.join(expressions_given)}}}"
    )
