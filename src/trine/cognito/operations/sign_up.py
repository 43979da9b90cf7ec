"""Signing up and finding back in: SignUp, ConfirmSignUp, the codes for both, and a forgotten password."""

from __future__ import annotations

from typing import Any

from trine.cognito import attributes as user_attributes
from trine.cognito import client_proof, limits, strangers
from trine.cognito.codes import contact_of
from trine.cognito.errors import (
    CodeMismatch,
    CognitoError,
    ExpiredCode,
    InvalidParameter,
    NotAuthorized,
    UsernameExists,
    UserNotFound,
)
from trine.cognito.model import Client, Code, Pool, User
from trine.cognito.operations import addresses
from trine.cognito.operations.operation import Operation, Output, Rooms, Turn
from trine.cognito.passwords import check_policy


def new_user(rooms: Rooms, pool: Pool, name: str, attributes: dict[str, str], status: str) -> User:
    """A user of that name or address, not yet saved. UsernameExists, AliasExists, InvalidParameter.

    Where addresses are the names of a pool, `name` is the address, and the user name becomes the `sub`.
    """
    sub = rooms.ids.uuid()
    if pool.username_attributes:
        wanted = "email" if "@" in name else "phone_number"
        if wanted not in pool.username_attributes:
            kinds = " or ".join("an email" if one == "email" else "a phone number" for one in pool.username_attributes)
            raise InvalidParameter(f"Username should be {kinds}.")
        if attributes.get(wanted, name) != name:
            raise InvalidParameter(f"The attribute {wanted} must be the user name.")
        attributes = {wanted: name, **attributes}
        user_attributes.check(pool, {wanted: name}, admin=True)
    elif "@" in name and "email" in pool.aliases:
        raise InvalidParameter("Username cannot be of email format, since user pool is configured for email alias.")
    elif name.startswith("+") and name[1:].isdecimal() and "phone_number" in pool.aliases:
        raise InvalidParameter(
            "Username cannot be of phone number format, since user pool is configured for phone number alias."
        )
    if rooms.directory.find_user(pool, name) is not None:
        same_address = bool(pool.username_attributes)
        raise UsernameExists(
            "An account with the given email already exists." if same_address and "@" in name else "User already exists"
        )
    addresses.check_free(rooms, pool, None, attributes)
    user_attributes.check_required(pool, attributes)
    username = sub if pool.username_attributes else name
    now = rooms.clock.now()
    return User(pool.id, username, {"sub": sub, **attributes}, status, now, now)


def client_of(turn: Turn, *usernames: str) -> tuple[Pool, Client]:
    """The client of an unsigned call and its pool; its secret's hash is checked. ResourceNotFound, NotAuthorized."""
    client = turn.rooms.directory.client(turn.input["ClientId"])
    client_proof.check(client, turn.input.get("SecretHash"), (turn.input.get("Username", ""), *usernames))
    return turn.rooms.directory.pool(client.pool_id), client


async def sign_up(turn: Turn) -> Output:
    """SignUp."""
    rooms, given = turn.rooms, turn.input
    pool, client = client_of(turn)
    if pool.admin_only:
        raise NotAuthorized("SignUp is not permitted for this user pool")
    password = given.get("Password")
    if not password:
        raise InvalidParameter("Password is required: passwordless sign-up is not offered here")
    attributes = user_attributes.read(given.get("UserAttributes"))
    user_attributes.check(pool, attributes, admin=False, client=client)
    check_policy(password, pool.password_policy)
    user = new_user(rooms, pool, given["Username"], attributes, "UNCONFIRMED")
    answer = await rooms.triggers.ask(
        pool,
        user,
        client.id,
        "PreSignUp_SignUp",
        {
            "validationData": user_attributes.read(given.get("ValidationData")) or None,
            "clientMetadata": given.get("ClientMetadata"),
        },
        {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
        turn.trace,
    )
    await rooms.set_password(pool, user, password, temporary=False)
    for member, attribute in (("autoVerifyEmail", "email"), ("autoVerifyPhone", "phone_number")):
        if answer.get(member) and user.attributes.get(attribute):
            user.attributes[f"{attribute}_verified"] = "true"
    if rooms.directory.find_user(pool, given["Username"]) is not None:  # while the trigger ran
        raise UsernameExists
    addresses.check_free(rooms, pool, None, user.attributes)
    rooms.directory.add_user(user)
    confirmed = bool(answer.get("autoConfirmUser"))
    shown: dict[str, Any] = {"UserConfirmed": confirmed, "UserSub": user.sub}
    if confirmed:
        await _confirm(turn, pool, user, client.id, "PostConfirmation_ConfirmSignUp")
    elif (contact := _to_verify(pool, user)) is not None:
        delivery = rooms.codes.send(pool, user, "sign_up", contact, limits.SIGN_UP_CODE_SECONDS)
        shown["CodeDeliveryDetails"] = delivery.document()
    turn.save(user)
    return shown


def _to_verify(pool: Pool, user: User) -> str | None:
    """Where the code of a sign-up goes: to a telephone first where both are verified (developer guide)."""
    wanted = [one for one in ("phone_number", "email") if one in pool.auto_verified and user.attributes.get(one)]
    return wanted[0] if wanted else None


async def _confirm(turn: Turn, pool: Pool, user: User, client_id: str, source: str) -> None:
    user.status = "CONFIRMED"
    request = {"clientMetadata": turn.input.get("ClientMetadata")}
    await turn.rooms.triggers.ask(pool, user, client_id, source, request, {}, turn.trace)


def _hidden(client: Client, error: UserNotFound | None = None) -> Exception:
    """What a client that hides users is told of one who does not exist: the code was wrong."""
    return CodeMismatch() if client.hides_users else error or UserNotFound("Username/client id combination not found.")


async def confirm_sign_up(turn: Turn) -> Output:
    """ConfirmSignUp."""
    rooms, given = turn.rooms, turn.input
    pool, client = client_of(turn)
    user = rooms.directory.find_user(pool, given["Username"])
    if user is None:
        raise _hidden(client)
    if user.status != "UNCONFIRMED":
        raise NotAuthorized(f"User cannot be confirmed. Current status is {user.status}")
    code = _check_code(turn, pool, client, user, "sign_up")
    addresses.claim(rooms, pool, user, code.attribute, force=bool(given.get("ForceAliasCreation")))
    await _confirm(turn, pool, user, client.id, "PostConfirmation_ConfirmSignUp")
    turn.save(user)
    return {}


def _check_code(turn: Turn, pool: Pool, client: Client, user: User, purpose: str) -> Code:
    """Use up the code that the call brings; a wrong guess is counted. CodeMismatch, ExpiredCode."""
    try:
        return turn.rooms.codes.check(pool, user, purpose, turn.input["ConfirmationCode"])
    except ExpiredCode:
        if client.hides_users:
            raise CodeMismatch from None  # as for somebody who does not exist
        raise
    finally:
        turn.save(user)


async def resend_code(turn: Turn) -> Output:
    """ResendConfirmationCode."""
    rooms = turn.rooms
    pool, client = client_of(turn)
    user = rooms.directory.find_user(pool, turn.input["Username"])
    if user is None:
        if client.hides_users:
            return {"CodeDeliveryDetails": strangers.delivery(rooms.vault, pool, turn.input["Username"])}
        raise UserNotFound("Username/client id combination not found.")
    if user.status != "UNCONFIRMED":
        raise InvalidParameter("User is already confirmed.")
    attribute = _to_verify(pool, user)
    if attribute is None:
        raise InvalidParameter("Cannot resend codes. Auto verification not turned on.")
    delivery = rooms.codes.send(pool, user, "sign_up", attribute, limits.SIGN_UP_CODE_SECONDS)
    turn.save(user)
    return {"CodeDeliveryDetails": delivery.document()}


async def forgot_password(turn: Turn) -> Output:
    """ForgotPassword."""
    rooms = turn.rooms
    pool, client = client_of(turn)
    user = rooms.directory.find_user(pool, turn.input["Username"])
    if user is None:
        if client.hides_users:
            return {"CodeDeliveryDetails": strangers.delivery(rooms.vault, pool, turn.input["Username"])}
        raise UserNotFound("Username/client id combination not found.")
    try:
        if not user.enabled:
            raise NotAuthorized("User is disabled.")
        if user.status == "FORCE_CHANGE_PASSWORD":
            raise NotAuthorized("User password cannot be reset in the current state.")
        delivery = send_reset_code(rooms, pool, user)
    except CognitoError:
        if client.hides_users:  # "not found, deactivated, or without a verified address": all are told the same
            return {"CodeDeliveryDetails": strangers.delivery(rooms.vault, pool, turn.input["Username"])}
        raise
    turn.save(user)
    return {"CodeDeliveryDetails": delivery}


def send_reset_code(rooms: Rooms, pool: Pool, user: User) -> dict[str, str]:
    """Send the code with which a user sets a new password. InvalidParameter without a verified address."""
    attribute = contact_of(pool, user, verified=True)
    return rooms.codes.send(pool, user, "reset", attribute, limits.RESET_CODE_SECONDS).document()


async def confirm_forgot_password(turn: Turn) -> Output:
    """ConfirmForgotPassword."""
    rooms, given = turn.rooms, turn.input
    pool, client = client_of(turn)
    check_policy(given["Password"], pool.password_policy)
    user = rooms.directory.find_user(pool, given["Username"])
    if user is None:
        raise _hidden(client)
    if not user.enabled:
        raise CodeMismatch if client.hides_users else NotAuthorized("User is disabled.")
    _check_code(turn, pool, client, user, "reset")
    await rooms.set_password(pool, user, given["Password"], temporary=False)
    await _confirm(turn, pool, user, client.id, "PostConfirmation_ConfirmForgotPassword")
    turn.save(user)
    return {}


OPERATIONS = {
    "SignUp": Operation(sign_up, signed=False),
    "ConfirmSignUp": Operation(confirm_sign_up, signed=False),
    "ResendConfirmationCode": Operation(resend_code, signed=False),
    "ForgotPassword": Operation(forgot_password, signed=False),
    "ConfirmForgotPassword": Operation(confirm_forgot_password, signed=False),
}
