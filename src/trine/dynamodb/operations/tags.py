"""Tags as a map: how many, how long and of which characters AWS lets them be ("Tagging resources", developer guide)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.limits import TAG_KEY_MAX_CHARACTERS, TAG_VALUE_MAX_CHARACTERS, TAGS_PER_RESOURCE_MAX_COUNT
from trine.dynamodb.shape import Document

_TEXT = re.compile(r"[\w\s.:/=+\-@]*").fullmatch


def checked_tags(given: Sequence[Document]) -> dict[str, str]:
    """Tags as a map. ValidationException for too many, too long or repeated ones."""
    tags: dict[str, str] = {}
    for tag in given:
        key, value = tag["Key"], tag["Value"]
        if not 1 <= len(key) <= TAG_KEY_MAX_CHARACTERS or _TEXT(key) is None:
            raise ValidationException(f"The Tag Key provided is invalid, Key: {key}")
        if len(value) > TAG_VALUE_MAX_CHARACTERS or _TEXT(value) is None:
            raise ValidationException(f"The Tag Value provided is invalid, Value: {value}")
        if key.lower().startswith("aws:"):
            raise ValidationException(f"Tag Key cannot be prefixed with aws:, Key: {key}")
        if key in tags:
            raise ValidationException(f"Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}")
        tags[key] = value
    check_count(tags)
    return tags


def check_count(tags: dict[str, str]) -> None:
    """ValidationException for more tags than a resource may have."""
    if len(tags) > TAGS_PER_RESOURCE_MAX_COUNT:
        raise ValidationException("Number of Tags exceed the current limit for the provided ResourceArn")
