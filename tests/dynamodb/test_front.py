"""Media types on the wire, as dynalite's public suite recorded them on AWS; presigned requests."""

from __future__ import annotations

import hashlib
import http.client
import json
from typing import Any

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNKNOWN = "com.amazon.coral.service#UnknownOperationException"
SERIALIZATION = "com.amazon.coral.service#SerializationException"
MISSING = "com.amazon.coral.service#MissingAuthenticationTokenException"


def ask(server: Any, method: str, body: bytes, path: str = "/", **headers: str) -> tuple[int, str | None, bytes]:
    """Status, media type and body of an answer. Names of headers come with underscores."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.headers["content-type"], response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", [None, "whatever", "application/jsonasdf", "application/x-amz-json-1.1"])
def test_a_body_of_an_unknown_media_type_is_not_found(table_server: Any, kind: str | None) -> None:
    headers = {} if kind is None else {"Content_Type": kind}
    for target in ({}, {"X_Amz_Target": "DynamoDB_20120810.ListTables"}):
        status, _, body = ask(table_server, "POST", b"{}", **headers, **target)
        assert (status, body) == (404, b"<UnknownOperationException/>\n")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_not_found(table_server: Any, method: str) -> None:
    status, _, body = ask(table_server, method, b"")
    assert (status, body) == (404, b"<UnknownOperationException/>\n")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("application/json", "application/json"),
        ("  application/json ; charset=x", "application/json"),
        ("application/x-amz-json-1.0", "application/x-amz-json-1.0"),
        ("application/x-amz-json-1.0;blahblah", "application/x-amz-json-1.0"),
    ],
)
def test_answers_bear_the_media_type_of_the_request(table_server: Any, sent: str, answered: str) -> None:
    status, kind, body = ask(table_server, "POST", b"hi", Content_Type=sent)
    assert (status, kind, json.loads(body)) == (400, answered, {"__type": SERIALIZATION})
    status, kind, body = ask(table_server, "POST", b"{}", Content_Type=sent)
    assert (status, kind, json.loads(body)) == (400, answered, {"__type": UNKNOWN})
    target = "DynamoDB_20120810.ListTables"
    _, kind, body = ask(table_server, "POST", b"{}", Content_Type=sent, X_Amz_Target=target)
    assert (kind, json.loads(body)["__type"]) == (answered, MISSING)
    _, _, body = ask(table_server, "POST", b"{", Content_Type=sent, X_Amz_Target=target)
    assert json.loads(body) == {"__type": SERIALIZATION}


def test_a_request_without_a_body_needs_no_media_type(table_server: Any) -> None:
    status, kind, body = ask(table_server, "POST", b"")
    assert (status, kind, json.loads(body)) == (400, "application/json", {"__type": UNKNOWN})


class _Presigning(SigV4QueryAuth):
    """botocore moves the body into the query; AWS signs it where it is."""

    def __init__(self, body: bytes, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._body = body

    def payload(self, request: Any) -> str:
        return hashlib.sha256(self._body).hexdigest()


def test_a_presigned_request(table_server: Any) -> None:
    key = table_server.credentials
    credentials = Credentials(key["aws_access_key_id"], key["aws_secret_access_key"])
    request = AWSRequest(
        "POST",
        f"{table_server.url}/",
        headers={"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"},
    )
    _Presigning(b'{"Limit":1}', credentials, "dynamodb", "us-east-1", expires=60).add_auth(request)
    path = "/?" + request.url.partition("?")[2]
    headers = {name.replace("-", "_"): value for name, value in request.headers.items()}
    status, _, body = ask(table_server, "POST", b'{"Limit":1}', path, **headers)
    assert status == 200
    assert "TableNames" in json.loads(body)
    for wrong_path, wrong_body in ((path, b"{}"), (path.replace("Expires=60", "Expires=61"), b'{"Limit":1}')):
        status, _, body = ask(table_server, "POST", wrong_body, wrong_path, **headers)
        assert (status, json.loads(body)["__type"]) == (400, "com.amazon.coral.service#InvalidSignatureException")
    unsigned = path.replace("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "")
    status, _, body = ask(table_server, "POST", b'{"Limit":1}', unsigned, **headers)
    assert (status, json.loads(body)["__type"]) == (400, MISSING)
