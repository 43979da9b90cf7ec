"""What AWS refuses of PartiQL statements, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.partiql import check_parameters, make_plan, parse


def table(*keys: str, kind: str = "S") -> TableDefinition:
    return TableDefinition.from_document(
        {
            "TableName": "things",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": kind},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "g", "AttributeType": "S"},
                {"AttributeName": "h", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": name, "KeyType": role} for name, role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-g",
                    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                },
                {
                    "IndexName": "few",
                    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
                },
                {
                    "IndexName": "wide",
                    "KeySchema": [
                        {"AttributeName": "g", "KeyType": "HASH"},
                        {"AttributeName": "h", "KeyType": "HASH"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                },
            ],
        }
    )


HASH = table("pk")
NUMBER = table("pk", kind="N")
RANGE = table("pk", "sk")
NOT_WELL_FORMED = "Statement wasn't well formed, can't be processed: "
LEFTOVER = f"{NOT_WELL_FORMED}Unexpected token after expression"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
DIGITS = "Attempting to store more than 38 significant digits in a Number"


def plan(text: str, parameters: list[Any] | None, definition: TableDefinition) -> None:
    check_parameters(parameters)
    make_plan(parse(text), parameters, definition)


def refusal(text: str, parameters: list[Any] | None = None, definition: TableDefinition = HASH) -> str:
    with pytest.raises(ValidationException) as caught:
        plan(text, parameters, definition)
    return caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        'SELECT * FROM "things" WHERE pk = 1 foo',
        'SELECT * FROM "things" WHERE pk = 1 e5',
        "INSERT INTO \"things\" VALUE {'pk': 970001} foo",
        'UPDATE "things" SET a = 9 WHERE pk = 970002 foo',
        'DELETE FROM "things" WHERE pk = 970003 foo',
        'SELECT * FROM "things" WHERE pk = 1)',
        'DELETE FROM "things" WHERE pk = 970004 ORDER BY pk',
        'SELECT * FROM "things" ORDER BY pk WHERE pk = 1',
        "INSERT INTO \"things\" t VALUE {'pk': 'x'}",
    ],
)
def test_left_over(text: str) -> None:
    assert refusal(text) == LEFTOVER


@pytest.mark.parametrize(
    "text",
    [
        'SELECT * FROM "things" WHERE pk = 1e2147483648',
        'SELECT * FROM "things" WHERE pk = 1e99999999999',
        'SELECT * FROM "things" WHERE pk = 1.5e-2147483647',
        'SELECT * FROM "things" WHERE pk = 1 # note',
        'SELECT * FROM "things" WHERE pk = \'x',
    ],
)
def test_not_to_be_read(text: str) -> None:
    assert refusal(text) == NOT_WELL_FORMED


def test_an_open_comment_is_refused() -> None:
    assert refusal('SELECT * FROM "things" WHERE pk = 1 /* note').startswith(NOT_WELL_FORMED)
    assert refusal("UPDATE things SET n= --1 WHERE pk='x'").startswith(NOT_WELL_FORMED)


@pytest.mark.parametrize("text", ["", "  ", "-- nothing", "SELECT", "SELECT *", "SELECT * FROM things WHERE", "BEGIN"])
def test_broken_off(text: str) -> None:
    assert refusal(text).startswith(NOT_WELL_FORMED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM \"things\" t WHERE pk = 'x'", "Aliasing is not supported"),
        ("SELECT * FROM \"things\" AS t WHERE pk = 'x'", "Aliasing is not supported"),
        ("UPDATE \"things\" t SET a = 3 WHERE pk = 'x'", "Aliasing is not supported"),
        ("DELETE FROM \"things\" t WHERE pk = 'x'", "Aliasing is not supported"),
        ('SELECT * FROM "things" WHERE pk = 1e126', f"{OVERFLOW} under root"),
        ('SELECT * FROM "things" WHERE pk = 1e-131', f"{UNDERFLOW} under root"),
        (f'SELECT * FROM "things" WHERE pk = {"1234567890" * 4}1', f"{DIGITS} under root"),
        ("INSERT INTO \"things\" VALUE {'pk': 1e126}", f"{OVERFLOW} under root"),
        ("INSERT INTO \"things\" VALUE {'pk': 1, 'm': {'x': 1e126}}", f"{OVERFLOW} under root.x"),
        ("INSERT INTO \"things\" VALUE {'pk': 1, 'l': [1, 1e126]}", f"{OVERFLOW} under root[1]"),
        (
            "UPDATE things SET d = " + "{'a':" * 32 + "1" + "}" * 32 + " WHERE pk='x'",
            "Nesting Levels have exceeded supported limits under root" + ".a" * 32,
        ),
        (
            "UPDATE things SET d = {'a':" + "[" * 31 + "1" + "]" * 31 + "} WHERE pk='x'",
            "Nesting Levels have exceeded supported limits under root.a" + "[0]" * 31,
        ),
        ("UPDATE things SET d = <<>> WHERE pk='x'", "Empty bags are not supported"),
        (
            "UPDATE things SET d = <<1, 'x'>> WHERE pk='x'",
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags",
        ),
        (
            "UPDATE things SET s = set_add(s, <<'b','b'>>) WHERE pk='x'",
            "One or more parameter values were invalid: Input collection [b, b] contains duplicates.",
        ),
        (
            "UPDATE things SET n = set_add(n, <<2, 2.0>>) WHERE pk='x'",
            "One or more parameter values were invalid: Input collection [2, 2.0] contains duplicates! under root",
        ),
        (
            "UPDATE things SET x = [?] WHERE pk='x'",
            "Unsupported data type: Parameter under key root[0] at 1:24:1",
        ),
        (
            "INSERT INTO things VALUE {'pk':'x','m':{'k':?}}",
            "Unsupported data type: Parameter under key root.k at 1:45:1",
        ),
        (
            "INSERT INTO things VALUE {'pk':'x','s':set_add(<<'a'>>, <<'b'>>)}",
            "Unsupported data type: set_add under key root at 1:40:7",
        ),
        ("INSERT INTO things VALUE {'pk':'x','pk':'y'}", "Duplicate keys in tuple. Key: pk under root"),
        (
            "SELECT l[-1] FROM things WHERE pk='x'",
            "List index is not within the allowable range; index: [-1] at 1:11:1",
        ),
        (
            "SELECT l[2147483648] FROM things WHERE pk='x'",
            "List index is not within the allowable range; index: [2147483648] at 1:10:10",
        ),
        ("SELECT a, a FROM things", "Duplicate identifiers in select clause: a"),
        (
            "SELECT *, a FROM things",
            "Other attributes should not be present in the projection when '*' is used.",
        ),
        ("SELECT attribute_exists(ss) FROM things", "Unexpected path component at 1:8:16"),
        ("SELECT * FROM a.b.c.d", "A path may contain at most 2 components in the FROM clause"),
        ("SELECT * FROM things, more", "Only select from a single table or index is supported."),
        ("INSERT INTO things VALUE {'pk':'x'} RETURNING ALL OLD *", "RETURNING is not supported in INSERT"),
        (
            "DELETE FROM things WHERE pk='x' RETURNING ALL NEW *",
            "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
        ),
        (
            "UPDATE things SET a=1 WHERE pk='x' RETURNING ALL NEW",
            "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause",
        ),
        ("UPDATE things.by_g SET a=1 WHERE pk='x'", "This operation is not supported on an index"),
        ("SELECT * FROM things WHERE pk", "WHERE clause must contain an expression that resolves to a boolean"),
        ("SELECT * FROM things WHERE a = MISSING", "MISSING must be compared using IS operator"),
        ("SELECT * FROM things WHERE EXISTS(ss)", "Unrecognized function: exists at 1:28:6"),
        ("SELECT * FROM things WHERE set_add(ss, <<'x'>>) = ss", "Unrecognized function: set_add at 1:28:7"),
        ("SELECT * FROM things WHERE attribute_exists(m.inner)", f"{NOT_WELL_FORMED}Invalid path dot component"),
    ],
)
def test_refused_before_the_table(text: str, message: str) -> None:
    assert refusal(text) == message


def test_set_functions() -> None:
    def update(text: str) -> str:
        return f"UPDATE things SET {text} WHERE pk = 'x'"

    for text, message, at in [
        ("t = set_add(ss, <<'x'>>)", "The first argument to SET_ADD must equal the assignment value", "set_add"),
        ("ss = set_add(<<'a'>>, <<'b'>>)", "The first argument to SET_ADD must equal the assignment value", "set_add"),
        ("ss = set_add(ss)", "SET_ADD must have exactly two arguments", "set_add"),
        ("ss = set_add(ss, <<'x'>>, <<'y'>>)", "SET_ADD must have exactly two arguments", "set_add"),
        (
            "t = set_delete(ss, <<'a'>>)",
            "The first argument to SET_DELETE must equal the assignment value",
            "set_delete",
        ),
    ]:
        statement = update(text)
        assert refusal(statement) == f"{message} at 1:{statement.index(at) + 1}:{len(at)}"
    for text, name in [("ss = set_add(ss, 'x')", "SET_ADD"), ("ss = set_delete(ss, ['x'])", "SET_DELETE")]:
        statement = update(text)
        column = statement.index("(ss") + 2
        assert refusal(statement) == f"The second argument to {name} must be a value with type SET at 1:{column}:2"
    statement = "UPDATE things\nSET BandMembers = set_add(BandMembers, 'x')\nWHERE pk='sets'"
    assert refusal(statement) == "The second argument to SET_ADD must be a value with type SET at 2:27:11"


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        (
            "attribute_exists('ss')",
            None,
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_exists(?)",
            [{"S": "ss"}],
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_exists()",
            None,
            (
                "Incorrect number of operands for operator or function; operator or function: attribute_exists, "
                "number of operands: 0"
            ),
        ),
        (
            "attribute_type(l, 1)",
            None,
            ("Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"),
        ),
        (
            "attribute_exists(n) > false",
            None,
            "Incorrect operand type for operator or function; operator or function: >, operand type: BOOL",
        ),
        *[
            (
                f"val {operator} ?",
                [{"BOOL": True}],
                (
                    f"Incorrect operand type for operator or function; operator or function: {operator}, "
                    "operand type: BOOL"
                ),
            )
            for operator in ("<", "<=", ">", ">=")
        ],
        ("a = ?", None, "Number of parameters in request and statement don't match."),
        ("a = 1", [{"S": "x"}], "Number of parameters in request and statement don't match."),
        ("n > -?", [{"N": "1"}], f"{NOT_WELL_FORMED}Unexpected token"),
        ("a = ?", [{"SS": []}], "One or more parameter values were invalid: An string set  may not be empty"),
    ],
)
def test_refused_in_where(text: str, parameters: list[Any] | None, message: str) -> None:
    assert refusal(f"SELECT * FROM things WHERE pk = 'x' AND {text}", parameters) == message


@pytest.mark.parametrize(
    ("text", "definition", "message"),
    [
        (
            "UPDATE things SET a=1",
            HASH,
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "DELETE FROM things WHERE pk = 'x'",
            RANGE,
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "DELETE FROM things WHERE pk = 'x' OR sk = 'y'",
            RANGE,
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE things SET a=1 WHERE pk='x' AND pk='y'",
            HASH,
            "Multiple conditions on same key pk. Only single item Update/Insert/Delete are supported",
        ),
        ("UPDATE things SET a=1 WHERE pk=1", HASH, "The provided key element does not match the schema"),
        (
            "UPDATE things SET pk='y' WHERE pk='x'",
            HASH,
            (
                "One or more parameter values were invalid: Cannot update attribute pk. "
                "This attribute is part of the key"
            ),
        ),
        (
            "UPDATE things SET n='a' + 1 WHERE pk='x'",
            HASH,
            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            "INSERT INTO things VALUE {'pk':'x'}",
            RANGE,
            "One or more parameter values were invalid: Missing the key sk in the item",
        ),
        (
            "SELECT * FROM things WHERE pk = 1 OR pk = 'x'",
            RANGE,
            "Key attribute's data type should match its data type in table's schema: Key pk",
        ),
        (
            "SELECT * FROM things WHERE pk = 'x' AND sk IN ['1', 2]",
            RANGE,
            "Key attribute's data type should match its data type in table's schema: Key sk",
        ),
        (
            'SELECT * FROM things."wide"',
            HASH,
            (
                "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or "
                "multi-attribute RANGE keys."
            ),
        ),
        (
            "SELECT y, pk, z.a FROM things.\"few\" WHERE g = 'a'",
            HASH,
            "One or more parameter values were invalid: Global secondary index few does not project [y, z]",
        ),
        (
            "SELECT pk FROM things.\"few\" WHERE g = 'y' AND NOT (nonproj = 'np1' OR x = 'x')",
            HASH,
            (
                "One or more parameter values were invalid: Secondary index few does not project one or more filter "
                "attributes: [nonproj]"
            ),
        ),
        ('SELECT * FROM things."none"', HASH, "The table does not have the specified index"),
        (
            "SELECT * FROM things ORDER BY sk",
            RANGE,
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ),
        (
            "SELECT * FROM things WHERE a = 1 ORDER BY sk",
            RANGE,
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        (
            "SELECT * FROM things WHERE pk = 'x' ORDER BY a",
            RANGE,
            "Variable reference a in ORDER BY clause must be part of the primary key",
        ),
        (
            "EXISTS(SELECT * FROM things WHERE pk = 'x')",
            HASH,
            "EXISTS() must contain a single item read with additional condition",
        ),
    ],
)
def test_refused_by_the_table(text: str, definition: TableDefinition, message: str) -> None:
    assert refusal(text, None, definition) == message


@pytest.mark.parametrize(
    "where",
    ["(" * 3000 + "a = 1" + ")" * 3000, "NOT " * 1500 + "a = 1", "size(" * 1200 + "a" + ")" * 1200 + " = 1"],
)
def test_deep_nesting_never_overflows(where: str) -> None:
    text = f"SELECT * FROM things WHERE {where}"
    try:
        make_plan(parse(text), None, HASH)
    except ValidationException:
        return
    assert where.startswith("NOT")


def test_length() -> None:
    assert "8192" in refusal("SELECT * FROM things WHERE a = '" + "x" * 8192 + "'")
