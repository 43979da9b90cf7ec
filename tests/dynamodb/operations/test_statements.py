"""PartiQL through its three operations: what a member of a batch or transaction is told, and what indexes answer.

Sentences were recorded on AWS by the public suite paritysuite/dynamodb-conformance (eu-west-2, autumn 2026).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dynamodb.wing import Wing
from trine.aws.errors import AwsError

MALFORMED = "Statement wasn't well formed, can't be processed: "
PLACE = "Validation failed in TransactStatements[0]: "
NEEDS_KEY = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
SEVERAL = (
    "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
)
NOT_NUMERIC = "The parameter cannot be converted to a numeric value"


def _key(**kinds: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds.items()]


TABLE: dict[str, Any] = {
    "TableName": "Items",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("p", "s", "g", "h", "l")],
    "KeySchema": _key(p="HASH", s="RANGE"),
    "GlobalSecondaryIndexes": [
        {"IndexName": "by-g", "KeySchema": _key(g="HASH"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
        {"IndexName": "by-gh", "KeySchema": _key(g="HASH", h="HASH"), "Projection": {"ProjectionType": "ALL"}},
    ],
    "LocalSecondaryIndexes": [
        {"IndexName": "by-l", "KeySchema": _key(p="HASH", l="RANGE"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
    ],
}


class Statements:
    """The three operations on one table with four items."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.wing = loop.run_until_complete(self._made())
        self.call("CreateTable", **TABLE)
        for sort in ("1", "2", "3"):
            item = {"p": "a", "s": sort, "g": "x", "l": f"l{sort}", "v": f"v{sort}"}
            self.call("PutItem", TableName="Items", Item={name: {"S": text} for name, text in item.items()})
        self.call("PutItem", TableName="Items", Item={"p": {"S": "b"}, "s": {"S": "1"}})

    async def _made(self) -> Wing:
        return Wing()

    def call(self, name: str, **document: Any) -> dict[str, Any]:
        return self._loop.run_until_complete(self.wing.call(name, **document))

    def run(self, text: str, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
        given = {"Parameters": list(parameters)} if parameters else {}
        return self.call("ExecuteStatement", Statement=text, **given, **more)

    def refusal(self, text: str, *parameters: dict[str, Any], **more: Any) -> str:
        with pytest.raises(AwsError) as caught:
            self.run(text, *parameters, **more)
        return caught.value.message

    def transaction_refusal(self, *texts: str) -> str:
        with pytest.raises(AwsError) as caught:
            self.call("ExecuteTransaction", TransactStatements=[{"Statement": text} for text in texts])
        return caught.value.message

    def batch(self, *statements: dict[str, Any]) -> list[dict[str, Any]]:
        responses: list[dict[str, Any]] = self.call("BatchExecuteStatement", Statements=list(statements))["Responses"]
        return responses


@pytest.fixture
def statements() -> Iterator[Statements]:
    loop = asyncio.new_event_loop()
    made = Statements(loop)
    try:
        yield made
    finally:
        loop.run_until_complete(made.wing.table.close())
        loop.close()


def test_a_transaction_tells_which_statement(statements: Statements) -> None:
    assert statements.transaction_refusal("SELECT * FROM Items WHERE") == f"{PLACE}{MALFORMED}Unexpected term"
    assert statements.transaction_refusal("SELECT * FROM Items WHERE p = 'a'").startswith(f"{PLACE}Select statements")
    assert (
        statements.transaction_refusal("SELECT * FROM Items.\"by-g\" WHERE g = 'x'")
        == f"{PLACE}Reads on indices are not supported within transactions."
    )
    assert (
        statements.transaction_refusal("DELETE FROM Items WHERE p = 'a' AND s = '1' RETURNING ALL OLD *")
        == f"{PLACE}RETURNING clause is not supported in ExecuteTransaction."
    )
    fine = "SELECT * FROM Items WHERE p = 'a' AND s = '1'"
    assert "TransactStatements[1]" in statements.transaction_refusal(fine, "SELECT * FROM Items WHERE AND")


def test_a_transaction_of_writes_has_no_responses(statements: Statements) -> None:
    texts = ["UPDATE Items SET v = 1 WHERE p = 'a' AND s = '1'", "DELETE FROM Items WHERE p = 'a' AND s = '2'"]
    answer = statements.call("ExecuteTransaction", TransactStatements=[{"Statement": text} for text in texts])
    assert answer == {"Responses": []}


def test_a_member_of_a_batch_fails_alone(statements: Statements) -> None:
    read = "SELECT * FROM Items WHERE p = 'a' AND s = '1'"
    broken, whole, number, index = statements.batch(
        {"Statement": "SELECT * FROM Items WHERE"},
        {"Statement": read},
        {"Statement": f"{read} AND v = ?", "Parameters": [{"N": "1e99999999999"}]},
        {"Statement": "SELECT * FROM Items.\"by-g\" WHERE g = 'x'"},
    )
    assert broken == {"Error": {"Code": "ValidationError", "Message": f"{MALFORMED}Unexpected term"}}
    assert whole["Item"]["v"] == {"S": "v1"}
    assert number["Error"] == {"Code": "ValidationError", "Message": f"{NOT_NUMERIC}: 1e99999999999"}
    assert index["Error"] == {"Code": "ValidationError", "Message": NEEDS_KEY}


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("1e2147483648", f"{NOT_NUMERIC}: 1e2147483648"),
        ("-1e99999999999", f"{NOT_NUMERIC}: -1e99999999999"),
        ("1.5e-2147483647", f"{NOT_NUMERIC}: 1.5e-2147483647"),
        ("1e2147483647", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("", NOT_NUMERIC),
    ],
)
def test_a_parameter_is_read_as_a_big_decimal(statements: Statements, spelling: str, message: str) -> None:
    text = "SELECT * FROM Items WHERE p = 'a' AND v = ?"
    assert statements.refusal(text, {"N": spelling}) == message
    assert statements.refusal(text, {"M": {"x": {"L": [{"N": spelling}]}}}) == message


def test_operands_are_looked_at_before_the_table(statements: Statements) -> None:
    text = "SELECT * FROM Absent WHERE p = 'a' AND v < ?"
    assert statements.refusal(text, {"BOOL": True}).startswith("Incorrect operand type")
    assert statements.refusal(text, {"S": "x"}) == "Requested resource not found"


def test_an_or_of_other_attributes_is_a_filter(statements: Statements) -> None:
    for filtered in ("(v = 'v1' OR v = 'v2')", "(attribute_exists(q) OR v = 'v1')", "attribute_exists(v) = true"):
        assert statements.run(f"SELECT * FROM Items WHERE p = 'a' AND {filtered}")["Items"]
    assert statements.refusal("SELECT * FROM Items WHERE p = 'a' AND v = '1' OR p = 'a' AND s = '2'") == (
        "Overlapping conditions with range keys are not supported in where clause"
    )


@pytest.mark.parametrize("index", ["by-g", "by-l"])
def test_a_keyed_read_filters_by_what_the_index_carries(statements: Statements, index: str) -> None:
    keyed = "g = 'x'" if index == "by-g" else "p = 'a'"
    message = (
        f"One or more parameter values were invalid: Secondary index {index} does not project one or more filter "
        "attributes: [v]"
    )
    for condition in ("v = 'v1'", "v IS MISSING", "NOT v = 'v1'", "begins_with(v, 'v')"):
        assert statements.refusal(f'SELECT p FROM Items."{index}" WHERE {keyed} AND {condition}') == message
    # Without its key the index is scanned, and holds no such attribute.
    assert statements.run(f"SELECT p FROM Items.\"{index}\" WHERE v = 'v1'")["Items"] == []
    assert len(statements.run(f"SELECT p FROM Items.\"{index}\" WHERE NOT v = 'v1'")["Items"]) == 3


def test_indexes_that_statements_cannot_read(statements: Statements) -> None:
    assert statements.refusal("SELECT * FROM Items.\"by-gh\" WHERE g = 'x'") == SEVERAL
    assert statements.refusal("SELECT * FROM Items.\"by-g\" WHERE g = 'x'", ConsistentRead=True) == (
        "Strongly consistent read is not supported on Global Secondary Indexes"
    )
    assert statements.refusal("SELECT * FROM Items.\"\" WHERE g = 'x'") == "Path component cannot be an empty string"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM Items WHERE;", "Unexpected term"),
        ("SELECT * FROM Items WHERE p = 'a' AND", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM Items WHERE p = 'a' OR ;", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM Items WHERE ORDER BY p", "Unexpected keyword"),
        ("SELECT * FROM Items WHERE IS NULL", "Unexpected operator"),
        ("SELECT * FROM Items WHERE p = LIKE", "Unexpected operator"),
        ("SELECT * FROM Items WHERE p = 'a' AND v IS FOO", "Expected type name"),
        ("DELETE FROM", "Expected identifier for simple path"),
        ("DELETE FROM WHERE p = 'a'", "Expected identifier for simple path"),
    ],
)
def test_what_breaks_a_statement(statements: Statements, text: str, message: str) -> None:
    assert statements.refusal(text) == MALFORMED + message
