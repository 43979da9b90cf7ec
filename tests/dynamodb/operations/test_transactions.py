"""TransactWriteItems, TransactGetItems and PartiQL through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def failed(call: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call()
    response: dict[str, Any] = caught.value.response
    return response


def put(name: str, **item: Any) -> dict[str, Any]:
    return {"Put": {"TableName": name, "Item": item}}


def test_a_transaction_does_all_of_it_and_counts_double(client: Any, new_table: Any) -> None:
    one, two = new_table("p"), new_table("p", "n")
    client.put_item(TableName=one, Item={"p": {"S": "gone"}})
    client.put_item(TableName=one, Item={"p": {"S": "kept"}, "v": {"N": "1"}})
    answer = client.transact_write_items(
        TransactItems=[
            put(two, p={"S": "x"}, n={"N": "1"}),
            {"Delete": {"TableName": one, "Key": {"p": {"S": "gone"}}}},
            {
                "Update": {
                    "TableName": one,
                    "Key": {"p": {"S": "new"}},
                    "UpdateExpression": "ADD v :v",
                    "ExpressionAttributeValues": {":v": {"N": "5"}},
                }
            },
            {
                "ConditionCheck": {
                    "TableName": one,
                    "Key": {"p": {"S": "kept"}},
                    "ConditionExpression": "v = :v",
                    "ExpressionAttributeValues": {":v": {"N": "1"}},
                }
            },
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    assert {used["TableName"]: used["CapacityUnits"] for used in answer["ConsumedCapacity"]} == {one: 6.0, two: 2.0}
    found = client.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": one, "Key": {"p": {"S": "gone"}}}},
            {"Get": {"TableName": one, "Key": {"p": {"S": "new"}}, "ProjectionExpression": "v"}},
            {"Get": {"TableName": two, "Key": {"p": {"S": "x"}, "n": {"N": "1"}}}},
        ]
    )
    assert found["Responses"] == [{}, {"Item": {"v": {"N": "5"}}}, {"Item": {"p": {"S": "x"}, "n": {"N": "1"}}}]


def test_a_cancelled_transaction_gives_each_item_its_reason(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item={"p": {"S": "a"}, "v": {"N": "1"}})
    guarded = put(name, p={"S": "a"})
    guarded["Put"] |= {
        "ConditionExpression": "attribute_not_exists(p)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    response = failed(lambda: client.transact_write_items(TransactItems=[put(name, p={"S": "b"}), guarded]))
    assert response["Error"]["Code"] == "TransactionCanceledException"
    assert response["Error"]["Message"].endswith("[None, ConditionalCheckFailed]")
    assert response["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"p": {"S": "a"}, "v": {"N": "1"}},
        },
    ]
    assert client.scan(TableName=name)["Count"] == 1


def test_a_token_makes_a_transaction_happen_once(client: Any, new_table: Any) -> None:
    name = new_table("p")
    add = {
        "Update": {
            "TableName": name,
            "Key": {"p": {"S": "x"}},
            "UpdateExpression": "ADD v :v",
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        }
    }
    for _ in range(3):
        client.transact_write_items(TransactItems=[add], ClientRequestToken=f"{name}-once")
    assert client.get_item(TableName=name, Key={"p": {"S": "x"}})["Item"]["v"] == {"N": "1"}
    other = put(name, p={"S": "y"})
    response = failed(lambda: client.transact_write_items(TransactItems=[other], ClientRequestToken=f"{name}-once"))
    assert response["Error"]["Code"] == "IdempotentParameterMismatchException"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            lambda name: [put(name, p={"S": "x"}), put(name, p={"S": "x"})],
            "Transaction request cannot include multiple",
        ),
        (lambda name: [{}], "TransactItems can only contain one of Check, Put, Update or Delete"),
        (lambda name: [], "1 validation error detected: Value '[]' at 'transactItems'"),
        (lambda name: [put(name, p={"S": str(at)}) for at in range(101)], "1 validation error detected: Value '["),
        (
            lambda name: [put(name, p={"S": str(at)}, v={"S": "x" * 300_000}) for at in range(15)],
            "Transaction payload size cannot exceed 4 MB",
        ),
    ],
)
def test_transactions_that_aws_refuses(client: Any, new_table: Any, items: Any, message: str) -> None:
    response = failed(lambda: client.transact_write_items(TransactItems=items(new_table("p"))))
    assert response["Error"]["Code"] == "ValidationException"
    assert response["Error"]["Message"].startswith(message)


def test_an_item_that_its_table_cannot_take_cancels(client: Any, new_table: Any) -> None:
    name = new_table("p")
    response = failed(lambda: client.transact_write_items(TransactItems=[put(name, p={"N": "1"})]))
    assert [reason["Code"] for reason in response["CancellationReasons"]] == ["ValidationError"]


def test_partiql_inserts_selects_updates_and_deletes(client: Any, new_table: Any) -> None:
    name = new_table("p", "n")

    def run(statement: str, *parameters: Any, **more: Any) -> Any:
        given = {"Parameters": list(parameters)} if parameters else {}
        return client.execute_statement(Statement=statement.replace("~", name), **given, **more)

    for at in range(5):
        run("INSERT INTO ~ VALUE {'p': 'x', 'n': ?, 'v': [1, {'a': 'b'}]}", {"N": str(at)})
    duplicate = failed(lambda: run("INSERT INTO ~ VALUE {'p': 'x', 'n': 0}"))
    assert duplicate["Error"]["Code"] == "DuplicateItemException"
    assert [item["n"]["N"] for item in run("SELECT * FROM ~ WHERE p = 'x' AND n > 2")["Items"]] == ["3", "4"]
    first = run("SELECT n FROM ~ WHERE p = ? ORDER BY n DESC", {"S": "x"}, Limit=3)
    assert [item["n"]["N"] for item in first["Items"]] == ["4", "3", "2"]
    rest = run("SELECT n FROM ~ WHERE p = ? ORDER BY n DESC", {"S": "x"}, NextToken=first["NextToken"])
    assert [item["n"]["N"] for item in rest["Items"]] == ["1", "0"]
    assert "NextToken" not in rest
    changed = run("UPDATE ~ SET v[1].a = 'c' WHERE p = 'x' AND n = 1 RETURNING ALL NEW *")
    assert changed["Items"][0]["v"] == {"L": [{"N": "1"}, {"M": {"a": {"S": "c"}}}]}
    missing = failed(lambda: run("UPDATE ~ SET v = 1 WHERE p = 'none' AND n = 1"))
    assert missing["Error"]["Code"] == "ConditionalCheckFailedException"
    run("DELETE FROM ~ WHERE p = 'x' AND n = 0")
    assert len(run("SELECT * FROM ~ ")["Items"]) == 4
    wrong = failed(lambda: run("SELECT * FROM ~ WHERE p = 'x'", NextToken="nonsense"))
    assert wrong["Error"]["Code"] == "ValidationException"


def test_partiql_batches_and_transactions(client: Any, new_table: Any) -> None:
    name = new_table("p")
    client.put_item(TableName=name, Item={"p": {"S": "a"}, "v": {"N": "1"}})
    answer = client.batch_execute_statement(
        Statements=[
            {"Statement": f"SELECT v FROM {name} WHERE p = 'a'"},
            {"Statement": f"SELECT v FROM {name} WHERE v = 1"},
            {"Statement": "SELECT v FROM Absent WHERE p = 'a'"},
        ]
    )["Responses"]
    assert answer[0] == {"TableName": name, "Item": {"v": {"N": "1"}}}
    assert [response["Error"]["Code"] for response in answer[1:]] == ["ValidationError", "ResourceNotFound"]
    cancelled = failed(
        lambda: client.execute_transaction(
            TransactStatements=[
                {"Statement": f"INSERT INTO {name} VALUE {{'p': 'b'}}"},
                {"Statement": f"INSERT INTO {name} VALUE {{'p': 'a'}}"},
            ]
        )
    )
    assert [reason["Code"] for reason in cancelled["CancellationReasons"]] == ["None", "DuplicateItem"]
    client.execute_transaction(TransactStatements=[{"Statement": f"INSERT INTO {name} VALUE {{'p': 'b'}}"}])
    found = client.execute_transaction(TransactStatements=[{"Statement": f"SELECT * FROM {name} WHERE p = 'b'"}])
    assert found["Responses"] == [{"Item": {"p": {"S": "b"}}}]


def test_an_empty_key_refuses_the_whole_request(client: Any, new_table: Any) -> None:
    name = new_table("p")
    wishes = [{"Put": {"TableName": name, "Item": {"p": {"S": text}}}} for text in ("x", "")]
    with pytest.raises(ClientError) as caught:
        client.transact_write_items(TransactItems=wishes)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError) as caught:
        client.transact_get_items(TransactItems=[{"Get": {"TableName": name, "Key": {"p": {"S": ""}}}}])
    assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == ["ValidationError"]


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(levels):
        value = {"M": {"n": value}}
    return value


TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([put("Absent", p={"S": "a"}, d=_deep(40)), put("Absent", **{"p": {"S": "b"}, "": {"S": "x"}})], TOO_DEEP),
        (
            [put("Absent", **{"p": {"S": "b"}, "": {"S": "x"}}), put("Absent", p={"S": "a"}, d=_deep(40))],
            "Empty attribute name",
        ),
        (
            [
                {"Delete": {"TableName": "Absent", "Key": {"p": _deep(40)}}},
                {"Put": {"TableName": "Absent", "Item": {"p": {"S": "a"}}, "ConditionExpression": "a = = b"}},
            ],
            TOO_DEEP,
        ),
        (
            [{"Delete": {"TableName": "Absent", "Key": {"p": _deep(40)}, "ConditionExpression": "a = = b"}}],
            'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"',
        ),
        ([put("Absent", p={"S": "a"}, v={"S": "x" * 409_600})], "Item size has exceeded the maximum allowed size"),
    ],
    ids=["deep first", "name first", "deep key first", "condition before its key", "too large"],
)
def test_the_first_faulty_action_is_told_before_any_table_is_looked_for(
    client: Any, items: list[dict[str, Any]], message: str
) -> None:
    error = failed(lambda: client.transact_write_items(TransactItems=items))["Error"]
    assert (error["Code"], error["Message"]) == ("ValidationException", message)


def test_a_key_that_is_no_value_refuses_the_reading_transaction(client: Any, new_table: Any) -> None:
    get = {"Get": {"TableName": new_table("p"), "Key": {"p": {"N": "abc"}}}}
    error = failed(lambda: client.transact_get_items(TransactItems=[get]))["Error"]
    assert (error["Code"], error["Message"]) == (
        "ValidationException",
        "The parameter cannot be converted to a numeric value: abc",
    )
