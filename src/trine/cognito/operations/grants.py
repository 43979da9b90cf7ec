"""Granting: a person has proved who they are, and gets tokens. The last room of every sign-in.

Enters pool, client and user; leaves `AuthenticationResult`. The PreTokenGeneration trigger may change the claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.cognito.errors import InvalidLambdaResponse, NotAuthorized
from trine.cognito.model import Client, Pool, Session, User
from trine.cognito.operations.operation import Output, Turn
from trine.cognito.tokens import Grant, TokenClaims

_FIXED = frozenset({"sub", "iss", "aud", "client_id", "token_use", "exp", "iat", "auth_time", "jti", "origin_jti",
                    "event_id", "username", "cognito:username"})  # fmt: skip
"""Claims that a trigger cannot change ("Pre token generation Lambda trigger")."""


async def grant(turn: Turn, pool: Pool, client: Client, user: User, source: str) -> Output:
    """A new session and its three tokens."""
    rooms = turn.rooms
    now = rooms.clock.now()
    refresh_token, origin_jti = rooms.mint.refresh_token(), rooms.ids.uuid()
    signed = await _signed(turn, Grant(pool, client, user, origin_jti, now), source)
    if not (rooms.directory.is_here(user) and user.enabled):  # removed or disabled while triggers ran
        raise NotAuthorized("User is disabled.")
    session = Session(
        rooms.mint.digest(refresh_token),
        pool.id,
        client.id,
        user.username,
        origin_jti,
        now,
        now + client.lifetime_seconds("RefreshToken"),
    )
    rooms.directory.save_session(session, now)
    request = {"newDeviceUsed": False, "clientMetadata": turn.input.get("ClientMetadata")}
    await rooms.triggers.ask(pool, user, client.id, "PostAuthentication_Authentication", request, {}, turn.trace)
    return _result({**signed, "RefreshToken": refresh_token})


async def grant_again(turn: Turn, pool: Pool, client: Client, user: User, session: Session) -> Output:
    """New ID and access tokens of a session that goes on."""
    granted = Grant(pool, client, user, session.origin_jti, session.signed_in_at)
    return _result(await _signed(turn, granted, "TokenGeneration_RefreshTokens"))


def _result(tokens: Mapping[str, Any]) -> Output:
    return {"AuthenticationResult": {**tokens, "TokenType": "Bearer"}, "ChallengeParameters": {}}


async def _signed(turn: Turn, granted: Grant, source: str) -> dict[str, Any]:
    mint = turn.rooms.mint
    claims = mint.claims(granted)
    await _let_trigger_change(turn, granted, claims, source)
    return {
        "AccessToken": await mint.sign(granted.pool, claims.access),
        "IdToken": await mint.sign(granted.pool, claims.id),
        "ExpiresIn": granted.client.lifetime_seconds("AccessToken"),
    }


async def _let_trigger_change(turn: Turn, granted: Grant, claims: TokenClaims, source: str) -> None:
    pool, user = granted.pool, granted.user
    found = turn.rooms.triggers.function_of(pool, "PreTokenGeneration")
    if found is None:
        return
    version = found[1]
    request: dict[str, Any] = {
        "groupConfiguration": {
            "groupsToOverride": list(user.groups),
            "iamRolesToOverride": claims.id.get("cognito:roles", []),
            "preferredRole": claims.id.get("cognito:preferred_role"),
        },
        "clientMetadata": turn.input.get("ClientMetadata"),
    }
    if version != "1":
        request["scopes"] = str(claims.access["scope"]).split()
    member = "claimsOverrideDetails" if version == "1" else "claimsAndScopeOverrideDetails"
    answer = await turn.rooms.triggers.ask(pool, user, granted.client.id, source, request, {member: None}, turn.trace)
    details = answer.get(member)
    if details is None:
        return
    try:
        _override_groups(claims, details.get("groupOverrideDetails") or {})
        if version == "1":
            _override(claims.id, details)
            return
        _override(claims.id, details.get("idTokenGeneration") or {})
        access = details.get("accessTokenGeneration") or {}
        _override(claims.access, access)
        suppressed = set(access.get("scopesToSuppress") or ())
        scopes = [one for one in str(claims.access["scope"]).split() if one not in suppressed]
        claims.access["scope"] = " ".join([*scopes, *map(str, access.get("scopesToAdd") or ())])
    except (AttributeError, TypeError):
        raise InvalidLambdaResponse("PreTokenGeneration returned an override that is not of its form") from None


def _override(claims: dict[str, Any], details: Mapping[str, Any]) -> None:
    for name in details.get("claimsToSuppress") or ():
        if name not in _FIXED:
            claims.pop(name, None)
    for name, value in (details.get("claimsToAddOrOverride") or {}).items():
        if name not in _FIXED:
            claims[name] = value


def _override_groups(claims: TokenClaims, details: Mapping[str, Any]) -> None:
    if (groups := details.get("groupsToOverride")) is not None:
        for token in (claims.id, claims.access):
            token["cognito:groups"] = [str(one) for one in groups]
    if (roles := details.get("iamRolesToOverride")) is not None:
        claims.id["cognito:roles"] = [str(one) for one in roles]
    if (preferred := details.get("preferredRole")) is not None:
        claims.id["cognito:preferred_role"] = str(preferred)
