"""Which key or index would answer a filter."""

from __future__ import annotations

import pytest

from trine.dynamodb.expressions.condition import condition
from trine.dynamodb.expressions.names import ExpressionContext
from trine.dynamodb.model.access_path import instead_of
from trine.dynamodb.model.table import TableDefinition


def _index(name: str, *keys: str) -> dict[str, object]:
    roles = ("HASH", "RANGE")
    schema = [{"AttributeName": key, "KeyType": role} for key, role in zip(keys, roles, strict=False)]
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}


DEFINITION = TableDefinition.from_document(
    {
        "TableName": "Orders",
        "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("customer", "id", "state", "day", "email")
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "LocalSecondaryIndexes": [_index("ByState", "customer", "state")],
        "GlobalSecondaryIndexes": [_index("StateDay", "state", "day"), _index("Email", "email")],
    }
)


@pytest.mark.parametrize(
    ("filtered", "given", "sentence"),
    [
        ({"email"}, (), "Query the index Email with email = …"),
        ({"state"}, (), "Query the index StateDay with state = …"),
        ({"state", "day"}, (), "Query the index StateDay with state = … AND day = …"),
        ({"customer"}, (), "Query the table with customer = …"),
        ({"customer", "id"}, (), "GetItem with customer = … AND id = …"),
        ({"state"}, ("customer",), "Query the index ByState with customer = … AND state = …"),
        ({"day"}, (), None),
        ({"colour"}, ("customer",), None),
        (set(), (), None),
    ],
)
def test_paths(filtered: set[str], given: tuple[str, ...], sentence: str | None) -> None:
    path = instead_of(DEFINITION, filtered, given)
    assert (path.sentence() if path is not None else None) == sentence


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("email = :v", {"email"}),
        (":v = #e AND (colour = :v AND a.b = :v)", {"email", "colour"}),
        ("email = :v OR colour = :v", set()),
        ("NOT email = :v", set()),
        ("email = colour AND size(email) = :v AND email < :v", set()),
    ],
)
def test_equalities_of_a_filter(text: str, names: set[str]) -> None:
    bound = condition(text, ExpressionContext({"#e": "email"} if "#e" in text else None, {":v": {"S": "x"}}))
    assert bound.equalities == names
