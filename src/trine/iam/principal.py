"""Who acts: a principal as IAM names it, and the credentials session it acts with.

Values only. `credentials` makes sessions, `access` hands them out, the function wing keeps one for each environment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trine.iam.placement import Placement
from trine.trace import Trace

PrincipalKind = Literal["user", "assumed-role", "root", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """One identity. `arn` is what refusals name: `arn:aws:sts::…:assumed-role/name/session` for a role's session."""

    arn: str
    account_id: str
    kind: PrincipalKind
    role_arn: str | None = None
    """The role behind an assumed-role session (with its path); None for users and root."""
    user_id: str = ""
    """`aws:userid`: `AIDA…` for users, `AROA…:session-name` for roles, the account id for root."""
    name: str = ""
    """The user's or the role's own name, without path."""

    @property
    def identity_arn(self) -> str:
        """`aws:PrincipalArn`: the role's ARN for a session, else the principal's own."""
        return self.role_arn or self.arn


class Session:
    """Temporary credentials of one principal: an `ASIA…` key that counts only with its token and until `expires_at`."""

    __slots__ = ("access_key_id", "expires_at", "issued_at", "placement", "policy_arns", "policy_documents",
                 "principal", "revoked", "secret_access_key", "session_token", "source_arn", "tags",
                 "trace")  # fmt: skip

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        session_token: str,
        expires_at: float,
        principal: Principal,
        *,
        issued_at: float = 0.0,
        policy_documents: tuple[str, ...] = (),
        policy_arns: tuple[str, ...] = (),
        tags: tuple[tuple[str, str], ...] = (),
        source_arn: str | None = None,
    ) -> None:
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token
        self.expires_at = expires_at
        """Seconds since the epoch."""
        self.issued_at = issued_at
        self.principal = principal
        self.revoked = False
        """Set to refuse every later request of this session; takes effect with the next one."""
        self.policy_documents = policy_documents
        """Session policies given inline at AssumeRole, as JSON text."""
        self.policy_arns = policy_arns
        """Session policies given by ARN."""
        self.tags = tags
        self.source_arn = source_arn
        """The function that a service took the role for: `lambda:SourceFunctionArn` of its calls."""
        self.placement: Placement | None = None
        """Where in a network the holder stands, when it stands in one."""
        self.trace: Trace | None = None
        """The trace of the invocation that runs with these credentials now; the function wing sets it."""

    def __repr__(self) -> str:
        # Never the secret or the token: sessions end up in logs and assertion messages.
        return f"Session({self.access_key_id}, {self.principal.arn}, expires_at={self.expires_at})"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A long-term key pair of a user, or of the account's root."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    principal: Principal
    active: bool = True
    created_at: float = 0.0
