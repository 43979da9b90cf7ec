"""One operation to a server over a kept connection, and its answer in the form in which two answers are compared."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 30.0
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


@dataclass(frozen=True)
class Answer:
    """`error` is the code without its namespace, empty on success; `document` is the rest of the answer."""

    status: int
    error: str
    message: str
    document: Any

    @property
    def text(self) -> str:
        """All of it as one line, for a person and for patterns."""
        if self.error:
            reasons = json.dumps(self.document, sort_keys=True, ensure_ascii=False) if self.document else ""
            return f"{self.status} {self.error}: {self.message} {reasons}".strip()
        return f"{self.status} {json.dumps(self.document, sort_keys=True, ensure_ascii=False)}"


class Server:
    """One of the two servers."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)

    def send(self, operation: str, body: bytes) -> Answer:
        """The answer to `operation` with `body`; the connection is made anew when the server has closed it."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": AUTHORIZATION,
        }
        try:
            self._connection.request("POST", "/", body, headers)
            response = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            self._connection.request("POST", "/", body, headers)
            response = self._connection.getresponse()
        return _answer(response.status, response.read())

    def call(self, operation: str, document: Any) -> Answer:
        """`send` of a document as JSON."""
        return self.send(operation, json.dumps(document).encode())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _answer(status: int, body: bytes) -> Answer:
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        return Answer(status, "NotJson", body.decode(errors="replace")[:500], None)
    if status == 200:
        return Answer(status, "", "", canonical(document))
    error = str(document.pop("__type", "")).rpartition("#")[2]
    message = document.pop("message", None) or document.pop("Message", None) or ""
    document.pop("Message", None)
    return Answer(status, error, message, canonical(document))


def canonical(document: Any) -> Any:
    """`document` with sets in order: their order means nothing."""
    if isinstance(document, dict):
        if len(document) == 1 and next(iter(document)) in ("SS", "NS", "BS"):
            kind, members = next(iter(document.items()))
            if isinstance(members, list) and all(isinstance(member, str) for member in members):
                return {kind: sorted(members)}
        return {name: canonical(part) for name, part in document.items()}
    return [canonical(part) for part in document] if isinstance(document, list) else document
