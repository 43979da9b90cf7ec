"""Signing in by SRP: the server's two steps. The arithmetic is `srp`'s, what is said of nobody `strangers`'.

Enters `SRP_A`, leaves the challenge PASSWORD_VERIFIER; enters its answer, leaves who it is and whether the password was
right. Somebody who does not exist costs the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from trine.cognito import srp, strangers
from trine.cognito.challenges import Challenge
from trine.cognito.errors import InvalidParameter, NotAuthorized, UserNotFound
from trine.cognito.model import Client, Pool, User
from trine.cognito.operations.first_factor import WRONG, parameter
from trine.cognito.operations.operation import Output, Turn

_SECRET_BLOCK_BYTES = 64
_A_MAX_DIGITS = 2_048


class Verified(NamedTuple):
    """What an answer to PASSWORD_VERIFIER proved."""

    challenge: Challenge
    user: User
    right: bool


def begin(
    turn: Turn, pool: Pool, client: Client, user: User | None, login: str, a_text: str,
    history: tuple[Mapping[str, Any], ...] = (),
) -> Output:  # fmt: skip
    """The challenge PASSWORD_VERIFIER; `history` are the challenges before it in a custom sign-in.

    UserNotFound where the client does not hide people, InvalidParameter for a value that would give the key away.
    """
    rooms = turn.rooms
    known = user is not None and user.password is not None
    if user is None and not client.hides_users:
        raise UserNotFound
    user_id, salt, kept = strangers.signing_in(rooms.vault, pool, login)
    if known and user is not None:
        user_id, salt, kept = user.username, user.srp_salt, rooms.verifier_of(user)
    elif user is not None:
        user_id = user.username
    b_secret = int.from_bytes(rooms.ids.random_bytes(srp.SECRET_EXPONENT_BYTES), "big")
    try:
        exchange = srp.begin(int(a_text[:_A_MAX_DIGITS], 16), kept, b_secret)
    except ValueError:
        raise InvalidParameter("SRP_A is not a valid public value") from None
    block = base64.b64encode(rooms.ids.random_bytes(_SECRET_BLOCK_BYTES)).decode()
    ends_at = rooms.clock.now() + client.challenge_seconds
    named = user if known else None
    challenge = Challenge(
        "PASSWORD_VERIFIER", pool.id, client.id, named, ends_at, exchange, login=login, history=history
    )
    rooms.challenges.put(block, challenge)
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


def verify(turn: Turn, pool: Pool, client: Client, given: Mapping[str, Any]) -> Verified:
    """Hold the answer against what was begun. NotAuthorized when that is over, or nobody's."""
    block = parameter(given, "PASSWORD_CLAIM_SECRET_BLOCK")
    signature = parameter(given, "PASSWORD_CLAIM_SIGNATURE")
    timestamp = parameter(given, "TIMESTAMP")
    challenge = turn.rooms.challenges.take(block, "PASSWORD_VERIFIER", client.id)
    assert challenge.exchange is not None
    user = turn.rooms.directory.still_here(challenge.user)
    if user is not None and user.verifier:
        kept = turn.rooms.verifier_of(user)
    else:  # nobody: the same arithmetic, so that the time tells nothing
        user, kept = None, strangers.signing_in(turn.rooms.vault, pool, parameter(given, "USERNAME")).verifier
    try:
        raw_block = base64.b64decode(block, validate=True)
    except binascii.Error:
        raise NotAuthorized(WRONG) from None
    key = srp.session_key(challenge.exchange, kept)
    claimed = srp.claim(key, pool.short_name, user.username if user is not None else "", raw_block, timestamp)
    right = hmac.compare_digest(claimed.encode(), signature.encode("utf-8", "replace"))
    if user is None:
        raise NotAuthorized(WRONG)
    return Verified(challenge, user, right)
