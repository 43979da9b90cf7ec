"""What administrators do about people: make, show, change, disable, reset, sign out, forget, list."""

from __future__ import annotations

import re
from collections.abc import Callable

from trine.cognito import attributes as user_attributes
from trine.cognito.codes import MEDIUM
from trine.cognito.errors import InvalidParameter, NotAuthorized, UnsupportedUserState
from trine.cognito.model import Pool, User
from trine.cognito.operations import addresses
from trine.cognito.operations.account import change_attributes, drop_attributes
from trine.cognito.operations.operation import Operation, Output, Rooms, Turn, describe_user, page
from trine.cognito.operations.sign_up import new_user, send_reset_code

_FILTER = re.compile(r'\s*([\w:.]+)\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*')
_SEARCHABLE = frozenset({"username", "email", "phone_number", "name", "given_name", "family_name", "preferred_username",
                         "cognito:user_status", "status", "sub"})  # fmt: skip
_TEMPORARY_ALPHABETS = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "!@#$%&*")


async def create_user(turn: Turn) -> Output:
    """AdminCreateUser: invites a person with a temporary password."""
    rooms, given = turn.rooms, turn.input
    pool = turn.pool()
    if given.get("MessageAction") == "RESEND":
        return await _invite_again(turn, pool)
    attributes = user_attributes.read(given.get("UserAttributes"))
    user_attributes.check(pool, attributes, admin=True)
    user = new_user(rooms, pool, given["Username"], attributes, "FORCE_CHANGE_PASSWORD")
    request = {
        "validationData": user_attributes.read(given.get("ValidationData")) or None,
        "clientMetadata": given.get("ClientMetadata"),
    }
    await rooms.triggers.ask(pool, user, "CLIENT_ID_NOT_APPLICABLE", "PreSignUp_AdminCreateUser", request, {},
                             turn.trace)  # fmt: skip
    password = given.get("TemporaryPassword") or temporary_password(rooms, pool)
    await rooms.set_password(pool, user, password, temporary=True)
    for attribute in MEDIUM:
        if user.attributes.get(f"{attribute}_verified") == "true" and user.attributes.get(attribute):
            addresses.claim(rooms, pool, user, attribute, force=bool(given.get("ForceAliasCreation")))
    rooms.directory.add_user(user)
    if given.get("MessageAction") != "SUPPRESS":
        rooms.codes.tell(pool, user, f"your user name is {user.username} and temporary password is {password}")
    return {"User": describe_user(user)}


async def _invite_again(turn: Turn, pool: Pool) -> Output:
    user = turn.user(pool)
    if user.status != "FORCE_CHANGE_PASSWORD":
        raise UnsupportedUserState("Resend not possible. Status is not FORCE_CHANGE_PASSWORD")
    password = turn.input.get("TemporaryPassword") or temporary_password(turn.rooms, pool)
    await turn.rooms.set_password(pool, user, password, temporary=True)
    turn.rooms.codes.tell(pool, user, f"your user name is {user.username} and temporary password is {password}")
    turn.save(user)
    return {"User": describe_user(user)}


def temporary_password(rooms: Rooms, pool: Pool) -> str:
    """A random password that fits any policy of the pool."""
    length = max(12, int(pool.password_policy.get("MinimumLength", 0)))
    letters = []
    for place, byte in enumerate(rooms.ids.random_bytes(length)):
        alphabet = _TEMPORARY_ALPHABETS[place % len(_TEMPORARY_ALPHABETS)]
        letters.append(alphabet[byte % len(alphabet)])
    return "".join(letters)


async def get_user(turn: Turn) -> Output:
    """AdminGetUser."""
    return describe_user(turn.user(turn.pool()), member="UserAttributes")


async def delete_user(turn: Turn) -> Output:
    """AdminDeleteUser."""
    turn.rooms.directory.remove_user(turn.user(turn.pool()))
    return {}


async def set_password(turn: Turn) -> Output:
    """AdminSetUserPassword."""
    pool = turn.pool()
    user, lasting = turn.user(pool), bool(turn.input.get("Permanent"))
    await turn.rooms.set_password(pool, user, turn.input["Password"], temporary=not lasting)
    user.status = "CONFIRMED" if lasting else "FORCE_CHANGE_PASSWORD"
    turn.save(user)
    return {}


async def confirm_sign_up(turn: Turn) -> Output:
    """AdminConfirmSignUp."""
    pool = turn.pool()
    user = turn.user(pool)
    if user.status != "UNCONFIRMED":
        raise NotAuthorized(f"User cannot be confirmed. Current status is {user.status}")
    user.status = "CONFIRMED"
    user.codes.pop("sign_up", None)
    await turn.rooms.triggers.ask(
        pool, user, "CLIENT_ID_NOT_APPLICABLE", "PostConfirmation_ConfirmSignUp",
        {"clientMetadata": turn.input.get("ClientMetadata")}, {}, turn.trace,
    )  # fmt: skip
    turn.save(user)
    return {}


async def update_attributes(turn: Turn) -> Output:
    """AdminUpdateUserAttributes."""
    pool = turn.pool()
    user = turn.user(pool)
    change_attributes(turn.rooms, pool, user, user_attributes.read(turn.input["UserAttributes"]), admin=True)
    turn.save(user)
    return {}


async def delete_attributes(turn: Turn) -> Output:
    """AdminDeleteUserAttributes."""
    pool = turn.pool()
    user = turn.user(pool)
    drop_attributes(pool, user, turn.input["UserAttributeNames"], admin=True)
    turn.save(user)
    return {}


async def enable(turn: Turn) -> Output:
    """AdminEnableUser."""
    user = turn.user(turn.pool())
    user.enabled = True
    turn.save(user)
    return {}


async def disable(turn: Turn) -> Output:
    """AdminDisableUser: the person cannot sign in, and refresh tokens are revoked."""
    user = turn.user(turn.pool())
    user.enabled = False
    turn.rooms.directory.sign_out(user)
    turn.save(user)
    return {}


async def reset_password(turn: Turn) -> Output:
    """AdminResetUserPassword: the old password is void, and a code goes to a verified address."""
    pool = turn.pool()
    user = turn.user(pool)
    if user.status not in ("CONFIRMED", "RESET_REQUIRED"):
        raise NotAuthorized("User password cannot be reset in the current state.")
    send_reset_code(turn.rooms, pool, user)
    user.status = "RESET_REQUIRED"
    turn.save(user)
    return {}


async def global_sign_out(turn: Turn) -> Output:
    """AdminUserGlobalSignOut."""
    turn.rooms.directory.sign_out(turn.user(turn.pool()))
    return {}


async def list_users(turn: Turn) -> Output:
    """ListUsers, with AWS's filters (`email = "ada@example.com"`, `username ^= "a"`)."""
    fits = _filter(turn.input.get("Filter"))
    wanted = turn.input.get("AttributesToGet")
    users = []
    for user in turn.rooms.directory.users(turn.pool()):
        if fits(user):
            kept = {name: value for name, value in user.attributes.items() if wanted is None or name in wanted}
            users.append(describe_user(user, kept))
    return page(users, turn.input, "Users", "PaginationToken", "Limit")


def _filter(text: str | None) -> Callable[[User], bool]:
    if not text:
        return lambda user: True
    found = _FILTER.fullmatch(text)
    if found is None or found[1] not in _SEARCHABLE:
        raise InvalidParameter(f"Invalid search attribute or filter: {text[:128]}")
    name, operator, value = found[1], found[2], re.sub(r"\\(.)", r"\1", found[3])

    def fits(user: User) -> bool:
        if name == "username":
            have = user.username
        elif name == "cognito:user_status":
            have = user.status
        elif name == "status":
            have = "Enabled" if user.enabled else "Disabled"
        else:
            have = user.attributes.get(name, "")
        return have.startswith(value) if operator == "^=" else have == value

    return fits


OPERATIONS = {
    "AdminCreateUser": Operation(create_user),
    "AdminGetUser": Operation(get_user),
    "AdminDeleteUser": Operation(delete_user),
    "AdminSetUserPassword": Operation(set_password),
    "AdminConfirmSignUp": Operation(confirm_sign_up),
    "AdminUpdateUserAttributes": Operation(update_attributes),
    "AdminDeleteUserAttributes": Operation(delete_attributes),
    "AdminEnableUser": Operation(enable),
    "AdminDisableUser": Operation(disable),
    "AdminResetUserPassword": Operation(reset_password),
    "AdminUserGlobalSignOut": Operation(global_sign_out),
    "ListUsers": Operation(list_users),
}
