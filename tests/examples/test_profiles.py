"""The handlers of examples/profiles against a table of moto's: every route, every status."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles"
ADA = {"id": "ada", "name": "Ada Lovelace", "email": "Ada@Example.org"}
Call = Callable[..., tuple[int, Any]]

TOKEN_OF_ANOTHER = base64.urlsafe_b64encode(
    json.dumps({name: {"S": "x@y.org"} for name in ("id", "record", "email", "created_at")}).encode()
).decode()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "profiles"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    """A client of moto's DynamoDB with the table; the handlers' modules are loaded in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "TABLE_NAME": "profiles",
            "EMAIL_INDEX": "by-email",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        patch.syspath_prepend(str(EXAMPLE / "src"))
        _forget()
        with mock_aws():
            client = boto3.client("dynamodb")
            client.create_table(**_table())
            yield client
        _forget()


@pytest.fixture
def call(database: Any) -> Call:
    """Call an operation's handler with a proxy event; gives status and document. The table is empty."""
    for item in database.scan(TableName="profiles")["Items"]:
        database.delete_item(TableName="profiles", Key={"id": item["id"], "record": item["record"]})

    def call(operation: str, **event: Any) -> tuple[int, Any]:
        module = importlib.import_module(f"profiles.{operation}")
        answer = module.handler(event, SimpleNamespace(aws_request_id="r-1"))
        assert isinstance(answer["body"], str)
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    return call


def _table() -> dict[str, Any]:
    """The table as the template declares it."""
    from trine.cloudformation.template import load_template

    properties = load_template(EXAMPLE / "template.yaml").resources["ProfilesTable"].properties
    return {"TableName": "profiles", **properties}


def test_the_life_of_a_profile(call: Call) -> None:
    status, made = call("create", body=json.dumps(ADA))
    assert status == 201
    assert made == {
        **ADA,
        "email": "ada@example.org",
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert call("get", pathParameters={"id": "ada"}) == (200, made)
    assert call("create", body=json.dumps(ADA)) == (409, {"message": "there is already a user with this id"})

    status, changed = call("update", pathParameters={"id": "ada"}, body='{"name": "Countess Lovelace"}')
    assert (status, changed["name"], changed["email"]) == (200, "Countess Lovelace", "ada@example.org")
    assert call("public", pathParameters={"id": "ada"}) == (
        200,
        {"id": "ada", "name": "Countess Lovelace", "created_at": made["created_at"]},
    )
    assert call("delete", pathParameters={"id": "ada"}) == (204, None)
    for operation in ("get", "public", "delete"):
        assert call(operation, pathParameters={"id": "ada"})[0] == 404
    assert call("update", pathParameters={"id": "ada"}, body='{"name": "x"}')[0] == 404


def test_an_id_is_made_when_none_is_given(call: Call) -> None:
    status, made = call("create", body=json.dumps({"name": "A", "email": "a@b.org"}))
    assert status == 201
    assert call("get", pathParameters={"id": made["id"]})[0] == 200


def test_profiles_are_found_by_address_page_by_page(call: Call) -> None:
    for number in range(5):
        call("create", body=json.dumps({"id": f"u{number}", "name": "N", "email": "same@example.org"}))
    call("create", body=json.dumps({"name": "N", "email": "other@example.org"}))
    seen, token = [], None
    while True:
        query = {"email": "same@example.org", "limit": "2"} | ({"next": token} if token else {})
        status, page = call("find", queryStringParameters=query)
        assert status == 200
        seen += [user["id"] for user in page["users"]]
        token = page.get("next")
        if token is None:
            break
    assert sorted(seen) == ["u0", "u1", "u2", "u3", "u4"]
    assert call("find", queryStringParameters={"email": "nobody@example.org"}) == (200, {"users": []})


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        '"text"',
        "[" * 100_000,
        "{}",
        '{"name": "A"}',
        '{"name": "", "email": "a@b.org"}',
        '{"name": 5, "email": "a@b.org"}',
        '{"name": "A", "email": "nowhere"}',
        '{"name": "A", "email": "a@b.org", "id": "with space"}',
        '{"name": "A", "email": "a@b.org", "id": 5}',
        json.dumps({"name": "A" * 101, "email": "a@b.org"}),
        json.dumps({"name": "A", "email": "a" * 250 + "@b.org"}),
    ],
)
def test_bodies_that_are_refused(call: Call, body: str | None) -> None:
    status, document = call("create", body=body)
    assert status == 400
    assert document["message"]


def test_a_body_in_base64(call: Call) -> None:
    encoded = base64.b64encode(json.dumps(ADA).encode()).decode()
    assert call("create", body=encoded, isBase64Encoded=True)[0] == 201
    assert call("create", body="?" + encoded, isBase64Encoded=True)[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        None,
        {},
        {"email": "nowhere"},
        {"email": "a@b.org", "limit": "0"},
        {"email": "a@b.org", "limit": "many"},
        {"email": "a@b.org", "next": "?"},
        {"email": "a@b.org", "next": base64.urlsafe_b64encode(b'{"id": 5}').decode()},
        {"email": "a@b.org", "next": base64.urlsafe_b64encode(b"[1]").decode()},
        {"email": "a@b.org", "next": TOKEN_OF_ANOTHER},
    ],
)
def test_queries_that_are_refused(call: Call, query: dict[str, str] | None) -> None:
    assert call("find", queryStringParameters=query)[0] == 400


def test_an_id_cannot_be_changed_and_an_update_must_say_something(call: Call) -> None:
    call("create", body=json.dumps(ADA))
    assert call("update", pathParameters={"id": "ada"}, body='{"id": "other", "name": "x"}')[0] == 400
    assert call("update", pathParameters={"id": "ada"}, body="{}")[0] == 400


@pytest.mark.parametrize("event", sorted(path.stem for path in (EXAMPLE / "events").glob("*.json")))
def test_the_events_that_come_with_the_example(call: Call, event: str) -> None:
    if event != "create":
        call("create", body=json.dumps(ADA))
    status, _ = call(event, **json.loads((EXAMPLE / "events" / f"{event}.json").read_text()))
    assert status == {"create": 201, "delete": 204}.get(event, 200)


def test_each_request_leaves_one_structured_line(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    call("get", pathParameters={"id": "nobody"})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "level": "WARNING",
        "message": "refused",
        "status": 404,
        "reason": "there is no user with this id",
        "operation": "profiles.get",
        "request_id": "r-1",
    }


def test_the_template_is_sound_and_gives_each_function_only_what_it_needs() -> None:
    from trine.cloudformation.template import load_template

    resources = load_template(EXAMPLE / "template.yaml").resources

    def actions(function: str) -> set[str]:
        policies = resources[f"{function}Role"].properties["Policies"]
        statements = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
        named = [each["Action"] for each in statements]
        return {action for each in named for action in ([each] if isinstance(each, str) else each)}

    assert actions("CreateProfile") == {"dynamodb:PutItem"}
    assert actions("FindProfiles") == {"dynamodb:Query"}
    assert actions("UpdateProfile") == {"dynamodb:UpdateItem"}
    assert actions("DeleteProfile") == {"dynamodb:DeleteItem"}
    assert "dynamodb:PutItem" not in actions("GetProfile") | actions("PublicProfile")
