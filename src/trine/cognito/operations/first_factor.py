"""After a password was looked at: lock, refuse, ask for a new one, or go on to the second factor.

Enters a user and whether the password was right; leaves a challenge or tokens. Flows by password and by SRP meet here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from trine.cognito import attributes as user_attributes
from trine.cognito.challenges import Challenge
from trine.cognito.errors import (
    CognitoError,
    InvalidParameter,
    NotAuthorized,
    PasswordResetRequired,
    UserNotConfirmed,
    UserNotFound,
)
from trine.cognito.lockout import count_wrong
from trine.cognito.model import Client, Pool, User
from trine.cognito.operations.account import change_attributes
from trine.cognito.operations.operation import Output, Turn
from trine.cognito.operations.second_factor import go_on
from trine.cognito.passwords import check_policy

WRONG = "Incorrect username or password."


def parameter(given: Mapping[str, Any], name: str) -> str:
    """One of `AuthParameters` or `ChallengeResponses`. InvalidParameter without it."""
    value = given.get(name)
    if not value:
        raise InvalidParameter(f"Missing required parameter {name}")
    return str(value)


async def proved(turn: Turn, pool: Pool, client: Client, user: User | None, *, right: bool) -> Output:
    """The password was right or not: lock, refuse, ask for a new one, or go on."""
    now = turn.rooms.clock.now()
    if user is None:
        raise NotAuthorized(WRONG) if client.hides_users else UserNotFound()
    if user.locked_until > now:
        # Nobody is locked who does not exist: a client that hides people does not say so of anyone.
        raise NotAuthorized(WRONG if client.hides_users else "Password attempts exceeded")
    if not right:
        count_wrong(user, now)
        turn.save(user)
        raise NotAuthorized(WRONG)
    if user.wrong_passwords:
        user.wrong_passwords = 0
        turn.save(user)
    check_state(user, now)
    metadata = turn.input.get("ClientMetadata")
    request = {"validationData": metadata, "userNotFound": False}
    await turn.rooms.triggers.ask(pool, user, client.id, "PreAuthentication_Authentication", request, {}, turn.trace)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return _ask_new_password(turn, pool, client, user)
    return await go_on(turn, pool, client, user, "TokenGeneration_Authentication")


def check_state(user: User, now: float) -> None:
    """Whether the account may sign in at all. NotAuthorized, UserNotConfirmed, PasswordResetRequired."""
    if not user.enabled:
        raise NotAuthorized("User is disabled.")
    if user.status == "UNCONFIRMED":
        raise UserNotConfirmed
    if user.status == "RESET_REQUIRED":
        raise PasswordResetRequired
    if user.temporary_until is not None and user.temporary_until <= now:
        raise NotAuthorized("Temporary password has expired and must be reset by an administrator.")


def _ask_new_password(turn: Turn, pool: Pool, client: Client, user: User) -> Output:
    rooms = turn.rooms
    token = base64.urlsafe_b64encode(rooms.ids.random_bytes(96)).decode()
    ends_at = rooms.clock.now() + client.challenge_seconds
    rooms.challenges.put(token, Challenge("NEW_PASSWORD_REQUIRED", pool.id, client.id, user, ends_at))
    required = [
        f"userAttributes.{entry['Name']}"
        for entry in pool.settings.get("Schema") or ()
        if entry.get("Required") and not user.attributes.get(str(entry.get("Name")))
    ]
    shown = {name: value for name, value in user.attributes.items() if name != "sub"}
    return {
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": token,
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": user.username,
            "requiredAttributes": json.dumps(required),
            "userAttributes": json.dumps(shown),
        },
    }


async def set_new_password(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    """The answer to NEW_PASSWORD_REQUIRED."""
    rooms = turn.rooms
    password = parameter(given, "NEW_PASSWORD")
    token = turn.session()
    challenge = rooms.challenges.take(token, "NEW_PASSWORD_REQUIRED", client.id)
    user = rooms.directory.still_here(challenge.user)
    if user is None or user.status != "FORCE_CHANGE_PASSWORD":
        raise NotAuthorized("Invalid session for the user.")
    prefix = "userAttributes."
    changed = {name.removeprefix(prefix): str(value) for name, value in given.items() if name.startswith(prefix)}
    try:
        check_policy(password, pool.password_policy)
        user_attributes.check_required(pool, {**user.attributes, **changed})
        change_attributes(rooms, pool, user, changed, admin=False, client=client)
    except CognitoError:
        rooms.challenges.put(token, challenge)  # a password that is too weak may be tried again
        raise
    await rooms.set_password(pool, user, password, temporary=False)
    user.status = "CONFIRMED"
    turn.save(user)
    return await go_on(turn, pool, client, user, "TokenGeneration_NewPasswordChallenge")
