"""What a Lambda authorizer answered, understood once and asked for every request it covers.

Enters the function's JSON; leaves a `Verdict`, or a `GatewayError` 500 when the answer is malformed. A cached verdict's
policy is evaluated anew for each request's ARN, so a policy for one path refuses the next one, as on AWS.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from trine.apigateway.errors import ACCESS_DENIED, AUTHORIZER_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.limits import CACHED_DECISIONS
from trine.clock import Clock
from trine.iam.errors import MalformedPolicy
from trine.iam.evaluator import Decision, PolicySet, Question, evaluate
from trine.iam.policy import CompiledPolicy, parse_policy
from trine.iam.principals import Requester

ROOM = "apigateway.authorizer"
INVOKE = "execute-api:invoke"
"""The action of every request, in the lower case in which policies are matched."""
SETTLED_MAX = 256
"""ARNs whose decision one verdict remembers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer of an authorizer. `policy` None: the simple format, `authorized` alone counts."""

    authorized: bool
    policy: CompiledPolicy | None
    context: Mapping[str, Any]
    principal_id: str | None = None
    usage_key: str | None = None
    settled: dict[str, GatewayError | None] = field(default_factory=dict, compare=False)
    """What a policy without conditions says to an ARN, which is the same each time; None: allowed."""

    def check(self, arn: str, conditions: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        """GatewayError 403 when this verdict does not allow `arn`. `conditions` gives the condition values."""
        if self.policy is None:
            if not self.authorized:
                raise GatewayError(ACCESS_DENIED, "the authorizer answered isAuthorized: false")
            return
        try:
            denial = self.settled[arn]
        except KeyError:
            denial = self._decide(self.policy, arn, conditions)
        if denial is not None:
            raise denial

    def _decide(
        self, policy: CompiledPolicy, arn: str, conditions: Callable[[], Mapping[str, tuple[str, ...]]]
    ) -> GatewayError | None:
        if any(statement.keys for statement in policy.statements):
            question = Question(Requester(), INVOKE, arn, conditions().get, PolicySet(identity=(policy,)))
            return self._denial(evaluate(question), arn)
        question = Question(Requester(), INVOKE, arn, _nothing, PolicySet(identity=(policy,)))
        denial = self._denial(evaluate(question), arn)
        if len(self.settled) >= SETTLED_MAX:
            self.settled.clear()
        self.settled[arn] = denial
        return denial

    def _denial(self, decision: Decision, arn: str) -> GatewayError | None:
        if decision.allowed:
            return None
        facts: dict[str, Any] = {"resource": arn, "principalId": self.principal_id}
        if decision.statement is None:
            reason = "no statement of the authorizer's policy allows this request"
            return GatewayError(ACCESS_DENIED, reason, room=ROOM, **facts)
        facts.update(decision.statement.facts())
        message = "User is not authorized to access this resource with an explicit deny"
        reason = "a statement of the authorizer's policy denies this request"
        return GatewayError(ACCESS_DENIED, reason, message=message, room=ROOM, **facts)


def _nothing(key: str) -> None:
    """The condition values of a policy that asks for none."""


def _malformed(why: str) -> GatewayError:
    return GatewayError(AUTHORIZER_CONFIGURATION_ERROR, f"the authorizer's answer is malformed: {why}")


def read_verdict(payload: bytes, *, rest: bool, simple: bool) -> Verdict:
    """The verdict in `payload`. `simple`: an HTTP API that expects `isAuthorized`."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise _malformed("it is not JSON") from None
    if not isinstance(answer, dict):
        raise _malformed("it is no object")
    context = _context(answer.get("context"), rest=rest)
    if simple:
        authorized = answer.get("isAuthorized")
        if not isinstance(authorized, bool):
            raise _malformed("isAuthorized is no boolean")
        return Verdict(authorized, None, context)
    principal = answer.get("principalId")
    if not isinstance(principal, str | int):
        raise _malformed("principalId is missing")
    document = answer.get("policyDocument")
    if not isinstance(document, dict):
        raise _malformed("policyDocument is missing")
    try:
        policy = parse_policy(document, "identity", "authorizer policy")
    except MalformedPolicy as error:
        raise _malformed(f"policyDocument: {error.message}") from None
    key = answer.get("usageIdentifierKey")
    return Verdict(True, policy, context, str(principal), key if isinstance(key, str) else None)


def _context(value: Any, *, rest: bool) -> dict[str, Any]:
    """Context values: scalars turned into text with REST ("the values are stringified"), any JSON with HTTP APIs."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _malformed("context is no object")
    if not rest:
        return value
    found: dict[str, Any] = {}
    for name, item in value.items():
        if isinstance(item, dict | list):
            raise _malformed(f"context.{name} is neither text, number nor boolean")
        found[name] = None if item is None else item if isinstance(item, str) else orjson.dumps(item).decode()
    return found


class VerdictCache:
    """Verdicts by authorizer and identity, each until its time; bounded, the oldest leave first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str | None, ...], tuple[float, Verdict]] = OrderedDict()

    def get(self, key: tuple[str | None, ...]) -> Verdict | None:
        """The verdict under `key` while it is fresh."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= self._clock.now():
            del self._kept[key]
            return None
        return kept[1]

    def put(self, key: tuple[str | None, ...], verdict: Verdict, ttl_seconds: int) -> None:
        """Remember `verdict` for `ttl_seconds`."""
        self._kept[key] = (self._clock.now() + ttl_seconds, verdict)
        self._kept.move_to_end(key)
        if len(self._kept) > CACHED_DECISIONS:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything (`FlushStageAuthorizersCache`)."""
        self._kept.clear()
