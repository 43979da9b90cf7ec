"""The authenticated caller of one request, and the context that IAM itself knows about it.

Enters a verified credential and the request, leaves values of the global condition keys, each made only when a
condition asks for it. Keys after the IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from trine.http.message import Request
from trine.iam.authority import Authority, DecisionKey
from trine.iam.matching import Lookup
from trine.iam.policy import CompiledPolicy
from trine.iam.principal import Principal, Session
from trine.iam.principals import Requester

_TYPES = {"user": "User", "assumed-role": "AssumedRole", "root": "Account", "anonymous": "Anonymous"}


class Caller(Struct, eq=False, gc=False):
    """Who sent a request, authenticated."""

    principal: Principal
    session: Session | None
    """The temporary credentials used; None for long-term keys."""
    region: str
    authority: Authority
    request: Request | None
    access_key_id: str = ""
    detail: Mapping[str, Any] | None = None
    """What a trace shall say of who it is."""

    def of(self, request: Request) -> Caller:
        """The same caller, as the sender of `request`: what conditions on address or headers are read from."""
        return Caller(
            self.principal, self.session, self.region, self.authority, request, self.access_key_id, self.detail
        )

    @property
    def account_id(self) -> str:
        """The account of the principal."""
        return self.principal.account_id

    @property
    def settled(self) -> Mapping[DecisionKey, Mapping[str, Any]]:
        """(action, resource, None) → what the trace shall say, where identity policies allow it whatever the context.

        Where another policy speaks of it, or nothing is found, `needs` and `authorize` have to be asked. One look in a
        dictionary instead of 0.5 µs.
        """
        # Whoever acts in a VPC passes an endpoint, whose policy a role's other sessions know nothing of.
        session = self.session
        return self.authority.settled if session is None or session.placement is None else {}

    def needs(self, action: str, resource: str, resource_policy: CompiledPolicy | None = None) -> frozenset[str]:
        """Condition keys in lower case (`dynamodb:leadingkeys`) that a decision on this would read.

        Build only these for `authorize`; an empty set is the usual case and costs one look in a dictionary.
        """
        return self.authority.needs(action, resource, resource_policy)

    def requester(self) -> Requester:
        """The caller in the words of a Principal element."""
        return Requester(self.principal)


def iam_context(caller: Caller) -> dict[str, Any]:
    """`requestContext.authorizer.iam` of HTTP APIs (payload format 2.0) and of function URLs."""
    principal = caller.principal
    return {
        "accessKey": caller.access_key_id,
        "accountId": principal.account_id,
        "callerId": principal.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": principal.arn,
        "userId": principal.user_id,
    }


def lookup_of(
    caller: Caller,
    given: Mapping[str, Sequence[str]] | None,
    now: float,
    resource: str,
    tags_of: Callable[[Principal], Mapping[str, str]],
) -> Lookup:
    """Values of condition keys: what the service gave first, then what IAM knows of caller and request."""
    lowered = {key.lower(): values for key, values in given.items()} if given else {}

    def lookup(key: str) -> Sequence[str] | None:
        values = lowered.get(key)
        if values is not None:
            return values
        if key.startswith("aws:principaltag/"):
            return _tag(key.removeprefix("aws:principaltag/"), caller.session, tags_of(caller.principal))
        known = _KNOWN.get(key)
        text = known(caller, now, resource) if known is not None else None
        return None if text is None else (text,)

    return lookup


def _tag(name: str, session: Session | None, identity_tags: Mapping[str, str]) -> Sequence[str] | None:
    """Session tags win over the identity's own; tag keys are not case-sensitive."""
    for tags in (session.tags if session is not None else (), identity_tags.items()):
        for key, value in tags:
            if key.lower() == name:
                return (value,)
    return None


def _header(caller: Caller, name: bytes) -> str | None:
    value = caller.request.headers.get(name) if caller.request is not None else None
    return value.decode("utf-8", "replace") if value is not None else None


def _username(caller: Caller, now: float, resource: str) -> str | None:
    return caller.principal.name if caller.principal.kind == "user" else None


def _token_issue_time(caller: Caller, now: float, resource: str) -> str | None:
    return _iso(caller.session.issued_at) if caller.session is not None else None


def _source_function(caller: Caller, now: float, resource: str) -> str | None:
    # Lambda Developer Guide, "Using source function ARN to control function access behavior".
    return caller.session.source_arn if caller.session is not None else None


def _mfa(caller: Caller, now: float, resource: str) -> str | None:
    # Present only with temporary credentials (same page, aws:MultiFactorAuthPresent); nobody here has a device.
    return "false" if caller.session is not None else None


def _resource_account(caller: Caller, now: float, resource: str) -> str | None:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4] else None


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def secure_transport(peer_host: str) -> str:
    """`aws:SecureTransport` of a request: what stays on the loopback crosses no network.

    The same call reaches AWS by TLS, and a template that denies what does not must not be refused here for that.
    """
    return "true" if peer_host.startswith(("127.", "::ffff:127.")) or peer_host == "::1" else "false"


_KNOWN: Mapping[str, Callable[[Caller, float, str], str | None]] = {
    "aws:principalarn": lambda caller, now, resource: caller.principal.identity_arn,
    "aws:principalaccount": lambda caller, now, resource: caller.principal.account_id,
    "aws:principaltype": lambda caller, now, resource: _TYPES[caller.principal.kind],
    "aws:principalisawsservice": lambda caller, now, resource: "false",
    "aws:viaawsservice": lambda caller, now, resource: "false",
    "aws:userid": lambda caller, now, resource: caller.principal.user_id,
    "aws:username": _username,
    "aws:currenttime": lambda caller, now, resource: _iso(now),
    "aws:epochtime": lambda caller, now, resource: str(int(now)),
    "aws:tokenissuetime": _token_issue_time,
    "aws:multifactorauthpresent": _mfa,
    "lambda:sourcefunctionarn": _source_function,
    "aws:securetransport": lambda caller, now, resource: (
        secure_transport(caller.request.peer_host) if caller.request is not None else "true"
    ),
    "aws:sourceip": lambda caller, now, resource: caller.request.peer_host if caller.request is not None else None,
    "aws:useragent": lambda caller, now, resource: _header(caller, b"user-agent"),
    "aws:referer": lambda caller, now, resource: _header(caller, b"referer"),
    "aws:requestedregion": lambda caller, now, resource: caller.region,
    "aws:resourceaccount": _resource_account,
}
