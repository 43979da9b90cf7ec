"""The bill's views and the scrape: documents for whom the owner allows, and bad input told."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from prometheus_client.parser import text_string_to_metric_families

from tests.pattern.conftest import EXAMPLE, Answer, http
from trine.testing import RunningStack, running


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with running(EXAMPLE) as started:
        http("GET", f"{started.url}/users/nobody")
        yield started


def _ask(stack: RunningStack, path: str, body: Any = None) -> Answer:
    key = stack.stack.wings.access.owner_credentials()
    method = "GET" if body is None else "POST"
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    wish = AWSRequest(method=method, url=stack.aws_url + path, data=data)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "trine", "us-east-1").add_auth(wish)
    headers = {**dict(wish.headers.items()), "Host": urlsplit(stack.aws_url).netloc}
    return http(method, stack.aws_url + path, data, headers)


def test_bill_usage_and_projection(stack: RunningStack) -> None:
    bill = _ask(stack, "/_trine/bill?from=1h&by=service").json()
    assert {group["name"] for group in bill["groups"]} == {"rest", "lambda", "table"}
    usage = _ask(stack, "/_trine/usage?from=1h").json()
    (point,) = [point for point in usage["points"] if point["groups"]]
    (group,) = point["groups"].values()
    assert (group["calls"], group["errors"]) == (1, 1)
    assert group["usd"] == pytest.approx(bill["total"]["usageUsd"])
    month = _ask(stack, "/_trine/projection?from=1h").json()
    assert month["onDemand"]["usd"] < month["alwaysOn"]["usd"]


def test_a_post_carries_prices_and_a_profile(stack: RunningStack) -> None:
    prices = {"region": "us-east-1", "date": "2026-01-01", "prices": {"rest.request": 1}}
    bill = _ask(stack, "/_trine/bill?from=1h", {"prices": prices}).json()
    assert bill["total"]["usageUsd"] > 1
    profile = {"requests_per_second": 1, "requests": [{"api": "rest"}]}
    month = _ask(stack, "/_trine/projection", {"profile": profile}).json()
    assert month["requests"] == pytest.approx(730 * 3600)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("bill?by=moon", None, "by must be one of"),
        ("bill?from=tomorrow", None, "is no time"),
        ("bill?from=99999999w", None, ""),
        ("bill", b"{", "no JSON"),
        ("bill", [1], "object"),
        ("bill", {"prices": {"region": "x"}}, "date"),
        ("projection", {"profile": {}}, "requests_per_second"),
    ],
)
def test_bad_input_is_told(stack: RunningStack, path: str, body: Any, said: str) -> None:
    answer = _ask(stack, f"/_trine/{path}", body)
    assert answer.status == 400
    assert answer.json()["__type"] == "ValidationException"
    assert said in answer.json()["message"]


def test_only_documents_are_posted(stack: RunningStack) -> None:
    assert _ask(stack, "/_trine/description", {}).status == 404


def _scrape(stack: RunningStack, user: str, password: str, accept: str = "*/*") -> Answer:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Accept": accept}
    return http("GET", f"{stack.aws_url}/_trine/metrics", headers=headers)


def test_prometheus_scrapes_with_an_access_key_as_its_password(stack: RunningStack) -> None:
    key = stack.stack.wings.access.owner_credentials()
    answer = _scrape(stack, key.access_key_id, key.secret_access_key)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    newer = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    wanted = _scrape(stack, key.access_key_id, key.secret_access_key, newer)
    assert wanted.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert wanted.body.endswith(b"# EOF\n")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    assert families["aws_apigateway_count"].samples[0].value == 1
    assert families["trine_dynamodb_stored_bytes"].samples
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    assert _ask(stack, "/_trine/metrics").body.startswith(b"# HELP")


def test_nobody_else_scrapes(stack: RunningStack) -> None:
    key = stack.stack.wings.access.owner_credentials()
    for user, password in ((key.access_key_id, "wrong"), ("AKIA0000000000000000", key.secret_access_key), ("", "")):
        assert _scrape(stack, user, password).status in (400, 403)
    assert http("GET", f"{stack.aws_url}/_trine/metrics").status in (400, 403)
    iam = stack.client("iam")
    iam.create_user(UserName="stranger")
    stranger = iam.create_access_key(UserName="stranger")["AccessKey"]
    refused = _scrape(stack, stranger["AccessKeyId"], stranger["SecretAccessKey"])
    assert refused.status in (400, 403)
    assert "trine:ReadMetrics" in refused.json()["message"]
    other = _ask(stack, "/_trine/bill").status
    assert other == 200, "a signature still counts"
