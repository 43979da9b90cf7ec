"""The decision, compared on random policies with a naive oracle, and on AWS's documented rules."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.iam.authority import Authority
from trine.iam.evaluator import PolicySet, Question, evaluate
from trine.iam.policy import parse_policy
from trine.iam.principal import Principal
from trine.iam.principals import Requester

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
SESSION_PRINCIPAL = Principal(SESSION, ACCOUNT, "assumed-role", ROLE, "AROAEXAMPLEEXAMPLE123:s", "r")
USER_PRINCIPAL = Principal(USER, ACCOUNT, "user", None, "AIDAEXAMPLEEXAMPLE123", "u")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"

ACTIONS = ["d:Get", "d:Put", "s:Get"]
RESOURCES = ["arn:aws:d:r:123456789012:t/a", "arn:aws:d:r:123456789012:t/b", "arn:aws:s:r:123456789012:t/a"]
KEYS = ["k:x", "k:y"]

statement_body = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "actions": st.tuples(
            st.booleans(), st.lists(st.sampled_from([*ACTIONS, "d:*", "*", "d:?et", "D:GET"]), min_size=1, max_size=2)
        ),
        "resources": st.tuples(
            st.booleans(),
            st.lists(
                st.sampled_from([*RESOURCES, "*", "arn:aws:d:r:123456789012:t/*", "arn:aws:*"]), min_size=1, max_size=2
            ),
        ),
        "condition": st.none()
        | st.tuples(
            st.sampled_from(["StringEquals", "StringNotEquals", "StringEqualsIfExists"]),
            st.sampled_from(KEYS),
            st.lists(st.sampled_from(["1", "2"]), min_size=1, max_size=2),
        ),
    }
)
principals = st.sampled_from(
    ["*", {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": USER}, {"AWS": ROOT}, {"Service": "x.amazonaws.com"}]
)


def _statement(body: dict[str, Any], principal: Any = None) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": body["Effect"]}
    made["NotAction" if body["actions"][0] else "Action"] = body["actions"][1]
    made["NotResource" if body["resources"][0] else "Resource"] = body["resources"][1]
    if body["condition"] is not None:
        operator, key, values = body["condition"]
        made["Condition"] = {operator: {key: values}}
    if principal is not None:
        made["Principal"] = principal
    return made


documents = st.lists(statement_body, min_size=1, max_size=3).map(lambda bodies: [_statement(body) for body in bodies])
resource_documents = st.lists(st.tuples(statement_body, principals), min_size=1, max_size=3).map(
    lambda pairs: [_statement(*pair) for pair in pairs]
)


class Oracle:
    """AWS's rules again, written plainly and differently: no compilation, no cache, only sets of effects."""

    def __init__(self, principal: Principal, action: str, resource: str, context: dict[str, str]) -> None:
        self.principal, self.action, self.resource, self.context = principal, action, resource, context

    def effects(self, document: list[dict[str, Any]] | None) -> set[tuple[str, str]]:
        """(effect, how the principal was named) of every statement that applies."""
        found = set()
        for statement in document or []:
            naming = self.naming(statement.get("Principal"))
            if (
                naming
                and self.action_fits(statement)
                and self.resource_fits(statement)
                and self.condition_fits(statement)
            ):
                found.add((statement["Effect"], naming))
        return found

    def naming(self, principal: Any) -> str:
        if principal is None or principal == "*":
            return "direct"
        value = principal.get("AWS")
        if value == self.principal.arn:
            return "direct"
        if value is not None and value == self.principal.role_arn:
            return "role"
        return "account" if value == ROOT else ""

    def action_fits(self, statement: dict[str, Any]) -> bool:
        patterns = statement.get("Action") or statement["NotAction"]
        fits = any(fnmatch.fnmatchcase(self.action.lower(), pattern.lower()) for pattern in patterns)
        return fits if "Action" in statement else not fits

    def resource_fits(self, statement: dict[str, Any]) -> bool:
        patterns = statement.get("Resource") or statement["NotResource"]
        fits = any(fnmatch.fnmatchcase(self.resource, pattern) for pattern in patterns)
        return fits if "Resource" in statement else not fits

    def condition_fits(self, statement: dict[str, Any]) -> bool:
        for operator, keys in statement.get("Condition", {}).items():
            for key, values in keys.items():
                given = self.context.get(key)
                if operator == "StringEquals" and given not in values:
                    return False
                if operator == "StringNotEquals" and given in values:
                    return False
                if operator == "StringEqualsIfExists" and given is not None and given not in values:
                    return False
        return True

    def allowed(self, identity: Any, resource: Any, boundary: Any, session: Any, same_account: bool) -> bool:
        by_layer = [self.effects(document) for document in (identity, resource, boundary, session)]
        if any(effect == "Deny" for effects in by_layer for effect, _ in effects):
            return False
        i, r, b, s = by_layer
        identity_ok = ("Allow", "direct") in i
        within = (boundary is None or bool(b)) and (session is None or bool(s))
        if same_account:
            if ("Allow", "direct") in r:
                return True
            return (identity_ok or ("Allow", "role") in r) and within
        return identity_ok and any(effect == "Allow" for effect, _ in r) and within


@settings(max_examples=400)
@given(
    identity=documents,
    resource=st.none() | resource_documents,
    boundary=st.none() | documents,
    session=st.none() | documents,
    action=st.sampled_from(ACTIONS),
    target=st.sampled_from(RESOURCES),
    context=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["1", "2", "3"])),
    principal=st.sampled_from([SESSION_PRINCIPAL, USER_PRINCIPAL]),
    same_account=st.booleans(),
)
def test_the_decision_is_the_oracles(
    identity: Any,
    resource: Any,
    boundary: Any,
    session: Any,
    action: str,
    target: str,
    context: Any,
    principal: Principal,
    same_account: bool,
) -> None:
    decision = _decide(principal, action, target, identity, resource, boundary, session, context, same_account)
    oracle = Oracle(principal, action, target, context)
    through = _through_authority(
        principal, action, target, identity, resource, boundary, session, context, same_account
    )
    assert through == [decision.allowed] * 2, "what is narrowed and remembered decides the same"
    assert decision.allowed is oracle.allowed(identity, resource, boundary, session, same_account)


def _through_authority(principal: Principal, action: str, target: str, *policies: Any) -> list[bool]:
    identity, resource, boundary, session, context, same_account = policies
    account = ACCOUNT if same_account else "999999999999"
    authority = Authority(_policies(identity, boundary, session), account)
    lookup = {key: (value,) for key, value in context.items()}.get
    policy = _compiled(resource, "resource")
    allowed = []
    for _ in range(2):
        question = authority.question(Requester(principal), action, target, lookup, policy)
        settled = resource is None and (action, target, None) in authority.settled
        allowed.append(settled or authority.decide(action, question).allowed)
    return allowed


def _compiled(document: Any, kind: Any) -> Any:
    return (
        None if document is None else parse_policy({"Version": "2012-10-17", "Statement": list(document)}, kind, kind)
    )


def _policies(identity: Any, boundary: Any, session: Any) -> PolicySet:
    return PolicySet(
        (_compiled(identity, "identity"),) if identity else (),
        _compiled(boundary, "boundary"),
        (_compiled(session, "session"),) if session is not None else None,
    )


def _decide(
    principal: Principal,
    action: str,
    target: str,
    identity: Any = (),
    resource: Any = None,
    boundary: Any = None,
    session: Any = None,
    context: Any = None,
    same_account: bool = True,
) -> Any:
    lookup = {key: (value,) for key, value in (context or {}).items()}.get
    policies = _policies(identity, boundary, session)
    resource_policy = _compiled(resource, "resource")
    question = Question(
        Requester(principal), action.lower(), target, lookup, policies, resource_policy, same_account=same_account
    )
    return evaluate(question)


ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}
OTHER = {"Effect": "Allow", "Action": "x:Y", "Resource": "*"}


def to(principal: Any, statement: Any = ALLOW) -> list[dict[str, Any]]:
    return [{**statement, "Principal": principal}]


@pytest.mark.parametrize(
    ("why", "principal", "policies", "allowed", "layer"),
    [
        ("implicit deny by default", USER_PRINCIPAL, {}, False, "identity"),
        ("an allow", USER_PRINCIPAL, {"identity": [ALLOW]}, True, "identity"),
        ("an explicit deny beats an allow", USER_PRINCIPAL, {"identity": [ALLOW, DENY]}, False, "identity"),
        ("whichever stands first", USER_PRINCIPAL, {"identity": [DENY, ALLOW]}, False, "identity"),
        (
            "the resource policy alone suffices in one account",
            USER_PRINCIPAL,
            {"resource": to({"AWS": USER})},
            True,
            "resource",
        ),
        (
            "a resource policy's deny beats the identity's allow",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "resource": to("*", DENY)},
            False,
            "resource",
        ),
        ("naming the account only delegates", USER_PRINCIPAL, {"resource": to({"AWS": ROOT})}, False, "identity"),
        (
            "and the identity policy then allows",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "resource": to({"AWS": ACCOUNT})},
            True,
            "identity",
        ),
        (
            "a deny for the account hits all in it",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "resource": to({"AWS": ROOT}, DENY)},
            False,
            "resource",
        ),
        (
            "identity and boundary intersect",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "boundary": [OTHER]},
            False,
            "boundary",
        ),
        ("a boundary alone grants nothing", USER_PRINCIPAL, {"boundary": [ALLOW]}, False, "identity"),
        (
            "a boundary's explicit deny",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "boundary": [ALLOW, DENY]},
            False,
            "boundary",
        ),
        (
            "a boundary does not limit what a resource policy gives the user",
            USER_PRINCIPAL,
            {"resource": to({"AWS": USER}), "boundary": [OTHER]},
            True,
            "resource",
        ),
        (
            "but its explicit deny does",
            USER_PRINCIPAL,
            {"resource": to({"AWS": USER}), "boundary": [DENY]},
            False,
            "boundary",
        ),
        (
            "a role named by a resource policy stays within its boundary",
            SESSION_PRINCIPAL,
            {"resource": to({"AWS": ROLE}), "boundary": [OTHER]},
            False,
            "boundary",
        ),
        (
            "and within the session policy",
            SESSION_PRINCIPAL,
            {"resource": to({"AWS": ROLE}), "session": [OTHER]},
            False,
            "session",
        ),
        (
            "a session named by a resource policy does not",
            SESSION_PRINCIPAL,
            {"resource": to({"AWS": SESSION}), "boundary": [OTHER], "session": [OTHER]},
            True,
            "resource",
        ),
        (
            "identity and session policy intersect",
            SESSION_PRINCIPAL,
            {"identity": [ALLOW], "session": [OTHER]},
            False,
            "session",
        ),
        ("a session policy alone grants nothing", SESSION_PRINCIPAL, {"session": [ALLOW]}, False, "identity"),
        (
            "across accounts the resource policy is needed",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "same_account": False},
            False,
            "resource",
        ),
        (
            "and the identity policy",
            USER_PRINCIPAL,
            {"resource": to({"AWS": USER}), "same_account": False},
            False,
            "identity",
        ),
        (
            "both together",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "resource": to({"AWS": ROOT}), "same_account": False},
            True,
            "identity",
        ),
        (
            "across accounts a role named by the resource policy still needs its identity policy",
            SESSION_PRINCIPAL,
            {"resource": to({"AWS": ROLE}), "same_account": False},
            False,
            "identity",
        ),
        (
            "all but the listed: the user is not listed",
            USER_PRINCIPAL,
            {"identity": [ALLOW], "resource": [{**DENY, "NotPrincipal": {"AWS": ROLE}}]},
            False,
            "resource",
        ),
        (
            "all but the listed: the role is, and so are its sessions",
            SESSION_PRINCIPAL,
            {"identity": [ALLOW], "resource": [{**DENY, "NotPrincipal": {"AWS": ROLE}}]},
            True,
            "identity",
        ),
        (
            "a policy for a service is none for a user",
            USER_PRINCIPAL,
            {"resource": to({"Service": "s.amazonaws.com"})},
            False,
            "identity",
        ),
    ],
)
def test_the_documented_rules(
    why: str, principal: Principal, policies: dict[str, Any], allowed: bool, layer: str
) -> None:
    decision = _decide(principal, "d:Get", RESOURCES[0], **policies)
    assert (decision.allowed, decision.layer) == (allowed, layer), why
    assert decision.explicit is (not allowed and any("Deny" in str(one) for one in policies.values()))


def test_awss_example_of_an_intersection() -> None:
    """User Guide, "Policy evaluation logic": S3 and EC2 within the boundary, the denial of one bucket wins."""
    identity = [
        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "s3:ListBucket", "s3:HeadBucket"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["s3:*Object", "s3:PutObject"], "Resource": "arn:aws:s3:::carlossalazar/*"},
        {
            "Effect": "Deny",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::carlossalazar-logs", "arn:aws:s3:::carlossalazar-logs/*"],
        },
    ]
    boundary = [{"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*"], "Resource": "*"}]
    for action, resource, allowed in (
        ("s3:ListBucket", "arn:aws:s3:::other", True),
        ("s3:GetObject", "arn:aws:s3:::carlossalazar/a", True),
        ("s3:GetObject", "arn:aws:s3:::carlossalazar-logs/a", False),
        ("s3:ListBucket", "arn:aws:s3:::carlossalazar-logs", False),
        ("cloudwatch:GetMetricData", "*", False),
    ):
        assert _decide(USER_PRINCIPAL, action, resource, identity, boundary=boundary).allowed is allowed, (
            action,
            resource,
        )


def test_awss_example_of_leading_keys() -> None:
    """DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control"."""
    identity = [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"],
            "Resource": ["arn:aws:dynamodb:us-west-2:123456789012:table/GameScores"],
            "Condition": {
                "ForAllValues:StringEquals": {
                    "dynamodb:LeadingKeys": ["${www.amazon.com:user_id}"],
                    "dynamodb:Attributes": ["UserId", "GameTitle", "Wins"],
                },
                "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            },
        }
    ]
    table = "arn:aws:dynamodb:us-west-2:123456789012:table/GameScores"

    def ask(**context: tuple[str, ...]) -> bool:
        compiled = parse_policy({"Version": "2012-10-17", "Statement": identity}, "identity")
        given = {"www.amazon.com:user_id": ("ann",), **{f"dynamodb:{key}": values for key, values in context.items()}}
        return evaluate(
            Question(Requester(USER_PRINCIPAL), "dynamodb:query", table, given.get, PolicySet((compiled,)))
        ).allowed

    assert ask(leadingkeys=("ann",), attributes=("UserId", "Wins"), select=("SPECIFIC_ATTRIBUTES",))
    assert ask(leadingkeys=("ann",), attributes=("UserId",))
    assert not ask(leadingkeys=("bob",), attributes=("UserId",))
    assert not ask(leadingkeys=("ann", "bob"), attributes=("UserId",))
    assert not ask(leadingkeys=("ann",), attributes=("UserId", "Secret"))
    assert not ask(leadingkeys=("ann",), select=("ALL_ATTRIBUTES",))
