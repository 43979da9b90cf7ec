"""The second factor: an authenticator application, set up by its owner and asked for at sign-in.

Enters somebody whose first factor was right, leaves tokens or the challenge SOFTWARE_TOKEN_MFA or MFA_SETUP. Codes by
SMS and e-mail, passkeys and remembered devices are not built: a pool that demands them says so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trine.aws.protocol_errors import NotOffered
from trine.cognito import second_secret
from trine.cognito.challenges import Challenge
from trine.cognito.errors import (
    CodeMismatch,
    EnableSoftwareTokenMFA,
    ExpiredCode,
    InvalidParameter,
    NotAuthorized,
    SoftwareTokenMFANotFound,
)
from trine.cognito.lockout import count_wrong_code
from trine.cognito.model import SOFTWARE, Client, Pool, User
from trine.cognito.operations.grants import grant
from trine.cognito.operations.operation import Operation, Output, Rooms, Turn

_OTHERS = {"SMSMfaSettings": "SMS", "EmailMfaSettings": "e-mail", "WebAuthnMfaSettings": "passkeys"}


async def go_on(turn: Turn, pool: Pool, client: Client, user: User, source: str) -> Output:
    """The first factor was right: tokens, unless the pool or the user wants a second one."""
    wanted = pool.mfa == "ON" or (pool.mfa == "OPTIONAL" and user.software_token_wanted)
    if not wanted:
        return await grant(turn, pool, client, user, source)
    if not pool.software_tokens:
        raise NotOffered(f"{pool.id} demands codes by SMS or e-mail, which Trine does not offer; use {SOFTWARE}")
    if user.software_token:
        shown = {"USER_ID_FOR_SRP": user.username}
        if user.software_token_device:
            shown["FRIENDLY_DEVICE_NAME"] = user.software_token_device
        return _challenge(turn, pool, client, user, SOFTWARE, shown)
    shown = {"USER_ID_FOR_SRP": user.username, "MFAS_CAN_SETUP": json.dumps([SOFTWARE])}
    return _challenge(turn, pool, client, user, "MFA_SETUP", shown)


def _challenge(turn: Turn, pool: Pool, client: Client, user: User, name: str, shown: Mapping[str, str]) -> Output:
    ends_at = turn.rooms.clock.now() + client.challenge_seconds
    token = _keep(turn.rooms, Challenge(name, pool.id, client.id, user, ends_at))
    return {"ChallengeName": name, "Session": token, "ChallengeParameters": shown}


def _keep(rooms: Rooms, challenge: Challenge) -> str:
    token = base64.urlsafe_b64encode(rooms.ids.random_bytes(96)).decode()
    rooms.challenges.put(token, challenge)
    return token


# -- at sign-in ----------------------------------------------------------------------------------------------------


async def answer(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    """The answer to SOFTWARE_TOKEN_MFA. A wrong code counts as a wrong password; the same session may try again."""
    rooms = turn.rooms
    code = given.get("SOFTWARE_TOKEN_MFA_CODE")
    if not code:
        raise InvalidParameter("Missing required parameter SOFTWARE_TOKEN_MFA_CODE")
    token = turn.session()
    challenge = rooms.challenges.take(token, SOFTWARE, client.id)
    user = rooms.directory.still_here(challenge.user)
    if user is None or not user.enabled:
        raise NotAuthorized("Invalid session for the user.")
    now = rooms.clock.now()
    if user.locked_until > now:
        raise NotAuthorized("Password attempts exceeded")
    step = second_secret.step_of(_secret_of(rooms, user), str(code), now)
    if step is None:
        count_wrong_code(user, now)
        turn.save(user)
        rooms.challenges.put(token, challenge)
        raise CodeMismatch("Invalid code received for user")
    if step <= user.software_token_step:
        rooms.challenges.put(token, challenge)
        raise ExpiredCode("Your software token has already been used once.")
    user.software_token_step, user.wrong_codes = step, 0
    turn.save(user)
    return await grant(turn, pool, client, user, "TokenGeneration_Authentication")


async def finish_set_up(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    """The answer to MFA_SETUP: its session is the one that VerifySoftwareToken gave."""
    challenge = turn.rooms.challenges.take(turn.session(), "MFA_SETUP", client.id)
    user = turn.rooms.directory.still_here(challenge.user)
    if user is None or not user.enabled or not challenge.is_set_up:
        raise NotAuthorized("Invalid session for the user.")
    return await grant(turn, pool, client, user, "TokenGeneration_Authentication")


# -- setting up ----------------------------------------------------------------------------------------------------


async def associate(turn: Turn) -> Output:
    """AssociateSoftwareToken: a new secret, by an access token or within MFA_SETUP."""
    rooms = turn.rooms
    secret = rooms.ids.random_bytes(second_secret.SECRET_BYTES)
    shown = {"SecretCode": second_secret.written(secret)}
    if turn.input.get("AccessToken"):
        pool, _, user, _ = await rooms.mint.owner_of(turn.input["AccessToken"])
        _check_offered(pool)
        user.software_token_pending = rooms.vault.seal(_name(user), secret)
        turn.save(user)
        return shown
    challenge = rooms.challenges.take(turn.session(), "MFA_SETUP")
    return {**shown, "Session": _keep(rooms, replace(challenge, secret=secret))}


async def verify(turn: Turn) -> Output:
    """VerifySoftwareToken: a first code shows that the application has the secret."""
    rooms, code = turn.rooms, turn.input["UserCode"]
    if turn.input.get("AccessToken"):
        pool, _, user, _ = await rooms.mint.owner_of(turn.input["AccessToken"])
        _check_offered(pool)
        if not user.software_token_pending:
            raise EnableSoftwareTokenMFA("The user has no secret yet: call AssociateSoftwareToken first")
        await _accept(turn, user, rooms.vault.unseal(_name(user), user.software_token_pending), code)
        return {"Status": "SUCCESS"}
    token = turn.session()
    challenge = rooms.challenges.take(token, "MFA_SETUP")
    user_setting_up = rooms.directory.still_here(challenge.user)
    if user_setting_up is None or not challenge.secret:
        raise NotAuthorized("Invalid session for the user.")
    try:
        await _accept(turn, user_setting_up, challenge.secret, code)
    except EnableSoftwareTokenMFA:
        rooms.challenges.put(token, challenge)  # a mistyped code may be typed again
        raise
    user_setting_up.software_token_wanted = True
    turn.save(user_setting_up)
    return {"Status": "SUCCESS", "Session": _keep(rooms, replace(challenge, secret=b"", is_set_up=True))}


async def _accept(turn: Turn, user: User, secret: bytes, code: str) -> None:
    rooms, now = turn.rooms, turn.rooms.clock.now()
    if user.locked_until > now:
        raise NotAuthorized("Password attempts exceeded")
    step = second_secret.step_of(secret, code, now)
    if step is None:
        count_wrong_code(user, now)
        turn.save(user)
        raise EnableSoftwareTokenMFA("Code mismatch and fail enable Software Token MFA")
    user.software_token = rooms.vault.seal(_name(user), secret)
    user.software_token_pending, user.software_token_step, user.wrong_codes = "", step, 0
    user.software_token_device = str(turn.input.get("FriendlyDeviceName") or "")
    turn.save(user)


def _name(user: User) -> str:
    return f"{user.pool_id}/{user.sub}/software-token"


def _secret_of(rooms: Rooms, user: User) -> bytes:
    if not user.software_token:
        raise SoftwareTokenMFANotFound("Software Token MFA does not exist for the user.")
    return rooms.vault.unseal(_name(user), user.software_token)


def _check_offered(pool: Pool) -> None:
    if pool.mfa == "OFF" or not pool.software_tokens:
        raise SoftwareTokenMFANotFound("Software Token MFA has not been enabled by the userPool")


# -- wishes --------------------------------------------------------------------------------------------------------


async def set_preference(turn: Turn) -> Output:
    """SetUserMFAPreference."""
    pool, _, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    return _prefer(turn, pool, user)


async def admin_set_preference(turn: Turn) -> Output:
    """AdminSetUserMFAPreference."""
    pool = turn.pool()
    return _prefer(turn, pool, turn.user(pool))


def _prefer(turn: Turn, pool: Pool, user: User) -> Output:
    for member, name in _OTHERS.items():
        if (turn.input.get(member) or {}).get("Enabled"):
            raise NotOffered(f"Trine does not offer a second factor by {name}; use SoftwareTokenMfaSettings")
    wish = turn.input.get("SoftwareTokenMfaSettings")
    if wish is not None:
        enabled = bool(wish.get("Enabled"))
        if enabled and not user.software_token:
            raise InvalidParameter("User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA")
        if wish.get("PreferredMfa") and not enabled:
            raise InvalidParameter("A factor that is not enabled cannot be the preferred one")
        user.software_token_wanted, user.software_token_preferred = enabled, enabled and bool(wish.get("PreferredMfa"))
        turn.save(user)
    return {}


# -- the pool's rule -----------------------------------------------------------------------------------------------


async def set_pool_config(turn: Turn) -> Output:
    """SetUserPoolMfaConfig."""
    pool, given = turn.pool(), turn.input
    for member, name in (("SmsMfaConfiguration", "SMS"), ("EmailMfaConfiguration", "e-mail"),
                         ("WebAuthnConfiguration", "passkeys")):  # fmt: skip
        if given.get(member):
            raise NotOffered(f"Trine does not offer a second factor by {name}; use SoftwareTokenMfaConfiguration")
    wanted = given.get("MfaConfiguration", "OFF")
    software = dict(given.get("SoftwareTokenMfaConfiguration") or {"Enabled": False})
    if wanted != "OFF" and not software.get("Enabled"):
        raise InvalidParameter("Invalid MFA configuration given, can't turn on MFA without a method.")
    pool.settings |= {"MfaConfiguration": wanted, "SoftwareTokenMfaConfiguration": software}
    pool.settings.pop("EnabledMfas", None)
    pool.modified_at = turn.rooms.clock.now()
    turn.rooms.directory.save_pool(pool)
    return _config(pool)


async def get_pool_config(turn: Turn) -> Output:
    """GetUserPoolMfaConfig."""
    return _config(turn.pool())


def _config(pool: Pool) -> Output:
    return {"MfaConfiguration": pool.mfa, "SoftwareTokenMfaConfiguration": {"Enabled": pool.software_tokens}}


OPERATIONS = {
    "AssociateSoftwareToken": Operation(associate, signed=False),
    "VerifySoftwareToken": Operation(verify, signed=False),
    "SetUserMFAPreference": Operation(set_preference, signed=False),
    "AdminSetUserMFAPreference": Operation(admin_set_preference),
    "SetUserPoolMfaConfig": Operation(set_pool_config),
    "GetUserPoolMfaConfig": Operation(get_pool_config),
}
