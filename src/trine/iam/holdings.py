"""The policies that hang on a principal, gathered and compiled.

Enters the directory, a principal and perhaps its session; leaves a `PolicySet`: inline and attached policies, those of
a user's groups, the permissions boundary, the session policies.
"""

from __future__ import annotations

from functools import lru_cache

from trine.iam.directory import Directory, Identity
from trine.iam.evaluator import PolicySet
from trine.iam.policy import CompiledPolicy, PolicyKind, parse_policy
from trine.iam.principal import Principal, Session

ADMINISTRATOR = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, "identity", "root"
)
"""What the account's root may do."""


@lru_cache(4_096)
def compiled(document: str, kind: PolicyKind, name: str) -> CompiledPolicy:
    """A policy compiled from its text, remembered: roles are many, and most of their policies are alike."""
    return parse_policy(document, kind, name)


def policies_of(directory: Directory, principal: Principal, session: Session | None) -> PolicySet:
    """Everything that decides for `principal`; an identity that is gone has no policy at all."""
    if principal.kind == "root":
        identity: tuple[CompiledPolicy, ...] = (ADMINISTRATOR,)
        boundary = None
    else:
        holder = _holder(directory, principal)
        if holder is None:
            return PolicySet()
        identity = tuple(identity_policies(directory, holder))
        boundary = managed(directory, holder.boundary, "boundary") if holder.boundary is not None else None
    return PolicySet(identity, boundary, _session_policies(directory, session))


def _holder(directory: Directory, principal: Principal) -> Identity | None:
    if principal.role_arn is not None:
        return directory.role_by_arn(principal.role_arn)
    return directory.find("user", principal.name)


def identity_policies(directory: Directory, holder: Identity) -> list[CompiledPolicy]:
    """Inline and attached policies of an identity, and of its groups."""
    held = [compiled(text, "identity", name) for name, text in holder.inline.items()]
    held += [managed(directory, arn, "identity") for arn in holder.attached]
    for name in holder.groups:
        group = directory.find("group", name)
        if group is not None:
            held += identity_policies(directory, group)
    return held


def managed(directory: Directory, arn: str, kind: PolicyKind) -> CompiledPolicy:
    """A managed policy's default version, compiled. NoSuchEntity when there is none of that ARN."""
    policy = directory.policy(arn)
    return compiled(policy.document, kind, policy.name)


def _session_policies(directory: Directory, session: Session | None) -> tuple[CompiledPolicy, ...] | None:
    if session is None or not (session.policy_documents or session.policy_arns):
        return None
    return (
        *(compiled(text, "session", "session policy") for text in session.policy_documents),
        *(
            compiled(directory.policy(arn).document, "session", directory.policy(arn).name)
            for arn in session.policy_arns
        ),
    )
