"""GET /users?email=...: the profiles of an e-mail address, oldest first, by a Query on the index."""

from __future__ import annotations

import base64
import json
from typing import Any

from profiles.profile import Profile, valid_email
from profiles.proxy import Answer, Event, Refusal, answer, operation, query_parameter
from profiles.table import EMAIL_INDEX, TABLE_NAME, dynamodb

PAGE = 25
LARGEST_PAGE = 100
_KEYS = {"id", "record", "email", "created_at"}


@operation
def handler(event: Event) -> Answer:
    """One page of profiles; `next` in the answer is the `next` of the request for the following page."""
    email = query_parameter(event, "email")
    if email is None:
        raise Refusal(400, "the query parameter email is required")
    email = valid_email(email)
    query: dict[str, Any] = {
        "TableName": TABLE_NAME,
        "IndexName": EMAIL_INDEX,
        "KeyConditionExpression": "email = :email",
        "ExpressionAttributeValues": {":email": {"S": email}},
        "Limit": page_size(query_parameter(event, "limit")),
    }
    token = query_parameter(event, "next")
    if token is not None:
        query["ExclusiveStartKey"] = start_key(token, email)
    found = dynamodb.query(**query)
    document: dict[str, Any] = {"users": [Profile.from_item(item).document() for item in found["Items"]]}
    if "LastEvaluatedKey" in found:
        document["next"] = base64.urlsafe_b64encode(json.dumps(found["LastEvaluatedKey"]).encode()).decode()
    return answer(200, document)


def page_size(text: str | None) -> int:
    """Raises Refusal (400) unless `text` is absent or a fitting number."""
    if text is None:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise Refusal(400, f"limit must be 1 to {LARGEST_PAGE}")
    return int(text)


def start_key(token: str, email: str) -> dict[str, dict[str, str]]:
    """The key after which the page begins. Raises Refusal (400) for what this API did not hand out for `email`."""
    try:
        key = json.loads(base64.urlsafe_b64decode(token.encode()))
        whole = set(key) == _KEYS and all(isinstance(value["S"], str) for value in key.values())
        if whole and key["email"]["S"] == email:
            return {name: {"S": value["S"]} for name, value in key.items()}
    except (ValueError, TypeError, KeyError):
        pass
    raise Refusal(400, "next is not a token of this API")
