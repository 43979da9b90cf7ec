"""Signing in: InitiateAuth, RespondToAuthChallenge, and the administrators' forms of both.

Flows: USER_PASSWORD_AUTH, USER_SRP_AUTH, ADMIN_USER_PASSWORD_AUTH, REFRESH_TOKEN_AUTH; challenges PASSWORD_VERIFIER and
NEW_PASSWORD_REQUIRED. CUSTOM_AUTH, USER_AUTH and MFA are not built and say so.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from typing import Any

from trine.aws.protocol_errors import NotOffered
from trine.cognito import attributes as user_attributes
from trine.cognito import client_proof, srp, strangers
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
from trine.cognito.model import Client, Pool, Session, User
from trine.cognito.operations.account import change_attributes
from trine.cognito.operations.grants import grant, grant_again
from trine.cognito.operations.operation import Operation, Output, Turn
from trine.cognito.passwords import check_policy, is_right

WRONG = "Incorrect username or password."
_ALLOWED_BY = {
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
}
_ADMIN_ONLY = frozenset({"ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"})
_SECRET_BLOCK_BYTES = 64


async def initiate_auth(turn: Turn) -> Output:
    """InitiateAuth."""
    client = turn.rooms.directory.client(turn.input["ClientId"])
    if turn.input["AuthFlow"] in _ADMIN_ONLY:
        raise InvalidParameter("Initiate Auth method not supported.")
    return await _initiate(turn, turn.rooms.directory.pool(client.pool_id), client)


async def admin_initiate_auth(turn: Turn) -> Output:
    """AdminInitiateAuth."""
    pool = turn.pool()
    if turn.input["AuthFlow"] == "USER_PASSWORD_AUTH":
        raise InvalidParameter("Initiate Auth method not supported.")
    return await _initiate(turn, pool, turn.rooms.directory.client(turn.input["ClientId"], pool.id))


async def _initiate(turn: Turn, pool: Pool, client: Client) -> Output:
    flow = turn.input["AuthFlow"]
    given = turn.input.get("AuthParameters") or {}
    allowed = _ALLOWED_BY.get(flow)
    if allowed is None:
        raise NotOffered(f"Trine does not offer the flow {flow}")
    if allowed not in client.flows:
        raise InvalidParameter(
            "Auth flow not enabled for this client"
            if flow in _ADMIN_ONLY
            else f"{flow} flow not enabled for this client"
        )
    if allowed == "ALLOW_REFRESH_TOKEN_AUTH":
        return await _refresh(turn, pool, client, given)
    username = _parameter(given, "USERNAME")
    user = turn.rooms.directory.find_user(pool, username)
    client_proof.check(client, given.get("SECRET_HASH"), (username, user.username if user is not None else username))
    if flow == "USER_SRP_AUTH":
        return _begin_srp(turn, pool, client, user, username, _parameter(given, "SRP_A"))
    right = await is_right(_parameter(given, "PASSWORD"), user.password if user is not None else None)
    return await _proved(turn, pool, client, user, right=right)


def _parameter(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not value:
        raise InvalidParameter(f"Missing required parameter {name}")
    return str(value)


async def _proved(turn: Turn, pool: Pool, client: Client, user: User | None, *, right: bool) -> Output:
    """The password was right or not: lock, refuse, ask for a new one, or grant."""
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
    _check_state(user, now)
    metadata = turn.input.get("ClientMetadata")
    request = {"validationData": metadata, "userNotFound": False}
    await turn.rooms.triggers.ask(pool, user, client.id, "PreAuthentication_Authentication", request, {}, turn.trace)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return _ask_new_password(turn, pool, client, user)
    return await grant(turn, pool, client, user, "TokenGeneration_Authentication")


def _check_state(user: User, now: float) -> None:
    if not user.enabled:
        raise NotAuthorized("User is disabled.")
    if user.status == "UNCONFIRMED":
        raise UserNotConfirmed
    if user.status == "RESET_REQUIRED":
        raise PasswordResetRequired
    if user.temporary_until is not None and user.temporary_until <= now:
        raise NotAuthorized("Temporary password has expired and must be reset by an administrator.")


# -- SRP -----------------------------------------------------------------------------------------------------------


def _begin_srp(turn: Turn, pool: Pool, client: Client, user: User | None, username: str, a_text: str) -> Output:
    rooms = turn.rooms
    known = user is not None and user.password is not None
    if user is None and not client.hides_users:
        raise UserNotFound
    user_id, salt, kept = strangers.signing_in(rooms.vault, pool, username)
    if known and user is not None:
        user_id, salt, kept = user.username, user.srp_salt, rooms.verifier_of(user)
    elif user is not None:
        user_id = user.username
    b_secret = int.from_bytes(rooms.ids.random_bytes(srp.SECRET_EXPONENT_BYTES), "big")
    try:
        exchange = srp.begin(int(a_text[:2_048], 16), kept, b_secret)
    except ValueError:
        raise InvalidParameter("SRP_A is not a valid public value") from None
    block = base64.b64encode(rooms.ids.random_bytes(_SECRET_BLOCK_BYTES)).decode()
    ends_at = rooms.clock.now() + client.challenge_seconds
    named = user.username if known and user is not None else None
    turn.rooms.challenges.put(block, Challenge("PASSWORD_VERIFIER", pool.id, client.id, named, ends_at, exchange))
    return {
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeParameters": {
            "SALT": salt,
            "SECRET_BLOCK": block,
            "SRP_B": f"{exchange.b_public:x}",
            "USERNAME": user_id,
            "USER_ID_FOR_SRP": user_id,
        },
    }


async def _verify_srp(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    block = _parameter(given, "PASSWORD_CLAIM_SECRET_BLOCK")
    signature = _parameter(given, "PASSWORD_CLAIM_SIGNATURE")
    timestamp = _parameter(given, "TIMESTAMP")
    challenge = turn.rooms.challenges.take(block, "PASSWORD_VERIFIER", client.id)
    assert challenge.exchange is not None
    user = turn.rooms.directory.find_user(pool, challenge.username) if challenge.username is not None else None
    if user is not None and user.verifier:
        kept = turn.rooms.verifier_of(user)
    else:  # nobody: the same arithmetic, so that the time tells nothing
        user, kept = None, strangers.signing_in(turn.rooms.vault, pool, _parameter(given, "USERNAME")).verifier
    try:
        raw_block = base64.b64decode(block, validate=True)
    except binascii.Error:
        raise NotAuthorized(WRONG) from None
    key = srp.session_key(challenge.exchange, kept)
    claimed = srp.claim(key, pool.short_name, user.username if user is not None else "", raw_block, timestamp)
    right = hmac.compare_digest(claimed.encode(), signature.encode("utf-8", "replace"))
    if user is None:
        raise NotAuthorized(WRONG)
    return await _proved(turn, pool, client, user, right=right)


# -- challenges ----------------------------------------------------------------------------------------------------


def _ask_new_password(turn: Turn, pool: Pool, client: Client, user: User) -> Output:
    rooms = turn.rooms
    token = base64.urlsafe_b64encode(rooms.ids.random_bytes(96)).decode()
    ends_at = rooms.clock.now() + client.challenge_seconds
    rooms.challenges.put(token, Challenge("NEW_PASSWORD_REQUIRED", pool.id, client.id, user.username, ends_at))
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


async def _set_new_password(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    rooms = turn.rooms
    password = _parameter(given, "NEW_PASSWORD")
    token = turn.input.get("Session")
    if not token:
        raise InvalidParameter("Missing required parameter Session")
    challenge = rooms.challenges.take(token, "NEW_PASSWORD_REQUIRED", client.id)
    user = rooms.directory.find_user(pool, challenge.username or "")
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
    return await grant(turn, pool, client, user, "TokenGeneration_NewPasswordChallenge")


_CHALLENGES = {"PASSWORD_VERIFIER": _verify_srp, "NEW_PASSWORD_REQUIRED": _set_new_password}


async def _respond(turn: Turn, pool: Pool, client: Client) -> Output:
    name, given = turn.input["ChallengeName"], turn.input.get("ChallengeResponses") or {}
    answer = _CHALLENGES.get(name)
    if answer is None:
        raise NotOffered(f"Trine does not offer the challenge {name}")
    username = _parameter(given, "USERNAME")
    user = turn.rooms.directory.find_user(pool, username)
    client_proof.check(client, given.get("SECRET_HASH"), (username, user.username if user is not None else username))
    return await answer(turn, pool, client, given)


async def respond_to_auth_challenge(turn: Turn) -> Output:
    """RespondToAuthChallenge."""
    client = turn.rooms.directory.client(turn.input["ClientId"])
    return await _respond(turn, turn.rooms.directory.pool(client.pool_id), client)


async def admin_respond_to_auth_challenge(turn: Turn) -> Output:
    """AdminRespondToAuthChallenge."""
    pool = turn.pool()
    return await _respond(turn, pool, turn.rooms.directory.client(turn.input["ClientId"], pool.id))


# -- refreshing ----------------------------------------------------------------------------------------------------


async def _refresh(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    session = session_of(turn, client, _parameter(given, "REFRESH_TOKEN"))
    user = turn.rooms.directory.find_user(pool, session.username)
    if user is None or not user.enabled:
        raise NotAuthorized("User is disabled." if user is not None else "Invalid Refresh Token")
    client_proof.check(client, given.get("SECRET_HASH"), (user.username, user.sub))
    return await grant_again(turn, pool, client, user, session)


def session_of(turn: Turn, client: Client, refresh_token: str) -> Session:
    """The session behind a refresh token of this client. NotAuthorized."""
    session = turn.rooms.directory.sessions.get(turn.rooms.mint.digest(refresh_token))
    if session is None or session.client_id != client.id:
        raise NotAuthorized("Invalid Refresh Token")
    if session.expires_at <= turn.rooms.clock.now():
        raise NotAuthorized("Refresh Token has expired")
    return session


async def get_tokens_from_refresh_token(turn: Turn) -> Output:
    """GetTokensFromRefreshToken: as the flow REFRESH_TOKEN_AUTH; refresh tokens are not rotated."""
    client = turn.rooms.directory.client(turn.input["ClientId"])
    client_proof.check_secret(
        client, turn.input.get("ClientSecret", ""), f"Unable to verify secret hash for client {client.id}"
    )
    pool = turn.rooms.directory.pool(client.pool_id)
    session = session_of(turn, client, turn.input["RefreshToken"])
    user = turn.rooms.directory.find_user(pool, session.username)
    if user is None or not user.enabled:
        raise NotAuthorized("User is disabled." if user is not None else "Invalid Refresh Token")
    return await grant_again(turn, pool, client, user, session)


OPERATIONS = {
    "InitiateAuth": Operation(initiate_auth, signed=False),
    "RespondToAuthChallenge": Operation(respond_to_auth_challenge, signed=False),
    "GetTokensFromRefreshToken": Operation(get_tokens_from_refresh_token, signed=False),
    "AdminInitiateAuth": Operation(admin_initiate_auth),
    "AdminRespondToAuthChallenge": Operation(admin_respond_to_auth_challenge),
}
