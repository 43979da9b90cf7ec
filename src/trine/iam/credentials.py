"""Credentials by access key id: long-term keys of users and temporary sessions with their expiry and revocation.

Long-term keys live in the catalogue; sessions only in memory, they die with the process. Nothing here ever prints a
secret. Enters an access key id, leaves the `Credential` that the signature is checked against.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from trine.aws.ids import Ids
from trine.clock import Clock
from trine.iam import limits
from trine.iam.errors import LimitExceeded
from trine.iam.principal import AccessKey, Principal, Session

_TOKEN_RANDOM_BYTES = 96


class Credential:
    """What a signature is checked against: a secret, perhaps a token and an end, and whom it speaks for."""

    __slots__ = ("access_key", "access_key_id", "principal", "secret", "session", "token")

    def __init__(self, holder: AccessKey | Session) -> None:
        self.access_key_id = holder.access_key_id
        self.secret = holder.secret_access_key
        self.principal = holder.principal
        self.session = holder if isinstance(holder, Session) else None
        self.access_key = holder if isinstance(holder, AccessKey) else None
        self.token = holder.session_token.encode() if isinstance(holder, Session) else b""

    def __repr__(self) -> str:
        return f"Credential({self.access_key_id})"


class CredentialStore:
    """Every credential that counts now."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._known: dict[str, Credential] = {}
        self._sessions = 0

    def find(self, access_key_id: str) -> Credential | None:
        """The credential, expired or not, or None when it is unknown, inactive or revoked."""
        found = self._known.get(access_key_id)
        if found is None or (found.access_key is not None and not found.access_key.active):
            return None
        return None if found.session is not None and found.session.revoked else found

    def add_key(self, key: AccessKey) -> None:
        """Let a long-term key count from now on; also replaces one (made active or inactive)."""
        self._known[key.access_key_id] = Credential(key)

    def remove_key(self, access_key_id: str) -> None:
        """Forget a long-term key."""
        self._known.pop(access_key_id, None)

    def new_secret(self) -> str:
        """A secret of 40 characters, as AWS makes them."""
        return base64.b64encode(self._ids.random_bytes(30)).decode()

    def new_key_id(self) -> str:
        """An access key id for a long-term key."""
        return "AKIA" + self._ids.base32(16)

    def issue(
        self,
        principal: Principal,
        duration_seconds: float,
        *,
        policy_documents: tuple[str, ...] = (),
        policy_arns: tuple[str, ...] = (),
        tags: tuple[tuple[str, str], ...] = (),
        source_arn: str | None = None,
    ) -> Session:
        """Make temporary credentials for `principal`. LimitExceeded when too many are alive."""
        if self._sessions >= limits.SESSIONS_MAX:
            self.sweep()
            if self._sessions >= limits.SESSIONS_MAX:
                raise LimitExceeded(f"Cannot exceed {limits.SESSIONS_MAX} live sessions", status=409)
        now = self._clock.now()
        token = "IQoJb3JpZ2luX2Vj" + base64.b64encode(self._ids.random_bytes(_TOKEN_RANDOM_BYTES)).decode()
        session = Session(
            "ASIA" + self._ids.base32(16),
            self.new_secret(),
            token,
            now + duration_seconds,
            principal,
            issued_at=now,
            policy_documents=policy_documents,
            policy_arns=policy_arns,
            tags=tags,
            source_arn=source_arn,
        )
        self._known[session.access_key_id] = Credential(session)
        self._sessions += 1
        return session

    def revoke(self, session: Session) -> None:
        """End a session now: its next request is refused."""
        session.revoked = True
        if self._known.pop(session.access_key_id, None) is not None:
            self._sessions -= 1

    def sessions(self) -> Iterator[Session]:
        """Every session that has not been revoked or swept."""
        return iter([known.session for known in self._known.values() if known.session is not None])

    def sweep(self) -> None:
        """Forget sessions that expired more than an hour ago; until then they answer ExpiredToken by name."""
        before = self._clock.now() - 3600.0
        for session in list(self.sessions()):
            if session.expires_at < before:
                self.revoke(session)
