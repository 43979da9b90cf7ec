"""The words of the console's door: queries, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping

from trine.aws.errors import AwsError

Query = Mapping[str, str]
"""Query parameters by name; the last of a name counts."""
BODY, ACCEPT = "\0body", "\0accept"
"""Where the door puts the body of a POST, and the `Accept` header: no query parameter can have these names."""


class NoSuchView(AwsError):
    """The path names nothing that can be shown."""

    code = "ResourceNotFoundException"
    status = 404


class BadQuery(AwsError):
    """A query parameter has a value that it cannot have."""

    code = "ValidationException"
    status = 400


def number(query: Query, name: str, default: int, most: int) -> int:
    """A whole number of the query. BadQuery when it is none, or above `most`."""
    text = query.get(name, str(default))
    if not text.isdecimal() or len(text) > 19 or int(text) > most:
        raise BadQuery(f"{name} must be a whole number of at most {most}, not {text[:40]!r}")
    return int(text)
