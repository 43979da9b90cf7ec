"""DynamoDB's expression language, pure: text in, something to apply to items out.

Rooms in the order of a text's way: `token` → `parser` (makes `ast`) → `checks`, `condition_checks`, `update_checks`
(AWS's order of faults) → `condition`, `update`, `projection`, `key_condition` (compiled once per text, bound to each
request's `names`). `legacy_condition`, `legacy_key` and `legacy_update` make the same kinds of things of the parameters
that were before expressions. What other rooms of the wing use is exported here.
"""

from trine.dynamodb.expressions.condition import BoundCondition, condition
from trine.dynamodb.expressions.key_condition import KeyCondition, KeyTerms, key_condition, key_terms
from trine.dynamodb.expressions.legacy_condition import (
    LegacyCondition,
    check_conditional_operator,
    expected,
    legacy_filter,
)
from trine.dynamodb.expressions.legacy_key import LegacyKeyTerms, key_conditions
from trine.dynamodb.expressions.legacy_update import LegacyUpdate, attribute_updates
from trine.dynamodb.expressions.names import ExpressionContext
from trine.dynamodb.expressions.projection import Projection, attributes_to_get, projection
from trine.dynamodb.expressions.update import UpdatePlan, update, updated

__all__ = [
    "BoundCondition",
    "ExpressionContext",
    "KeyCondition",
    "KeyTerms",
    "LegacyCondition",
    "LegacyKeyTerms",
    "LegacyUpdate",
    "Projection",
    "UpdatePlan",
    "attribute_updates",
    "attributes_to_get",
    "check_conditional_operator",
    "condition",
    "expected",
    "key_condition",
    "key_conditions",
    "key_terms",
    "legacy_filter",
    "projection",
    "update",
    "updated",
]
