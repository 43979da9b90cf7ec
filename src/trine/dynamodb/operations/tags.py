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
        if not 1 <= len(key) <= TAG_KEY_MAX_CHARACTERS:
            raise ValidationException(
                f"One or more parameter values were invalid: tag key must have 1 to {TAG_KEY_MAX_CHARACTERS} characters"
            )
        if len(value) > TAG_VALUE_MAX_CHARACTERS:
            raise ValidationException(
                f"One or more parameter values were invalid: tag value must have at most {TAG_VALUE_MAX_CHARACTERS} "
                "characters"
            )
        if _TEXT(key) is None or _TEXT(value) is None:
            raise ValidationException(
                "One or more parameter values were invalid: tags may hold letters, spaces, numbers and _.:/=+-@ only, "
                f"which {key} does not"
            )
        if key in tags:
            raise ValidationException(f"One or more parameter values were invalid: Duplicate tag key: {key}")
        tags[key] = value
    check_count(tags)
    return tags


def check_count(tags: dict[str, str]) -> None:
    """ValidationException for more tags than a resource may have."""
    if len(tags) > TAGS_PER_RESOURCE_MAX_COUNT:
        raise ValidationException(
            f"One or more parameter values were invalid: Too many tags: {TAGS_PER_RESOURCE_MAX_COUNT} at most"
        )
