"""Members of properties that nobody has typed yet: objects, lists and texts, or an error that names the member.

Templates come as they were written: what the API's model checks for a call must be checked here. Enters a mapping and a
member's name, leaves the value in its type, empty when it is missing, or raises `Misshapen`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    number = _whole(value)
    if number is None:
        raise _wrong(name, "a number", value)
    return number


def bounded_in(
    given: Mapping[str, Any],
    name: str,
    default: int,
    lowest: int,
    highest: int,
    fault: Callable[[str], AwsError] = Misshapen,
) -> int:
    """The whole number under `name` from `lowest` to `highest`, or `default` when there is none.

    `fault` makes the wing's own error of a sentence, which is the one of AWS's Coral services.
    """
    value = given.get(name)
    if value is None:
        return default
    number = _whole(value)
    if number is None:
        raise fault(f"{name} must be a number, not {str(value)[:100]!r}")
    if not lowest <= number <= highest:
        bound = f"greater than or equal to {lowest}" if number < lowest else f"less than or equal to {highest}"
        raise fault(
            f"1 validation error detected: Value '{number}' at '{name[0].lower()}{name[1:]}' failed to satisfy "
            f"constraint: Member must have value {bound}"
        )
    return number


def _whole(value: Any) -> int | None:
    """CloudFormation hands whole numbers over as numbers or as texts of digits."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _wrong(name: str, wanted: str, value: Any) -> Misshapen:
    return Misshapen(f"{name} must be {wanted}, not {str(value)[:100]!r}")
