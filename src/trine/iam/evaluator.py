"""The decision: may this requester do this action on this resource? Pure, and short enough to be read.

Enters a `Question` with the policies that apply, leaves a `Decision` that names the statement that decided or the kind
of policy that is missing one. Order after the IAM User Guide, "Policy evaluation logic":

1. An explicit deny in any policy refuses.
2. A resource policy of the same account that names the requester allows, whatever the identity policies say;
   a role named by its ARN stays limited by its boundary and session policy, a named user or session does not.
3. Otherwise an identity policy has to allow, and across accounts, or where a role is to be taken, the resource policy
   (the role's trust policy) too.
4. A permissions boundary and a session policy, where there are any, have to allow as well.
5. Nothing allowed it: implicit deny.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from trine.iam.matching import Lookup
from trine.iam.policy import CompiledPolicy, Statement
from trine.iam.principals import Naming, Requester

Layer = Literal["identity", "resource", "boundary", "session", "endpoint"]


class PolicySet(NamedTuple):
    """The policies that hang on one principal. `boundary` and `session` None: there is none of the kind."""

    identity: tuple[CompiledPolicy, ...] = ()
    boundary: CompiledPolicy | None = None
    session: tuple[CompiledPolicy, ...] | None = None


class Question(NamedTuple):
    """One request for permission. `lookup` gives the context's values by lower-case key."""

    requester: Requester
    action: str
    resource: str
    lookup: Lookup
    policies: PolicySet = PolicySet()
    resource_policy: CompiledPolicy | None = None
    endpoint_policy: CompiledPolicy | None = None
    same_account: bool = True


class Decision(NamedTuple):
    """The answer. `layer` is the kind of policy that decided; `statement` the one that did, or None: none allows."""

    allowed: bool
    layer: Layer
    statement: Statement | None = None

    @property
    def explicit(self) -> bool:
        """Was it refused by a Deny statement, rather than by the lack of an Allow?"""
        return not self.allowed and self.statement is not None


def evaluate(question: Question) -> Decision:
    """Decide. The order of the lines is the order of AWS's documented flow."""
    for layer, documents in _layers(question):
        if (denial := _first(documents, question, allows=False)) is not None:
            return Decision(False, layer, denial)

    policies = question.policies
    if question.endpoint_policy is not None and not _first((question.endpoint_policy,), question, allows=True):
        return Decision(False, "endpoint")

    naming, grant = _resource_grant(question)
    if question.same_account and naming is Naming.DIRECT:
        return Decision(True, "resource", grant)
    by_role = question.same_account and naming is Naming.ROLE

    identity = _first(policies.identity, question, allows=True)
    if identity is None and not by_role:
        return Decision(False, "identity")
    trust = question.resource_policy is not None and question.resource_policy.kind == "trust"
    if (trust or not question.same_account) and naming is Naming.NONE:
        return Decision(False, "resource")
    if policies.boundary is not None and _first((policies.boundary,), question, allows=True) is None:
        return Decision(False, "boundary")
    if policies.session is not None and _first(policies.session, question, allows=True) is None:
        return Decision(False, "session")
    return Decision(True, "identity" if identity is not None else "resource", identity or grant)


def _layers(question: Question) -> Iterator[tuple[Layer, Iterable[CompiledPolicy]]]:
    policies = question.policies
    yield "identity", policies.identity
    if question.resource_policy is not None:
        yield "resource", (question.resource_policy,)
    if policies.boundary is not None:
        yield "boundary", (policies.boundary,)
    if policies.session is not None:
        yield "session", policies.session
    if question.endpoint_policy is not None:
        yield "endpoint", (question.endpoint_policy,)


def _first(policies: Iterable[CompiledPolicy], question: Question, *, allows: bool) -> Statement | None:
    for policy in policies:
        for statement in policy.statements:
            if statement.allows is allows and applies(statement, question):
                return statement
    return None


def applies(statement: Statement, question: Question) -> bool:
    """Does the statement speak about this request: principal, action, resource, and conditions last?"""
    return (
        _speaks_to(statement, question)
        and statement.covers_action(question.action)
        and statement.covers_resource(question.resource, question.lookup)
        and statement.holds(question.lookup)
    )


def _speaks_to(statement: Statement, question: Question) -> bool:
    """Is the requester meant by the Principal element? A Deny with NotPrincipal means whoever has a permissions
    boundary, also those it lists (IAM User Guide, "Permissions boundaries for IAM entities")."""
    principals = statement.principals
    if principals is None or principals.names(question.requester) is not Naming.NONE:
        return True
    return principals.negated and not statement.allows and question.policies.boundary is not None


def _resource_grant(question: Question) -> tuple[Naming, Statement | None]:
    """The allowing statement of the resource policy that names the requester most closely."""
    naming, grant = Naming.NONE, None
    if question.resource_policy is not None:
        for statement in question.resource_policy.statements:
            if statement.allows and statement.principals is not None and applies(statement, question):
                found = statement.principals.names(question.requester)
                if found > naming:
                    naming, grant = found, statement
    return naming, grant
