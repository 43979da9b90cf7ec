"""Whose is an address: no two people of a pool sign in by the same one.

Enters a user and what is to be set, leaves nothing, or `AliasExists`. Where addresses are names, the first to have one
keeps it; where they are aliases, the first who proves it ("Customizing sign-in attributes").
"""

from __future__ import annotations

from collections.abc import Mapping

from trine.cognito.errors import AliasExists
from trine.cognito.model import Pool, User
from trine.cognito.operations.operation import Rooms

_CALLED = {"email": "email", "phone_number": "phone number", "preferred_username": "preferred username"}


def check_free(rooms: Rooms, pool: Pool, user: User | None, attributes: Mapping[str, str]) -> None:
    """AliasExists when one of `attributes` would be by what somebody else signs in. `user` is who will have them."""
    for name in ("email", "phone_number", "preferred_username"):
        value = attributes.get(name)
        signs_in = name in pool.username_attributes or (
            name in pool.aliases and (name == "preferred_username" or attributes.get(f"{name}_verified") == "true")
        )
        if value and signs_in and _other(rooms, pool, user, value) is not None:
            raise _exists(name)


def claim(rooms: Rooms, pool: Pool, user: User, attribute: str, *, force: bool = False) -> None:
    """The user has proved the address. AliasExists when another has; with `force` that one loses it. Saved by this."""
    if attribute in (*pool.username_attributes, *pool.aliases):
        other = _other(rooms, pool, user, user.attributes[attribute])
        if other is not None and not force:
            raise _exists(attribute)
        if other is not None:
            other.attributes.pop(f"{attribute}_verified", None)
            rooms.directory.save_user(other)
    user.attributes[f"{attribute}_verified"] = "true"


def _other(rooms: Rooms, pool: Pool, user: User | None, value: str) -> User | None:
    found = rooms.directory.find_user(pool, value)
    return None if found is user else found


def _exists(attribute: str) -> AliasExists:
    return AliasExists(f"An account with the {_CALLED[attribute]} already exists.")
