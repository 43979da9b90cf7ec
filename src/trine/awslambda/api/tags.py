"""The Lambda API's operations on tags of functions.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import replace

from trine.aws.arn import Arn
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.registry import Entry
from trine.awslambda.service import Service

Given = Mapping[str, Any]
TAGS_MAX = 50
"""Developer guide, "Using tags on Lambda functions"."""
KEY_MAX_CHARACTERS, VALUE_MAX_CHARACTERS = 128, 256


class TagOperations:
    """Operations on tags."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {"ListTags": self._list, "TagResource": self._tag, "UntagResource": self._untag}

    async def _list(self, given: Given) -> dict[str, Any]:
        return {"Tags": tags_of(self._find(given).function.properties)}

    async def _tag(self, given: Given) -> dict[str, Any]:
        entry = self._find(given)
        await self._set(entry, {**tags_of(entry.function.properties), **given["Tags"]})
        return {}

    async def _untag(self, given: Given) -> dict[str, Any]:
        entry = self._find(given)
        tags = tags_of(entry.function.properties)
        await self._set(entry, {key: value for key, value in tags.items() if key not in given["TagKeys"]})
        return {}

    def _find(self, given: Given) -> Entry:
        resource = given["Resource"]
        try:
            kind = Arn.parse(resource).resource.partition(":")[0]
        except ValueError:
            raise InvalidParameterValue(f"{resource!r} is no ARN") from None
        if kind != "function":
            raise InvalidParameterValue(f"Trine keeps tags of functions only, not of {kind!r}")
        if Arn.parse(resource).resource.count(":") > 1:
            raise InvalidParameterValue(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        return self._service.registry.find(resource)[0]

    async def _set(self, entry: Entry, tags: Mapping[str, str]) -> None:
        check_tags(tags)
        # The revision stays: environments that run are not replaced for a tag.
        entry.function = entry.pool.function = replace(
            entry.function, properties={**entry.function.properties, "Tags": dict(tags)}
        )
        await self._service.deployment.keep(entry.function.name)


def tags_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """Tags as a map, from a template's list of Key and Value or from the API's map."""
    given = properties.get("Tags") or {}
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    return {str(tag.get("Key")): str(tag.get("Value", "")) for tag in given if isinstance(tag, Mapping)}


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise InvalidParameterValue for too many tags, or keys and values out of their bounds."""
    if len(tags) > TAGS_MAX:
        raise InvalidParameterValue("Number of tags exceeds resource tag limit.")
    for key, value in tags.items():
        if not 1 <= len(key) <= KEY_MAX_CHARACTERS or key.lower().startswith("aws:"):
            raise InvalidParameterValue(f"Tag key {key!r} must have 1 to 128 characters and not begin with 'aws:'")
        if len(value) > VALUE_MAX_CHARACTERS:
            raise InvalidParameterValue(f"The value of tag {key!r} must have at most {VALUE_MAX_CHARACTERS} characters")
