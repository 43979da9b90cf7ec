"""Between API Gateway's proxy event and the operations: bodies in, answers and refusals out, one log line a request."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable
from functools import wraps
from typing import Any

Event = dict[str, Any]
Answer = dict[str, Any]

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30}
_LEAST = _LEVELS.get(os.environ.get("LOG_LEVEL", "INFO"), 20)


class Refusal(Exception):
    """A request that is answered with a 4xx status; `message` goes to the client."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def answer(status: int, document: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """A proxy response; without a document it has no body."""
    if document is None:
        return {"statusCode": status, "headers": headers or {}, "body": ""}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return {"statusCode": status, "headers": {"content-type": "application/json", **(headers or {})}, "body": body}


def json_body(event: Event) -> dict[str, Any]:
    """The request's body as a JSON object. Raises Refusal (400)."""
    body = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode()
        document = json.loads(body)
    except (ValueError, RecursionError, binascii.Error):
        raise Refusal(400, "the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise Refusal(400, "the body must be a JSON object")
    return document


def path_parameter(event: Event, name: str) -> str:
    """A named part of the path."""
    return str((event.get("pathParameters") or {})[name])


def query_parameter(event: Event, name: str) -> str | None:
    """A query parameter, or None."""
    return (event.get("queryStringParameters") or {}).get(name)


def log(level: str, message: str, **fields: Any) -> None:
    """Write one structured line; CloudWatch Logs Insights reads its fields."""
    if _LEVELS[level] >= _LEAST:
        print(json.dumps({"level": level, "message": message, **fields}, ensure_ascii=False))


def operation(function: Callable[[Event], Answer]) -> Callable[[Event, Any], Answer]:
    """Make a Lambda handler of an operation: refusals become answers, and each request one log line."""

    @wraps(function)
    def handler(event: Event, context: Any) -> Answer:
        fields = {"operation": function.__module__, "request_id": context.aws_request_id}
        try:
            answered = function(event)
        except Refusal as refusal:
            log("WARNING", "refused", status=refusal.status, reason=refusal.message, **fields)
            return answer(refusal.status, {"message": refusal.message})
        log("INFO", "answered", status=answered["statusCode"], **fields)
        return answered

    return handler
