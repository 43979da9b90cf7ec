"""Signing in: InitiateAuth, RespondToAuthChallenge, and the administrators' forms of both. The corridor.

Flows: USER_PASSWORD_AUTH, USER_SRP_AUTH (`secure_password`), ADMIN_USER_PASSWORD_AUTH, CUSTOM_AUTH (`custom_sign_in`),
REFRESH_TOKEN_AUTH. Challenges: PASSWORD_VERIFIER, NEW_PASSWORD_REQUIRED (`first_factor`), SOFTWARE_TOKEN_MFA, MFA_SETUP
(`second_factor`), CUSTOM_CHALLENGE. USER_AUTH, SMS, e-mail, passkeys and devices are not built and say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.aws.protocol_errors import NotOffered
from trine.cognito import client_proof
from trine.cognito.errors import InvalidParameter, NotAuthorized
from trine.cognito.model import SOFTWARE, Client, Pool, Session
from trine.cognito.operations import custom_sign_in, second_factor, secure_password
from trine.cognito.operations.first_factor import parameter, proved, set_new_password
from trine.cognito.operations.grants import grant_again
from trine.cognito.operations.operation import Operation, Output, Turn
from trine.cognito.passwords import is_right

_ALLOWED_BY = {
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH": "ALLOW_CUSTOM_AUTH",
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
}
_ADMIN_ONLY = frozenset({"ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"})


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
    username = parameter(given, "USERNAME")
    user = turn.rooms.directory.find_user(pool, username)
    client_proof.check(client, given.get("SECRET_HASH"), (username, user.username if user is not None else username))
    if flow == "USER_SRP_AUTH":
        return secure_password.begin(turn, pool, client, user, username, parameter(given, "SRP_A"))
    if flow == "CUSTOM_AUTH":
        return await custom_sign_in.begin(turn, pool, client, user, username)
    right = await is_right(parameter(given, "PASSWORD"), user.password if user is not None else None)
    return await proved(turn, pool, client, user, right=right)


# -- challenges ----------------------------------------------------------------------------------------------------


async def _answer_srp(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    challenge, user, right = secure_password.verify(turn, pool, client, given)
    if not challenge.history or not right:  # a wrong password ends a custom sign-in too, and counts
        return await proved(turn, pool, client, user, right=right)
    result = {"challengeName": "PASSWORD_VERIFIER", "challengeResult": True}
    return await custom_sign_in.go_on(turn, pool, client, user, challenge.login, (*challenge.history, result))


_CHALLENGES = {
    "PASSWORD_VERIFIER": _answer_srp,
    "NEW_PASSWORD_REQUIRED": set_new_password,
    SOFTWARE: second_factor.answer,
    "MFA_SETUP": second_factor.finish_set_up,
    "CUSTOM_CHALLENGE": custom_sign_in.answer,
}


async def _respond(turn: Turn, pool: Pool, client: Client) -> Output:
    name, given = turn.input["ChallengeName"], turn.input.get("ChallengeResponses") or {}
    answer = _CHALLENGES.get(name)
    if answer is None:
        raise NotOffered(f"Trine does not offer the challenge {name}")
    username = parameter(given, "USERNAME")
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
    session = session_of(turn, client, parameter(given, "REFRESH_TOKEN"))
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
