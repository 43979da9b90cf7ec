"""GET /users/{id}: one profile. 404 when there is none."""

from __future__ import annotations

from profiles.profile import Profile, key_of
from profiles.proxy import Answer, Event, Refusal, answer, operation, path_parameter
from profiles.table import TABLE_NAME, dynamodb


def read(profile_id: str, consistent: bool) -> Profile:
    """The profile with this id. Raises Refusal (404)."""
    found = dynamodb.get_item(TableName=TABLE_NAME, Key=key_of(profile_id), ConsistentRead=consistent)
    if "Item" not in found:
        raise Refusal(404, "there is no user with this id")
    return Profile.from_item(found["Item"])


@operation
def handler(event: Event) -> Answer:
    """Read the profile as it was last written."""
    return answer(200, read(path_parameter(event, "id"), consistent=True).document())
