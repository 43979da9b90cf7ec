"""IAM's simulator: SimulatePrincipalPolicy, SimulateCustomPolicy and the context keys they need.

Enters policies given or those of an identity, leaves evaluation results in the API's form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trine.aws.arn import Arn
from trine.iam.api.operation import ApiOperation, Output, Turn, everything, page
from trine.iam.authority import account_of
from trine.iam.directory import Directory, Identity
from trine.iam.errors import InvalidInput, NoSuchEntity
from trine.iam.evaluator import PolicySet
from trine.iam.holdings import identity_policies, managed
from trine.iam.policy import CompiledPolicy, parse_policy
from trine.iam.principal import Principal
from trine.iam.principals import Requester
from trine.iam.simulation import Outcome, context_keys, simulate, statement_places

QUESTIONS_MAX = 1_000
"""Pairs of action and resource in one call. Trine's own bound."""


class _Material(NamedTuple):
    """The policies of one simulation, and the texts they came from by name."""

    policies: PolicySet
    texts: Mapping[str, str]


def _inputs(documents: Sequence[str], prefix: str, kind: Any) -> tuple[list[CompiledPolicy], dict[str, str]]:
    texts = {f"{prefix}.{number}": text for number, text in enumerate(documents, 1)}
    return [parse_policy(text, kind, name) for name, text in texts.items()], texts


def _boundary(turn: Turn, default: CompiledPolicy | None) -> tuple[CompiledPolicy | None, dict[str, str]]:
    given, texts = _inputs(
        turn.input.get("PermissionsBoundaryPolicyInputList", ()), "PermissionsBoundaryPolicyInputList", "boundary"
    )
    return (given[0] if given else default), texts


def _custom(turn: Turn) -> _Material:
    identity, texts = _inputs(turn.input["PolicyInputList"], "PolicyInputList", "identity")
    boundary, more = _boundary(turn, None)
    return _Material(PolicySet(tuple(identity), boundary), {**texts, **more})


def _source(directory: Directory, arn: str) -> Identity:
    for known in directory.identities.values():
        for identity in known.values():
            if identity.arn == arn:
                return identity
    raise NoSuchEntity(f"Entity {arn} does not exist.")


def _of_principal(turn: Turn) -> _Material:
    directory = turn.access.directory
    source = _source(directory, turn.input["PolicySourceArn"])
    more, texts = _inputs(turn.input.get("PolicyInputList", ()), "PolicyInputList", "identity")
    own = identity_policies(directory, source)
    default = managed(directory, source.boundary, "boundary") if source.boundary is not None else None
    boundary, boundary_texts = _boundary(turn, default)
    texts |= boundary_texts | _texts(directory, source)
    return _Material(PolicySet((*own, *more), boundary), texts)


def _texts(directory: Directory, source: Identity) -> dict[str, str]:
    texts = dict(source.inline)
    for arn in (*source.attached, *([source.boundary] if source.boundary else ())):
        policy = directory.policy(arn)
        texts[policy.name] = policy.document
    for name in source.groups:
        texts |= _texts(directory, directory.get("group", name))
    return texts


def _requester(turn: Turn) -> Requester:
    """The simulated caller: `CallerArn`, else the policies' own principal, else the real caller."""
    text = turn.input.get("CallerArn") or turn.input.get("PolicySourceArn") or turn.signer.principal.arn
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise InvalidInput(f"Invalid Entity Arn: {text}") from None
    name = arn.resource.rpartition("/")[2]
    if arn.resource.startswith("assumed-role/"):
        role = turn.access.directory.find("role", arn.resource.split("/")[1])
        return Requester(Principal(text, arn.account_id, "assumed-role", role.arn if role else None, "", name))
    if arn.resource.startswith("role/"):
        return Requester(Principal(text, arn.account_id, "assumed-role", text, "", name))
    return Requester(Principal(text, arn.account_id, "root" if arn.resource == "root" else "user", None, "", name))


def _context(turn: Turn, requester: Requester) -> dict[str, Sequence[str]]:
    principal = requester.principal
    context: dict[str, Sequence[str]] = {}
    if principal is not None:
        context = {"aws:principalarn": (principal.identity_arn,), "aws:principalaccount": (principal.account_id,)}
        if principal.kind == "user":
            context["aws:username"] = (principal.name,)
    for entry in turn.input.get("ContextEntries", ()):
        context[entry.get("ContextKeyName", "").lower()] = tuple(entry.get("ContextKeyValues", ()))
    return context


def _run(turn: Turn, material: _Material) -> Output:
    given = turn.input
    requester = _requester(turn)
    resources = given.get("ResourceArns") or ["*"]
    if len(resources) * len(given["ActionNames"]) > QUESTIONS_MAX:
        raise InvalidInput(f"Cannot simulate more than {QUESTIONS_MAX} pairs of action and resource at once")
    texts, resource_policy = dict(material.texts), None
    if (text := given.get("ResourcePolicy")) is not None:
        resource_policy = parse_policy(text, "resource", "ResourcePolicy")
        texts["ResourcePolicy"] = text
    context = _context(turn, requester)
    owner = given.get("ResourceOwner")
    account = requester.principal.account_id if requester.principal is not None else ""
    results = []
    for action in given["ActionNames"]:
        for resource in resources:
            holder = account_of(owner) if owner else account_of(resource)
            outcome = simulate(
                requester, material.policies, action, resource, context, resource_policy,
                same_account=holder in {"", account},
            )  # fmt: skip
            results.append(_result(outcome, texts))
    return page(results, given, "EvaluationResults")


def _result(outcome: Outcome, texts: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "EvalActionName": outcome.action,
        "EvalResourceName": outcome.resource,
        "EvalDecision": outcome.verdict,
        "MatchedStatements": [_matched(one.policy, one.index, texts) for one in outcome.matched],
        "MissingContextValues": list(outcome.missing),
    }
    if outcome.within_boundary is not None:
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": outcome.within_boundary}
    return result


def _matched(policy: str, index: int, texts: Mapping[str, str]) -> dict[str, Any]:
    kind = "Resource Policy" if policy == "ResourcePolicy" else "IAM Policy"
    matched: dict[str, Any] = {"SourcePolicyId": policy, "SourcePolicyType": kind}
    if policy in texts:
        start, end = statement_places(texts[policy])[index]
        matched["StartPosition"] = {"Line": start[0], "Column": start[1]}
        matched["EndPosition"] = {"Line": end[0], "Column": end[1]}
    return matched


def simulate_custom(turn: Turn) -> Output:
    """SimulateCustomPolicy."""
    return _run(turn, _custom(turn))


def simulate_principal(turn: Turn) -> Output:
    """SimulatePrincipalPolicy."""
    return _run(turn, _of_principal(turn))


def keys_for_custom(turn: Turn) -> Output:
    """GetContextKeysForCustomPolicy."""
    policies, _ = _inputs(turn.input["PolicyInputList"], "PolicyInputList", "identity")
    return {"ContextKeyNames": context_keys(policies)}


def keys_for_principal(turn: Turn) -> Output:
    """GetContextKeysForPrincipalPolicy."""
    return {"ContextKeyNames": context_keys(_of_principal(turn).policies.identity)}


def _source_arn(turn: Turn) -> str:
    return str(turn.input["PolicySourceArn"])


OPERATIONS = {
    "SimulateCustomPolicy": ApiOperation(simulate_custom, everything),
    "SimulatePrincipalPolicy": ApiOperation(simulate_principal, _source_arn),
    "GetContextKeysForCustomPolicy": ApiOperation(keys_for_custom, everything),
    "GetContextKeysForPrincipalPolicy": ApiOperation(keys_for_principal, _source_arn),
}
