"""Who looks at the console: one-time links, and the sessions that they open.

Enters the token of a link, leaves a session id for a cookie that no script can read. Only hashes are kept, in memory:
a restart ends all sessions. A link opens one session and is void; a second use tells nobody anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict

from trine.aws.ids import Ids
from trine.clock import Clock

SESSION_SECONDS = 12 * 3_600
"""A session ends so long after it was opened, whatever is done with it."""
SESSIONS_MAX = 64
LINKS_MAX = 64
_TOKEN_BYTES = 24


class Sessions:
    """Links and sessions of one stack."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._links: OrderedDict[str, None] = OrderedDict()
        self._sessions: OrderedDict[str, float] = OrderedDict()

    def new_link(self) -> str:
        """A token that opens one session; the oldest unused ones are void beyond the bound."""
        token = self._token()
        self._links[_digest(token)] = None
        while len(self._links) > LINKS_MAX:
            self._links.popitem(last=False)
        return token

    def redeem(self, token: str) -> str | None:
        """The id of a new session for the token of a link; None when it is unknown or was used."""
        if _digest(token) not in self._links:
            return None
        del self._links[_digest(token)]
        session = self._token()
        self._sessions[_digest(session)] = self._clock.now() + SESSION_SECONDS
        while len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)
        return session

    def is_open(self, session: str) -> bool:
        """Whether the cookie's session was opened here and has not ended."""
        ends_at = self._sessions.get(_digest(session))
        if ends_at is None:
            return False
        if ends_at <= self._clock.now():
            del self._sessions[_digest(session)]
            return False
        return True

    def end(self, session: str) -> None:
        """Sign out."""
        self._sessions.pop(_digest(session), None)

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self._ids.random_bytes(_TOKEN_BYTES)).decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
