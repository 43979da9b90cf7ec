"""Sign-ins under way: what was asked of a person and not yet answered. In memory, with an end and a bound.

A challenge is answered once: `take` removes it, so nothing can be played again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trine.clock import Clock
from trine.cognito import limits, srp
from trine.cognito.errors import NotAuthorized
from trine.cognito.model import User


@dataclass(frozen=True, slots=True)
class Challenge:
    """Who is signing in through which client, and what the answer will be held against."""

    name: str
    pool_id: str
    client_id: str
    user: User | None
    """None for a user who does not exist: the answer is wrong whatever it is."""
    ends_at: float
    exchange: srp.Exchange | None = None
    """The exchange by SRP that the password is proved in."""
    secret: bytes = b""
    """The authenticator's secret that is being set up."""
    is_set_up: bool = False
    """A code of that secret was right."""
    login: str = ""
    """The name that was given, of a custom sign-in."""
    history: tuple[Mapping[str, Any], ...] = ()
    """The answered challenges of a custom sign-in; empty in every other one."""
    private: Mapping[str, Any] = field(default_factory=dict)
    """What CreateAuthChallenge told for VerifyAuthChallengeResponse alone."""
    metadata: str | None = None
    """What CreateAuthChallenge told for DefineAuthChallenge."""


class Challenges:
    """Challenges by the opaque text that their answers bring back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Challenge] = OrderedDict()

    def put(self, token: str, challenge: Challenge) -> None:
        """Remember a challenge; the oldest are forgotten beyond the bound."""
        self._open[token] = challenge
        while len(self._open) > limits.CHALLENGES_MAX:
            self._open.popitem(last=False)

    def take(self, token: str, name: str, client_id: str | None = None) -> Challenge:
        """The challenge, used up. NotAuthorized when there is none of that name for this client, or it has ended.

        Operations on a session that name no client give none.
        """
        found = self._open.pop(token, None)
        if found is None or found.name != name or client_id not in (None, found.client_id):
            raise NotAuthorized("Invalid session for the user.")
        if found.ends_at <= self._clock.now():
            raise NotAuthorized("Invalid session for the user, session is expired.")
        return found
