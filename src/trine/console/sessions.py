"""Who looks at the console: one-time links, and the sessions that they open.

Enters the token of a link, leaves a session id for a cookie that no script can read, and a key for the page. A cookie
goes to every port of a host, so to whatever function answers at the front door; the key lies with the page's own
origin, and nothing is shown without both. Only hashes are kept, in memory: a restart ends all sessions. A link opens
one session and is void; a second use tells nobody anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from typing import NamedTuple

from trine.aws.ids import Ids
from trine.clock import Clock

SESSION_SECONDS = 12 * 3_600
"""A session ends so long after it was opened, whatever is done with it."""
SESSIONS_MAX = 64
LINKS_MAX = 64
_TOKEN_BYTES = 24


class Opened(NamedTuple):
    """What a link gave: the session for the cookie, and the key for the page."""

    session: str
    key: str


class _Session(NamedTuple):
    ends_at: float
    key_digest: str


class Sessions:
    """Links and sessions of one stack."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._links: OrderedDict[str, None] = OrderedDict()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def new_link(self) -> str:
        """A token that opens one session; the oldest unused ones are void beyond the bound."""
        token = self._token()
        self._links[_digest(token)] = None
        while len(self._links) > LINKS_MAX:
            self._links.popitem(last=False)
        return token

    def redeem(self, token: str) -> Opened | None:
        """A new session for the token of a link; None when it is unknown or was used."""
        if _digest(token) not in self._links:
            return None
        del self._links[_digest(token)]
        opened = Opened(self._token(), self._token())
        ends_at = self._clock.now() + SESSION_SECONDS
        self._sessions[_digest(opened.session)] = _Session(ends_at, _digest(opened.key))
        while len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)
        return opened

    def is_open(self, session: str) -> bool:
        """Whether the cookie's session was opened here and has not ended."""
        found = self._sessions.get(_digest(session))
        if found is None:
            return False
        if found.ends_at <= self._clock.now():
            del self._sessions[_digest(session)]
            return False
        return True

    def is_key_of(self, session: str, key: str) -> bool:
        """Whether the page that asks is the one that this session's link opened."""
        return self.is_open(session) and hmac.compare_digest(self._sessions[_digest(session)].key_digest, _digest(key))

    def end(self, session: str) -> None:
        """Sign out."""
        self._sessions.pop(_digest(session), None)

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self._ids.random_bytes(_TOKEN_BYTES)).decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
