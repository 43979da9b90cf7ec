"""A profile: what a request may say of it, how it lies in the table, and what is shown of it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from profiles.proxy import Refusal

RECORD = "profile"
LONGEST_NAME = 100
LONGEST_EMAIL = 254

_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")

Item = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's profile; the stamps are UTC in ISO 8601."""

    id: str
    name: str
    email: str
    created_at: str
    updated_at: str

    @classmethod
    def from_item(cls, item: Item) -> Profile:
        """The profile that an item of the table holds."""
        return cls(*(item[name]["S"] for name in ("id", "name", "email", "created_at", "updated_at")))

    def to_item(self) -> Item:
        """The item that holds this profile."""
        return {"record": {"S": RECORD}, **{name: {"S": value} for name, value in asdict(self).items()}}

    def document(self) -> dict[str, str]:
        """The profile as clients see it."""
        return asdict(self)


def key_of(profile_id: str) -> Item:
    """The table key of a profile."""
    return {"id": {"S": profile_id}, "record": {"S": RECORD}}


def now() -> str:
    """The present moment, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def valid_id(value: Any) -> str:
    """Raises Refusal (400) unless `value` can be a profile's id."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Refusal(400, "id must be 1 to 64 letters, digits or . _ ~ -")
    return value


def valid_name(value: Any) -> str:
    """Raises Refusal (400) unless `value` can be a name."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise Refusal(400, f"name must be text of 1 to {LONGEST_NAME} characters")
    return value.strip()


def valid_email(value: Any) -> str:
    """The address in lower case. Raises Refusal (400) unless it looks like one."""
    if not isinstance(value, str) or len(value) > LONGEST_EMAIL or not _EMAIL.fullmatch(value):
        raise Refusal(400, "email must be an e-mail address")
    return value.lower()
