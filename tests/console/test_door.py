"""The console's door: only for whom the owner allows, only what exists, nothing that can break it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.pattern.conftest import EXAMPLE, Answer, http
from trine.testing import RunningStack, running


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE) as started:
        yield started


def ask(stack: RunningStack, path: str, credentials: Credentials | None = None) -> Answer:
    """A request signed for the service `trine`, by the owner unless told otherwise."""
    key = stack.stack.wings.access.owner_credentials()
    credentials = credentials or Credentials(key.access_key_id, key.secret_access_key)
    wish = AWSRequest(method="GET", url=stack.aws_url + path)
    SigV4Auth(credentials, "trine", "us-east-1").add_auth(wish)
    return http(
        "GET", stack.aws_url + path, headers={**dict(wish.headers.items()), "Host": urlsplit(stack.aws_url).netloc}
    )


def test_the_owner_sees_the_description_the_logs_and_a_trace(stack: RunningStack) -> None:
    answer = http("GET", f"{stack.url}/users/nobody")
    assert ask(stack, "/_trine/description").json()["frontUrl"] == stack.url
    traces = ask(stack, "/_trine/traces/apigateway?count=5").json()["traces"]
    assert traces[0]["requestId"] == answer.headers["x-amzn-requestid"]
    explained = ask(stack, f"/_trine/explain/{answer.headers['x-amzn-requestid']}").json()
    assert explained["title"] == "GET /Prod/users/nobody"
    events = ask(stack, "/_trine/logs?limit=10&filter=REPORT").json()["events"]
    assert events
    assert all("REPORT" in event["message"] for event in events)


def test_a_table_call_is_explained_by_the_request_that_caused_it(stack: RunningStack) -> None:
    http("GET", f"{stack.url}/users/nobody")
    call = ask(stack, "/_trine/traces/dynamodb?count=1").json()["traces"][0]
    explained = ask(stack, f"/_trine/explain/{call['requestId']}").json()
    assert explained["kind"] == "apigateway"


@pytest.mark.parametrize("path", ["/_trine/nothing", "/_trine/explain/x", "/_trine/../description"])
def test_what_does_not_exist_is_a_404(stack: RunningStack, path: str) -> None:
    answer = ask(stack, path)
    assert answer.status == 404
    assert answer.json()["__type"] == "ResourceNotFoundException"


@pytest.mark.parametrize("query", ["count=x", "count=-1", "count=99999999999999999999999", "count=501"])
def test_a_bad_number_is_a_400(stack: RunningStack, query: str) -> None:
    answer = ask(stack, f"/_trine/traces/dynamodb?{query}")
    assert (answer.status, answer.json()["__type"]) == (400, "ValidationException")


def test_a_function_s_role_sees_nothing(stack: RunningStack) -> None:
    def role() -> Credentials:
        access = stack.stack.wings.access
        arn = stack.description["functions"][0]["role"]
        session = access.assume_role_for_service(arn, "spy", "lambda.amazonaws.com", 900)
        return Credentials(session.access_key_id, session.secret_access_key, session.session_token)

    answer = ask(stack, "/_trine/description", stack.call(role))
    assert answer.status in (400, 403)
    assert "not authorized to perform: trine:Describe" in json.loads(answer.body)["message"]
