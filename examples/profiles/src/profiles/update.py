"""PUT /users/{id}: change name, e-mail address, or both. 404 when there is no such profile."""

from __future__ import annotations

from botocore.exceptions import ClientError

from profiles.profile import Profile, key_of, now, valid_email, valid_name
from profiles.proxy import Answer, Event, Refusal, answer, json_body, operation, path_parameter
from profiles.table import TABLE_NAME, condition_failed, dynamodb


@operation
def handler(event: Event) -> Answer:
    """Update the attributes that the body names, only if the profile exists."""
    profile_id = path_parameter(event, "id")
    body = json_body(event)
    if body.get("id", profile_id) != profile_id:
        raise Refusal(400, "id cannot be changed")
    changes = {}
    if "name" in body:
        changes["name"] = valid_name(body["name"])
    if "email" in body:
        changes["email"] = valid_email(body["email"])
    if not changes:
        raise Refusal(400, "the body must have name, email or both")
    changes["updated_at"] = now()
    try:
        updated = dynamodb.update_item(
            TableName=TABLE_NAME,
            Key=key_of(profile_id),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in changes.items()},
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if condition_failed(error):
            raise Refusal(404, "there is no user with this id") from error
        raise
    return answer(200, Profile.from_item(updated["Attributes"]).document())
