"""DELETE /users/{id}: 204, or 404 when there is no such profile."""

from __future__ import annotations

from botocore.exceptions import ClientError

from profiles.profile import key_of
from profiles.proxy import Answer, Event, Refusal, answer, operation, path_parameter
from profiles.table import TABLE_NAME, condition_failed, dynamodb


@operation
def handler(event: Event) -> Answer:
    """Delete the profile, only if it exists."""
    try:
        dynamodb.delete_item(
            TableName=TABLE_NAME,
            Key=key_of(path_parameter(event, "id")),
            ConditionExpression="attribute_exists(id)",
        )
    except ClientError as error:
        if condition_failed(error):
            raise Refusal(404, "there is no user with this id") from error
        raise
    return answer(204)
