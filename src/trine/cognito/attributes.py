"""Attributes of users: what a pool's schema knows, who may set what, and what a value may look like.

Enters the API's lists of names and values, leaves a plain mapping or `InvalidParameter` in AWS's words. Source:
"Working with user attributes" (standard ones as in OpenID Connect, `custom:` and `dev:` for a pool's own).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trine.cognito import limits
from trine.cognito.errors import InvalidParameter, NotAuthorized
from trine.cognito.model import Client, Pool

STANDARD = (
    "sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
    "website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number",
    "phone_number_verified", "address", "updated_at",
)  # fmt: skip
BOOLEAN = frozenset({"email_verified", "phone_number_verified"})
SERVICE_OWNED = frozenset({"sub", "email_verified", "phone_number_verified"})
"""What users cannot set of themselves."""
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_PHONE = re.compile(r"\+[1-9][0-9]{4,14}")
Given = Iterable[Mapping[str, Any]]


def custom_names(pool: Pool) -> dict[str, Mapping[str, Any]]:
    """The pool's own attributes by their full names, `custom:team`."""
    return {_full_name(entry): entry for entry in pool.settings.get("Schema") or () if _is_custom(entry)}


def _is_custom(entry: Mapping[str, Any]) -> bool:
    return entry.get("Name") not in STANDARD


def _full_name(entry: Mapping[str, Any]) -> str:
    name = str(entry.get("Name"))
    if name.startswith(("custom:", "dev:")):
        return name
    return f"dev:custom:{name}" if entry.get("DeveloperOnlyAttribute") else f"custom:{name}"


def schema(pool: Pool) -> list[dict[str, Any]]:
    """`SchemaAttributes` as DescribeUserPool shows them: the standard ones, then the pool's own."""
    given = {entry.get("Name"): entry for entry in pool.settings.get("Schema") or ()}
    shown = []
    for name in STANDARD:
        entry = given.get(name, {})
        kind = "Boolean" if name in BOOLEAN else "Number" if name == "updated_at" else "String"
        shown.append(
            {
                "Name": name,
                "AttributeDataType": kind,
                "DeveloperOnlyAttribute": False,
                "Mutable": bool(entry.get("Mutable", name != "sub")),
                "Required": bool(entry.get("Required", name == "sub")),
            }
        )
    for full_name, entry in custom_names(pool).items():
        shown.append({**entry, "Name": full_name, "Mutable": bool(entry.get("Mutable")), "Required": False})
    return shown


def check_schema(entries: Sequence[Mapping[str, Any]]) -> None:
    """InvalidParameter for a schema that AWS would not take."""
    if sum(_is_custom(entry) for entry in entries) > limits.CUSTOM_ATTRIBUTES_MAX:
        raise InvalidParameter(f"A pool has at most {limits.CUSTOM_ATTRIBUTES_MAX} custom attributes")
    for entry in entries:
        if not entry.get("Name"):
            raise InvalidParameter("Missing required parameter: Schema attribute Name")
        if _is_custom(entry) and entry.get("Required"):
            raise InvalidParameter("Required custom attributes are not supported currently.")


def read(given: Given | None) -> dict[str, str]:
    """A list of `{"Name", "Value"}` as a mapping; a name that comes twice keeps its last value."""
    return {str(one["Name"]): str(one.get("Value", "")) for one in given or ()}


def written(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """The list form again, as GetUser and its relatives show it."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def check(pool: Pool, given: Mapping[str, str], *, admin: bool, client: Client | None = None) -> None:
    """InvalidParameter for unknown names or bad values, NotAuthorized for what this caller may not write."""
    custom = custom_names(pool)
    for name, value in given.items():
        if name not in STANDARD and name not in custom:
            raise _nonconforming(name, "Attribute does not exist in the schema.")
        if name == "sub":
            raise InvalidParameter("Cannot modify the non-mutable attribute sub")
        if not admin and not _may_write(name, client):
            raise NotAuthorized("A client attempted to write unauthorized attribute")
        _check_value(name, value, custom.get(name))


def check_required(pool: Pool, attributes: Mapping[str, str]) -> None:
    """InvalidParameter for a required attribute that a new user lacks."""
    for entry in pool.settings.get("Schema") or ():
        name = str(entry.get("Name"))
        if entry.get("Required") and name in STANDARD and name != "sub" and not attributes.get(name):
            raise _nonconforming(name, "The attribute is required")


def check_mutable(pool: Pool, changed: Mapping[str, str], attributes: Mapping[str, str]) -> None:
    """InvalidParameter for a change of what the schema says cannot be changed."""
    fixed = {_full_name(entry) for entry in pool.settings.get("Schema") or () if _is_custom(entry)
             and not entry.get("Mutable")}  # fmt: skip
    fixed |= {str(entry.get("Name")) for entry in pool.settings.get("Schema") or () if entry.get("Mutable") is False}
    for name, value in changed.items():
        if name in fixed and name in attributes and attributes[name] != value:
            raise InvalidParameter(f"user.{name}: Attribute cannot be updated.\n")


def check_deletable(
    pool: Pool, names: Sequence[str], attributes: Mapping[str, str], *, admin: bool, client: Client | None = None
) -> None:
    """InvalidParameter for what a user cannot be without or the schema fixes, NotAuthorized as for `check`."""
    required = {str(entry.get("Name")) for entry in pool.settings.get("Schema") or () if entry.get("Required")}
    for name in names:
        if name in SERVICE_OWNED or name in required:
            raise InvalidParameter(f"Cannot delete attribute {name}")
        if not admin and not _may_write(name, client):
            raise NotAuthorized("A client attempted to write unauthorized attribute")
    check_mutable(pool, {name: "" for name in names if name in attributes}, attributes)


def readable(user_attributes: Mapping[str, str], client: Client) -> dict[str, str]:
    """What a client may read: its `ReadAttributes`, or all; never developer-only ones."""
    wanted = client.settings.get("ReadAttributes")
    return {
        name: value
        for name, value in user_attributes.items()
        if not name.startswith("dev:") and (not wanted or name in wanted or name == "sub")
    }


def _may_write(name: str, client: Client | None) -> bool:
    if name in SERVICE_OWNED or name.startswith("dev:"):
        return False
    wanted = client.settings.get("WriteAttributes") if client is not None else None
    return not wanted or name in wanted


def _check_value(name: str, value: str, own: Mapping[str, Any] | None) -> None:
    if len(value) > limits.ATTRIBUTE_MAX_CHARACTERS:
        raise _nonconforming(name, "String must be no longer than 2048 characters")
    if name == "email" and value and not _EMAIL.fullmatch(value):
        raise InvalidParameter("Invalid email address format.")
    if name == "phone_number" and value and not _PHONE.fullmatch(value):
        raise InvalidParameter("Invalid phone number format.")
    if name in BOOLEAN and value.lower() not in ("true", "false"):
        raise _nonconforming(name, "Value must be a boolean")
    if own is None:
        return
    if own.get("AttributeDataType") == "Number":
        _check_number(name, value, own.get("NumberAttributeConstraints") or {})
    elif own.get("AttributeDataType") in ("String", None):
        _check_length(name, value, own.get("StringAttributeConstraints") or {})


def _check_number(name: str, value: str, bounds: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise _nonconforming(name, "Value must be a number")
    if "MinValue" in bounds and int(value) < int(bounds["MinValue"]):
        raise _nonconforming(name, f"Number must be no less than {bounds['MinValue']}")
    if "MaxValue" in bounds and int(value) > int(bounds["MaxValue"]):
        raise _nonconforming(name, f"Number must be no greater than {bounds['MaxValue']}")


def _check_length(name: str, value: str, bounds: Mapping[str, Any]) -> None:
    if "MinLength" in bounds and len(value) < int(bounds["MinLength"]):
        raise _nonconforming(name, f"String must be at least {bounds['MinLength']} characters long")
    if "MaxLength" in bounds and len(value) > int(bounds["MaxLength"]):
        raise _nonconforming(name, f"String must be no longer than {bounds['MaxLength']} characters")


def _nonconforming(name: str, what: str) -> InvalidParameter:
    return InvalidParameter(f"Attributes did not conform to the schema: {name}: {what}\n")
