"""Members of properties that nobody has typed yet: objects, lists and texts, or an error that names the member.

Templates come as they were written: what the API's model checks for a call must be checked here. Enters a mapping and a
member's name, leaves the value in its type, empty when it is missing, or raises `Misshapen`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trine.aws.errors import AwsError


class Misshapen(AwsError):
    """A member of another type than the one it must have."""

    code = "ValidationException"
    status = 400


def object_in(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under `name`; empty when there is none."""
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(name, "an object", value)
    return value


def list_in(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    """The list under `name`; empty when there is none."""
    value = given.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _wrong(name, "a list", value)
    return value


def objects_in(given: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list of objects under `name`."""
    values = list_in(given, name)
    for value in values:
        if not isinstance(value, Mapping):
            raise _wrong(f"{name}[]", "an object", value)
    return list(values)


def text_in(given: Mapping[str, Any], name: str) -> str | None:
    """The text under `name`, None when there is none; numbers and truths become text, as CloudFormation makes it."""
    value = given.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | float):
        raise _wrong(name, "a text", value)
    return str(value)


def texts_in(given: Mapping[str, Any], name: str) -> list[str]:
    """The list of texts under `name`."""
    return [str(text_in({name: value}, name) or "") for value in list_in(given, name)]


def number_in(given: Mapping[str, Any], name: str) -> int | None:
    """The whole number under `name`, None when there is none."""
    value = given.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise _wrong(name, "a number", value) from None


def _wrong(name: str, wanted: str, value: Any) -> Misshapen:
    return Misshapen(f"{name} must be {wanted}, not {str(value)[:100]!r}")
