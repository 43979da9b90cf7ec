"""Signing in as the pool's own functions have it (CUSTOM_AUTH): one decides what is asked, one asks, one checks.

Enters the name and every answer, leaves the next challenge, tokens, or a refusal. Each function sees what was asked and
answered before. Source: "Custom authentication challenge Lambda triggers" (developer guide), events field for field.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from trine.cognito import strangers
from trine.cognito.challenges import Challenge
from trine.cognito.errors import InvalidLambdaResponse, InvalidParameter, NotAuthorized, UserNotFound
from trine.cognito.model import Client, Pool, User
from trine.cognito.operations import secure_password
from trine.cognito.operations.first_factor import WRONG, check_state, parameter
from trine.cognito.operations.grants import grant
from trine.cognito.operations.operation import Output, Turn

_NEEDED = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
ROUNDS_MAX = 20
"""Challenges of one sign-in. Trine's own bound: a function that never decides does not ask for ever."""
History = tuple[Mapping[str, Any], ...]


async def begin(turn: Turn, pool: Pool, client: Client, user: User | None, login: str) -> Output:
    """InitiateAuth with the flow CUSTOM_AUTH; with `CHALLENGE_NAME: SRP_A` the password is part of it."""
    if any(turn.rooms.triggers.function_of(pool, trigger) is None for trigger in _NEEDED):
        raise InvalidParameter("Custom auth lambda trigger is not configured for the user pool.")
    if user is None and not client.hides_users:
        raise UserNotFound
    if user is not None:
        check_state(user, turn.rooms.clock.now())
    given = turn.input.get("AuthParameters") or {}
    first = given.get("CHALLENGE_NAME")
    if first not in (None, "SRP_A"):
        raise InvalidParameter("CHALLENGE_NAME can be SRP_A only")
    history: History = () if first is None else ({"challengeName": "SRP_A", "challengeResult": True},)
    return await go_on(turn, pool, client, user, login, history)


async def go_on(turn: Turn, pool: Pool, client: Client, user: User | None, login: str, history: History) -> Output:
    """What DefineAuthChallenge decides after `history`: tokens, an end, or one more challenge."""
    request = {"session": list(history), "clientMetadata": turn.input.get("ClientMetadata")}
    decided = await _ask(turn, pool, client, user, login, "DefineAuthChallenge", request,
                         {"challengeName": None, "issueTokens": None, "failAuthentication": None})  # fmt: skip
    if decided.get("failAuthentication") or (decided.get("issueTokens") and user is None):
        raise NotAuthorized(WRONG)
    if decided.get("issueTokens") and user is not None:
        return await grant(turn, pool, client, user, "TokenGeneration_Authentication")
    if len(history) >= ROUNDS_MAX:
        raise NotAuthorized(WRONG)
    name = decided.get("challengeName")
    if name == "PASSWORD_VERIFIER":
        a_text = parameter(turn.input.get("AuthParameters") or {}, "SRP_A")
        return secure_password.begin(turn, pool, client, user, login, a_text, history)
    if name != "CUSTOM_CHALLENGE":
        raise InvalidLambdaResponse(f"DefineAuthChallenge named the challenge {str(name)[:64]}, which is none here")
    return await _create(turn, pool, client, user, login, history)


async def _create(turn: Turn, pool: Pool, client: Client, user: User | None, login: str, history: History) -> Output:
    request = {
        "challengeName": "CUSTOM_CHALLENGE",
        "session": list(history),
        "clientMetadata": turn.input.get("ClientMetadata"),
    }
    made = await _ask(turn, pool, client, user, login, "CreateAuthChallenge", request,
                      {"publicChallengeParameters": None, "privateChallengeParameters": None,
                       "challengeMetadata": None})  # fmt: skip
    public, private = made.get("publicChallengeParameters") or {}, made.get("privateChallengeParameters") or {}
    if not isinstance(public, dict) or not isinstance(private, dict):
        raise InvalidLambdaResponse("CreateAuthChallenge returned parameters that are no object")
    metadata = made.get("challengeMetadata")
    rooms = turn.rooms
    token = base64.urlsafe_b64encode(rooms.ids.random_bytes(96)).decode()
    rooms.challenges.put(
        token,
        Challenge(
            "CUSTOM_CHALLENGE",
            pool.id,
            client.id,
            user,
            rooms.clock.now() + client.challenge_seconds,
            login=login,
            history=history,
            private=private,
            metadata=None if metadata is None else str(metadata),
        ),
    )
    shown = {str(name): value if isinstance(value, str) else str(value) for name, value in public.items()}
    return {
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": token,
        "ChallengeParameters": {"USERNAME": login if user is None else user.username, **shown},
    }


async def answer(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Output:
    """The answer to CUSTOM_CHALLENGE."""
    said = parameter(given, "ANSWER")
    challenge = turn.rooms.challenges.take(turn.session(), "CUSTOM_CHALLENGE", client.id)
    user = turn.rooms.directory.still_here(challenge.user)
    request = {
        "privateChallengeParameters": challenge.private,
        "challengeAnswer": said,
        "clientMetadata": turn.input.get("ClientMetadata"),
    }
    checked = await _ask(turn, pool, client, user, challenge.login, "VerifyAuthChallengeResponse", request,
                         {"answerCorrect": None})  # fmt: skip
    result = {"challengeName": challenge.name, "challengeResult": checked.get("answerCorrect") is True,
              "challengeMetadata": challenge.metadata}  # fmt: skip
    return await go_on(turn, pool, client, user, challenge.login, (*challenge.history, result))


async def _ask(
    turn: Turn, pool: Pool, client: Client, user: User | None, login: str, trigger: str, request: Mapping[str, Any],
    response: Mapping[str, Any],
) -> Mapping[str, Any]:  # fmt: skip
    # A client that hides people has its functions asked about nobody too, who are told so.
    about = user or strangers.nobody(pool, login)
    told = {**request, "userNotFound": user is None} if client.hides_users else request
    return await turn.rooms.triggers.ask(
        pool, about, client.id, f"{trigger}_Authentication", told, response, turn.trace
    )  # fmt: skip
