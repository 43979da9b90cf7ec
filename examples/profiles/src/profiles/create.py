"""POST /users: a new profile. 409 when the id is taken."""

from __future__ import annotations

from uuid import uuid4

from botocore.exceptions import ClientError

from profiles.profile import Profile, now, valid_email, valid_id, valid_name
from profiles.proxy import Answer, Event, Refusal, answer, json_body, operation
from profiles.table import TABLE_NAME, condition_failed, dynamodb


@operation
def handler(event: Event) -> Answer:
    """Put the profile unless there is one with its id."""
    body = json_body(event)
    name, email = valid_name(body.get("name")), valid_email(body.get("email"))
    profile_id = valid_id(body["id"]) if body.get("id") is not None else str(uuid4())
    stamp = now()
    profile = Profile(profile_id, name, email, stamp, stamp)
    try:
        dynamodb.put_item(
            TableName=TABLE_NAME,
            Item=profile.to_item(),
            ConditionExpression="attribute_not_exists(id)",
        )
    except ClientError as error:
        if condition_failed(error):
            raise Refusal(409, "there is already a user with this id") from error
        raise
    return answer(201, profile.document(), {"location": f"/users/{profile_id}"})
