"""What one principal may do: its compiled policies and the decisions already made from them.

A decision that no condition and no variable touched holds as long as the policies do, so it is kept; a repeated
question then costs one look in a dictionary. Enters a question, leaves a `Decision`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trine.iam import limits
from trine.iam.evaluator import Decision, PolicySet, Question, evaluate
from trine.iam.matching import Lookup
from trine.iam.policy import CompiledPolicy, Statement
from trine.iam.principals import Requester

DecisionKey = tuple[str, str, CompiledPolicy | None]


class Authority:
    """The policies of one principal, shared by all sessions of a role that carry no session policy."""

    __slots__ = ("_narrowed", "_needs", "account_id", "observed", "policies", "settled")

    def __init__(self, policies: PolicySet, account_id: str, observed: frozenset[str] = frozenset()) -> None:
        self.policies = policies
        self.account_id = account_id
        self.observed = observed
        """Condition keys that are wanted for the ledger even where no policy reads them."""
        self.settled: dict[DecisionKey, Mapping[str, Any]] = {}
        """(action, resource, resource policy) allowed whatever the context → the detail for the trace."""
        self._needs: dict[DecisionKey, frozenset[str]] = {}
        self._narrowed: dict[tuple[str, str], PolicySet] = {}

    def needs(self, action: str, resource: str, resource_policy: CompiledPolicy | None = None) -> frozenset[str]:
        """Condition keys (lower case) that the decision reads; empty: the context need not be built."""
        key = (action, resource, resource_policy)
        needed = self._needs.get(key)
        if needed is None:
            lowered = action.lower()
            needed = frozenset().union(
                *(
                    statement.keys
                    for statement in self._statements(resource_policy)
                    if statement.keys and statement.covers_action(lowered) and statement.may_cover_resource(resource)
                ),
                {wanted for wanted in self.observed if wanted.partition(":")[0] == lowered.partition(":")[0]},
            )
            if len(self._needs) >= limits.DECISIONS_MAX:
                self._needs.clear()
            self._needs[key] = needed
        return needed

    def question(
        self,
        requester: Requester,
        action: str,
        resource: str,
        lookup: Lookup,
        resource_policy: CompiledPolicy | None = None,
        endpoint_policy: CompiledPolicy | None = None,
    ) -> Question:
        """What to ask the evaluator, with the statements of this authority that can speak of it."""
        return Question(
            requester,
            action.lower(),
            resource,
            lookup,
            self._about(action, resource),
            resource_policy,
            endpoint_policy,
            same_account=account_of(resource) in {"", AWS_OWNED, self.account_id},
        )

    def decide(self, action: str, question: Question) -> Decision:
        """Evaluate now; an allow that no context can change is remembered. `action` in its own spelling."""
        decision = evaluate(question)
        # A resource policy looks at the session itself, which this shared authority does not know.
        if (
            decision.allowed
            and question.endpoint_policy is None
            and question.resource_policy is None
            and not self.needs(action, question.resource)
        ):
            if len(self.settled) >= limits.DECISIONS_MAX:
                self.settled.clear()
            detail = allowed_detail(action, question.resource, decision)
            self.settled[(action, question.resource, None)] = detail
        return decision

    def _about(self, action: str, resource: str) -> PolicySet:
        """The policies without the statements that can never speak of this action and resource; remembered."""
        key = (action, resource)
        narrowed = self._narrowed.get(key)
        if narrowed is None:
            whole = self.policies
            lowered = action.lower()
            narrowed = PolicySet(
                tuple(policy.about(lowered, resource) for policy in whole.identity),
                whole.boundary.about(lowered, resource) if whole.boundary is not None else None,
                tuple(policy.about(lowered, resource) for policy in whole.session)
                if whole.session is not None
                else None,
            )
            if len(self._narrowed) >= limits.DECISIONS_MAX:
                self._narrowed.clear()
            self._narrowed[key] = narrowed
        return narrowed

    def all_policies(self) -> tuple[CompiledPolicy, ...]:
        """Every policy looked at, for explanations."""
        policies = self.policies
        boundary = (policies.boundary,) if policies.boundary is not None else ()
        return (*policies.identity, *boundary, *(policies.session or ()))

    def _statements(self, resource_policy: CompiledPolicy | None) -> Iterator[Statement]:
        for policy in (*self.all_policies(), *((resource_policy,) if resource_policy is not None else ())):
            yield from policy.statements


AWS_OWNED = "aws"
"""The account of what AWS owns and every account may be allowed to read, such as its managed policies."""


def account_of(resource: str) -> str:
    """The account segment of an ARN; empty for `*` and for ARNs without account, which count as one's own."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def allowed_detail(action: str, resource: str, decision: Decision) -> dict[str, Any]:
    """What the trace says about an allowed request."""
    statement = decision.statement
    return {
        "action": action,
        "resource": resource,
        "allowedBy": {"layer": decision.layer, **statement.facts()}
        if statement is not None
        else {"layer": decision.layer},
    }
