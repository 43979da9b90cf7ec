"""The corridor: callers, refusals in AWS's sentence with their facts, soft mode, services, caches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.http.message import Headers, Request
from trine.iam.access import Access
from trine.iam.caller import secure_transport
from trine.iam.door import passing
from trine.iam.errors import AccessDenied, MalformedPolicy, NoSuchEntity, ValidationError
from trine.iam.policy import parse_policy
from trine.trace import TraceBook

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/Profiles"
READS = {"Sid": "Reads", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": TABLE}
GiveRole = Callable[..., Any]


def _denied(access: Access, *arguments: Any, **options: Any) -> AccessDenied:
    with pytest.raises(AccessDenied) as refused:
        access.authorize(*arguments, **options)
    return refused.value


def test_a_role_with_reads_cannot_write(access: Access, give_role: GiveRole) -> None:
    caller = give_role(READS)
    for _ in range(2):
        access.authorize(caller, "dynamodb:GetItem", TABLE)
        error = _denied(access, caller, "dynamodb:PutItem", TABLE)
        assert (error.code, error.status) == ("AccessDeniedException", 400)
        assert error.message == (
            "User: arn:aws:sts::123456789012:assumed-role/fn/session is not authorized to perform: dynamodb:PutItem on "
            f"resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
        )
        assert error.facts["policies"] == ["identity:inline"]
        assert error.facts["missing"] == {
            "layer": "identity",
            "Effect": "Allow",
            "Action": "dynamodb:PutItem",
            "Resource": TABLE,
        }


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("lambda", "AccessDeniedException", 403),
        ("scheduler", "AccessDeniedException", 403),
        ("iam", "AccessDenied", 403),
        ("dynamodb", "AccessDeniedException", 400),
    ],
)
def test_each_service_refuses_in_its_dialect(
    access: Access, give_role: GiveRole, service: str, code: str, status: int
) -> None:
    error = _denied(access, give_role(), f"{service}:Anything", "*")
    assert (error.code, error.status) == (code, status)


def test_the_denying_statement_is_named(access: Access, give_role: GiveRole, clock: ManualClock) -> None:
    caller = give_role(READS, {"Sid": "NoQuery", "Effect": "Deny", "Action": "dynamodb:Query", "Resource": "*"})
    trace = TraceBook(clock).open("dynamodb", "r")
    error = _denied(access, caller, "dynamodb:Query", TABLE, trace=trace)
    assert error.message.endswith("with an explicit deny in an identity-based policy")
    assert trace.refusal is not None
    assert trace.refusal["room"] == "iam.policy"
    assert trace.refusal["deniedBy"] == {"layer": "identity", "policy": "inline", "statement": 1, "sid": "NoQuery"}
    assert trace.refusal["principal"] == caller.principal.arn


def test_the_trace_tells_what_allowed(access: Access, give_role: GiveRole, clock: ManualClock) -> None:
    caller = give_role(READS)
    trace = TraceBook(clock).open("dynamodb", "r")
    for _ in range(2):
        access.authorize(caller, "dynamodb:GetItem", TABLE, trace=trace)
    first, second = trace.steps
    allowed = {"layer": "identity", "policy": "inline", "statement": 0, "sid": "Reads"}
    assert first.detail is not None
    assert second.detail is not None
    assert first.detail["allowedBy"] == second.detail["allowedBy"] == allowed


@pytest.mark.parametrize(
    ("properties", "ending"),
    [
        (
            {"PermissionsBoundary": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"},
            "because no permissions boundary allows the",
        ),
        ({}, "because no resource-based policy allows the"),
    ],
)
def test_the_other_sentences(access: Access, give_role: GiveRole, properties: dict[str, Any], ending: str) -> None:
    caller = give_role({"Effect": "Allow", "Action": "*", "Resource": "*"}, **properties)
    resource = TABLE if properties else TABLE.replace("123456789012", "999999999999")
    assert f"{ending} dynamodb:GetItem action" in _denied(access, caller, "dynamodb:GetItem", resource).message


def test_a_session_policy_limits_one_session_only(access: Access, sign: Any) -> None:
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}}
    document = {"Statement": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}
    arn = access.put_role(
        {
            "RoleName": "r",
            "AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": "p", "PolicyDocument": document}],
        }
    )
    key = access.owner_credentials()
    who = access.authenticate(sign(key.access_key_id, key.secret_access_key), "dynamodb")
    narrow = '{"Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}}'
    free = access.caller_of(access.tokens.assume_role(who, arn, "free"))
    held = access.caller_of(access.tokens.assume_role(who, arn, "held", policy=narrow))
    access.authorize(free, "dynamodb:PutItem", TABLE)
    access.authorize(held, "dynamodb:GetItem", TABLE)
    assert "because no session policy allows" in _denied(access, held, "dynamodb:PutItem", TABLE).message


def test_conditions_are_asked_only_where_they_matter(access: Access, give_role: GiveRole) -> None:
    caller = give_role(
        READS,
        {
            "Effect": "Allow",
            "Action": "dynamodb:PutItem",
            "Resource": TABLE,
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["${aws:userid}", "shared-*"]}},
        },
    )
    assert caller.needs("dynamodb:GetItem", TABLE) == frozenset()
    assert caller.needs("dynamodb:PutItem", TABLE) == {"dynamodb:leadingkeys", "aws:userid"}
    assert caller.needs("dynamodb:PutItem", TABLE + "x") == frozenset()
    user_id = caller.principal.user_id
    for _ in range(2):
        access.authorize(caller, "dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": ["shared-1", user_id]})
        _denied(access, caller, "dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": ["shared-1", "other"]})


def test_global_keys(access: Access, give_role: GiveRole, clock: ManualClock, sign: Any) -> None:
    clock.advance(0)
    conditions: dict[str, Any] = {
        "StringEquals": {
            "aws:PrincipalArn": "arn:aws:iam::123456789012:role/fn",
            "aws:PrincipalAccount": "123456789012",
            "aws:PrincipalType": "AssumedRole",
            "aws:RequestedRegion": "us-east-1",
            "aws:ResourceAccount": "123456789012",
            "aws:PrincipalTag/team": "blue",
        },
        "StringLike": {"aws:userid": "AROA*:session", "aws:UserAgent": "Boto*"},
        "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
        "Bool": {"aws:SecureTransport": "true", "aws:ViaAWSService": "false", "aws:MultiFactorAuthPresent": "false"},
        "DateLessThan": {"aws:CurrentTime": "2027-01-15T08:00:01Z"},
        "NumericEquals": {"aws:EpochTime": "1800000000"},
        "DateEquals": {"aws:TokenIssueTime": "2027-01-15T08:00:00Z"},
        "Null": {"aws:username": "true", "aws:Referer": "true", "aws:SourceVpce": "true"},
    }
    for operator in conditions:
        for key, value in conditions[operator].items():
            statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}
            session = give_role(statement, Tags=[{"Key": "Team", "Value": "blue"}]).session
            headers = {"Host": "h", "User-Agent": "Boto3/1.0"}
            signed = sign(session.access_key_id, session.secret_access_key, session.session_token, headers=headers)
            caller = access.authenticate(signed, "dynamodb")
            access.authorize(caller, "dynamodb:GetItem", TABLE)
            flipped = {**statement, "Effect": "Deny"}
            caller = access.caller_of(give_role(READS, flipped, Tags=[{"Key": "Team", "Value": "red"}]).session)
            if key not in {"aws:PrincipalTag/team", "aws:UserAgent", "aws:SourceIp"}:
                _denied(access, caller, "dynamodb:GetItem", TABLE)


def test_a_changed_policy_counts_at_once(access: Access, give_role: GiveRole, sign: Any) -> None:
    session = give_role(READS).session

    def ask(action: str) -> None:
        keys = session.access_key_id, session.secret_access_key, session.session_token
        access.authorize(access.authenticate(sign(*keys), "dynamodb"), action, TABLE)

    ask("dynamodb:GetItem")
    give_role({**READS, "Action": "dynamodb:PutItem"})
    ask("dynamodb:PutItem")
    with pytest.raises(AccessDenied):
        ask("dynamodb:GetItem")


def test_soft_mode_reports_and_lets_pass(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, give_role: GiveRole, access: Access
) -> None:
    access.mode = "soft"
    trace = TraceBook(clock).open("dynamodb", "r")
    with caplog.at_level(logging.WARNING, "trine.iam"):
        access.authorize(give_role(READS), "dynamodb:PutItem", TABLE, trace=trace)
        caller = access.authenticate(Request("POST", b"/", Headers(), b""), "dynamodb", trace)
    assert caller.principal.kind == "root"
    policy, signature = trace.steps
    assert policy.detail is not None
    assert policy.detail["wouldRefuse"].endswith("because no identity-based policy allows the dynamodb:PutItem action")
    assert signature.detail is not None
    assert signature.detail["code"] == "MissingAuthenticationTokenException"
    assert trace.refusal is None
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("word", "region"), [("eu-west-3", "eu-west-3"), ("localhost", "us-east-1"), ("x", "us-east-1")]
)
def test_soft_mode_goes_to_the_region_that_is_named(access: Access, word: str, region: str) -> None:
    access.mode = "soft"
    header = f"AWS4-HMAC-SHA256 Credential=them/20260101/{word}/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
    request = Request("POST", b"/", Headers([(b"Authorization", header.encode())]), b"")
    assert access.authenticate(request, "dynamodb").region == region


def _named(caller: Any, effect: str, *actions: str) -> Any:
    statement = {
        "Effect": effect,
        "Principal": {"AWS": caller.principal.arn},
        "Action": list(actions),
        "Resource": TABLE,
    }
    return parse_policy({"Version": "2012-10-17", "Statement": [statement]}, "resource", "table policy")


def test_what_a_resource_policy_decides_is_not_remembered_without_it(access: Access, give_role: GiveRole) -> None:
    caller = give_role(READS)
    access.authorize(caller, "dynamodb:PutItem", TABLE, resource_policy=_named(caller, "Allow", "dynamodb:PutItem"))
    _denied(access, caller, "dynamodb:PutItem", TABLE)
    access.authorize(caller, "dynamodb:GetItem", TABLE)
    error = _denied(
        access, caller, "dynamodb:GetItem", TABLE, resource_policy=_named(caller, "Deny", "dynamodb:GetItem")
    )
    assert error.message.endswith("with an explicit deny in a resource-based policy")
    assert error.facts["deniedBy"]["policy"] == "table policy"
    endpoint = {"Effect": "Allow", "Principal": "*", "Action": "dynamodb:Query", "Resource": "*"}
    policy = parse_policy({"Statement": endpoint}, "endpoint", "vpce")
    error = _denied(access, caller, "dynamodb:GetItem", TABLE, endpoint_policy=policy)
    assert error.message.endswith("because no VPC endpoint policy allows the dynamodb:GetItem action")
    access.authorize(caller, "dynamodb:Query", TABLE, endpoint_policy=policy)


class TestServices:
    """A function's resource policy: gateway to function, and the confused deputy kept out."""

    FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
    MINE = "arn:aws:execute-api:us-east-1:123456789012:api1/*/GET/users"

    def _policy(self, **condition: Any) -> Any:
        statement = {
            "Sid": "gw",
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": self.FUNCTION,
        }
        return parse_policy({"Version": "2012-10-17", "Statement": [{**statement, **condition}]}, "resource", "f")

    def _ask(self, access: Access, policy: Any, service: str = "apigateway.amazonaws.com", **context: str) -> None:
        given = {f"aws:{key}": (value,) for key, value in context.items()}
        access.authorize_service(service, "lambda:InvokeFunction", self.FUNCTION, policy, given)

    def test_named_is_allowed_others_are_not(self, access: Access) -> None:
        policy = self._policy()
        self._ask(access, policy)
        with pytest.raises(AccessDenied) as refused:
            self._ask(access, policy, "s3.amazonaws.com")
        assert refused.value.message == (
            "Service: s3.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: "
            f"{self.FUNCTION} because no resource-based policy allows the lambda:InvokeFunction action"
        )
        with pytest.raises(AccessDenied):
            self._ask(access, None)

    def test_the_source_must_fit(self, access: Access) -> None:
        policy = self._policy(Condition={"ArnLike": {"AWS:SourceArn": self.MINE}})
        self._ask(access, policy, SourceArn="arn:aws:execute-api:us-east-1:123456789012:api1/prod/GET/users")
        for wrong in (
            "arn:aws:execute-api:us-east-1:123456789012:api2/prod/GET/users",
            "arn:aws:execute-api:us-east-1:999999999999:api1/prod/GET/users",
            "arn:aws:execute-api:us-east-1:123456789012:api1/prod/POST/users",
            "arn:aws:execute-api:us-east-1:123456789012:API1/prod/GET/users",
        ):
            with pytest.raises(AccessDenied):
                self._ask(access, policy, SourceArn=wrong)
        with pytest.raises(AccessDenied):
            self._ask(access, policy)

    def test_the_account_must_fit(self, access: Access) -> None:
        policy = self._policy(Condition={"StringEquals": {"AWS:SourceAccount": "123456789012"}})
        self._ask(access, policy, SourceAccount="123456789012")
        with pytest.raises(AccessDenied):
            self._ask(access, policy, SourceAccount="999999999999")

    def test_only_a_trusted_service_takes_the_role(self, access: Access, give_role: GiveRole) -> None:
        role = give_role().principal.role_arn
        for service in ("ec2.amazonaws.com", "apigateway.amazonaws.com"):
            with pytest.raises(AccessDenied):
                access.assume_role_for_service(role, "session", service)
        with pytest.raises(AccessDenied):
            access.assume_role_for_service(role + "x", "session", "lambda.amazonaws.com")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"AssumeRolePolicyDocument": {}}, MalformedPolicy),
        ({"Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": []}}]}, MalformedPolicy),
        ({"ManagedPolicyArns": ["arn:aws:iam::aws:policy/Nothing"]}, NoSuchEntity),
        ({"PermissionsBoundary": "arn:aws:iam::aws:policy/../../x"}, NoSuchEntity),
        ({"MaxSessionDuration": 60}, ValidationError),
        ({"RoleName": "no spaces"}, ValidationError),
        ({"Path": "nopath"}, ValidationError),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, ValidationError),
    ],
)
def test_a_role_that_is_wrong_changes_nothing(
    access: Access, give_role: GiveRole, change: dict[str, Any], error: type[Exception]
) -> None:
    good = {"RoleName": "fn2", "AssumeRolePolicyDocument": _TRUST}
    with pytest.raises(error):
        access.put_role({**good, **change})
    assert access.directory.find("role", "fn2") is None


def test_everything_is_there_after_a_restart(clock: ManualClock, catalogue: Any, sign: Any) -> None:
    async def first() -> tuple[str, str]:
        access = Access(clock, SeededIds(1), catalogue)
        key = access.owner_credentials()
        assert access.owner_credentials() == key
        access.put_role({"RoleName": "r", "AssumeRolePolicyDocument": _TRUST, "Tags": [{"Key": "a", "Value": "b"}]})
        access.directory.new_policy("p", "/", '{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}')
        assert access.pending
        await access.settled()
        assert not access.pending
        return key.access_key_id, key.secret_access_key

    key = asyncio.run(first())
    again = Access(clock, SeededIds(2), catalogue)
    made = again.owner_credentials()
    assert (made.access_key_id, made.secret_access_key) == key
    assert again.authenticate(sign(*key), "dynamodb").principal.name == "owner"
    assert again.directory.get("role", "r").tags == {"a": "b"}
    assert again.directory.policy("arn:aws:iam::123456789012:policy/p").name == "p"


_TRUST = {
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
}


def test_decisions_kept_are_bounded(access: Access, give_role: GiveRole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trine.iam.limits.DECISIONS_MAX", 5)
    caller = give_role({"Effect": "Allow", "Action": "*", "Resource": "*"})
    for number in range(30):
        access.authorize(caller, "dynamodb:GetItem", f"{TABLE}{number}")
        caller.needs("dynamodb:GetItem", f"{TABLE}{number}")
    assert len(caller.authority.settled) <= 5


def test_passing_a_role_is_a_right_of_its_own(access: Access, give_role: GiveRole) -> None:
    role = "arn:aws:iam::123456789012:role/app"
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}
    caller = give_role(statement)
    access.authorize(caller, *passing(role, "lambda.amazonaws.com"), dialect="lambda")
    for arn, service in ((role, "ec2.amazonaws.com"), (role + "x", "lambda.amazonaws.com")):
        with pytest.raises(AccessDenied) as refused:
            access.authorize(caller, *passing(arn, service), dialect="lambda")
        assert (refused.value.code, refused.value.status) == ("AccessDeniedException", 403)
        assert "is not authorized to perform: iam:PassRole on resource: " in refused.value.message


def test_a_role_may_be_for_one_function_only(access: Access) -> None:
    mine, other = (f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in ("mine", "other"))
    trust = {"Statement": {**_TRUST["Statement"], "Condition": {"ArnEquals": {"aws:SourceArn": mine}}}}
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": TABLE,
        "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": mine}},
    }
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": statement}}]
    arn = access.put_role({"RoleName": "r", "AssumeRolePolicyDocument": trust, "Policies": policies})
    session = access.assume_role_for_service(arn, "session", "lambda.amazonaws.com", 900, mine)
    access.authorize(access.caller_of(session), "dynamodb:GetItem", TABLE)
    for source in (other, None):
        with pytest.raises(AccessDenied):
            access.assume_role_for_service(arn, "session", "lambda.amazonaws.com", 900, source)


def test_what_nearly_allowed_is_told(access: Access, give_role: GiveRole) -> None:
    condition = {"StringLike": {"dynamodb:LeadingKeys": ["mine-*"]}}
    caller = give_role(
        {"Effect": "Allow", "Action": "dynamodb:Put*", "Resource": TABLE + "x"},
        {"Sid": "Mine", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": condition},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    )
    error = _denied(access, caller, "dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": ["yours-1"]})
    first, second = error.facts["nearMisses"]
    assert (first["statement"], first["failed"], first["wanted"]) == (0, "Resource", [TABLE + "x"])
    assert second == {
        "layer": "identity",
        "policy": "inline",
        "statement": 1,
        "sid": "Mine",
        "failed": "Condition",
        "operator": "StringLike",
        "key": "dynamodb:LeadingKeys",
        "wanted": ["mine-*"],
        "given": ["yours-1"],
    }
    assert error.facts["identity"] == "arn:aws:iam::123456789012:role/fn"


def test_the_owner_always_has_a_key(access: Access) -> None:
    first = access.owner_credentials()
    access.keys.set_active("owner", first.access_key_id, False)
    second = access.owner_credentials()
    access.keys.set_active("owner", second.access_key_id, False)
    third = access.owner_credentials()
    assert len({first.access_key_id, second.access_key_id, third.access_key_id}) == 3
    assert [key.access_key_id for key in access.keys.of("owner")] == [second.access_key_id, third.access_key_id]


def test_a_repeated_decision_is_not_evaluated_again(
    access: Access, give_role: GiveRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = give_role(READS)
    access.authorize(caller, "dynamodb:GetItem", TABLE)
    evaluated: list[Any] = []
    monkeypatch.setattr("trine.iam.authority.evaluate", evaluated.append)
    for _ in range(3):
        access.authorize(caller, "dynamodb:GetItem", TABLE)
        access.authorize(access.caller_of(caller.session), "dynamodb:GetItem", TABLE, {"dynamodb:Select": ["COUNT"]})
    assert not evaluated


def test_what_is_settled_needs_no_question(access: Access, give_role: GiveRole) -> None:
    """A hot call asks one dictionary; what a condition, a refusal or a change of policies decides is never there."""
    caller = give_role(READS)
    question = ("dynamodb:GetItem", TABLE, None)
    assert question not in caller.settled
    access.authorize(caller, "dynamodb:GetItem", TABLE)
    detail = caller.settled[question]
    assert (detail["action"], detail["resource"]) == ("dynamodb:GetItem", TABLE)
    _denied(access, caller, "dynamodb:PutItem", TABLE)
    assert ("dynamodb:PutItem", TABLE, None) not in caller.settled

    leading = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]}}
    limited = give_role({**READS, "Condition": leading}, RoleName="limited")
    access.authorize(limited, "dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": ["mine"]})
    assert question not in limited.settled


def test_nothing_is_settled_for_who_passes_an_endpoint(access: Access, give_role: GiveRole) -> None:
    """A session outside settles a call for its role; one in a VPC is asked all the same, for its endpoint."""
    caller = give_role(READS)
    access.authorize(caller, "dynamodb:GetItem", TABLE)
    assert caller.settled
    assert caller.session is not None
    caller.session.placement = cast(Any, object())
    assert not caller.settled


@pytest.mark.parametrize(
    ("peer", "secure"),
    [("127.0.0.1", "true"), ("127.8.9.1", "true"), ("::1", "true"), ("::ffff:127.0.0.1", "true"), ("10.0.0.7", "false"),
     ("::2", "false")],
)  # fmt: skip
def test_what_stays_on_the_loopback_is_secure(peer: str, secure: str) -> None:
    assert secure_transport(peer) == secure


@pytest.mark.parametrize(
    "text", ["nothing-valid-in-here", "arn:a:::role/x", "arn::iam::1:role/x", "arn:aws:iam::123456789012:"]
)
def test_a_role_must_be_named_by_an_arn(access: Access, sign: Any, text: str) -> None:
    key = access.owner_credentials()
    who = access.authenticate(sign(key.access_key_id, key.secret_access_key), "dynamodb")
    with pytest.raises(ValidationError, match=f"^{text} is invalid$"):
        access.tokens.assume_role(who, text, "name")
