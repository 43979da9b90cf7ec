"""STS and IAM at the door: real sockets, boto3's own clients, AWS's errors."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.waiting import PATIENCE_SECONDS
from trine.aws.ids import SystemIds
from trine.clock import SystemClock
from trine.http.message import Request, Response
from trine.http.server import serve
from trine.iam.access import Access
from trine.iam.door import ServiceDoor
from trine.iam.endpoint import identity_api
from trine.trace import TraceBook

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}],
}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]}


class House:
    """A server with both endpoints, in a thread with its own loop."""

    def __init__(self, catalogue: Any) -> None:
        # botocore signs with the machine's time, so this one test file lives in it.
        self.clock, ids = SystemClock(), SystemIds()
        self.traces = TraceBook(self.clock)
        self._catalogue = catalogue
        self._ids = ids
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)

    async def _serve(self) -> None:
        self.access = Access(self.clock, self._ids, self._catalogue)
        self.owner = self.access.owner_credentials()
        await self.access.settled()
        access = self.access
        doors = {
            name: ServiceDoor(identity_api(name, access), access, self._ids, self.traces) for name in ("sts", "iam")
        }

        def handle(request: Request) -> Any:
            authorization = request.headers.get(b"authorization") or request.query
            service = "sts" if b"/sts/" in authorization or b"%2Fsts%2F" in authorization else "iam"
            answer = doors[service].handle(request)
            assert not isinstance(answer, Response) or isinstance(answer.body, bytes)
            return answer

        server = await serve(handle, clock=self.clock)
        self.port, self._loop, self._stop = server.port, asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        await server.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_SECONDS)

    def within(self, deed: Callable[[], Any]) -> Any:
        """Do something on the server's own loop."""

        async def done() -> Any:
            return deed()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE_SECONDS)

    def client(self, service: str, keys: Any = None) -> Any:
        """A boto3 client with the owner's key, a key pair, or the Credentials of an answer."""
        if keys is None:
            keys = {"AccessKeyId": self.owner.access_key_id, "SecretAccessKey": self.owner.secret_access_key}
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(retries={"max_attempts": 1}),
        )


@pytest.fixture
def house(catalogue: Any) -> Iterator[House]:
    house = House(catalogue)
    try:
        yield house
    finally:
        house.close()


@pytest.fixture
def iam(house: House) -> Any:
    return house.client("iam")


@pytest.fixture
def sts(house: House) -> Any:
    return house.client("sts")


def error_of(call: Callable[..., Any], **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_who_am_i(house: House, sts: Any) -> None:
    identity = sts.get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/owner"
    assert identity["Account"] == "123456789012"
    assert identity["UserId"].startswith("AIDA")
    request_id = identity["ResponseMetadata"]["RequestId"]
    trace = house.traces.find(request_id)
    assert trace is not None
    assert [step.room for step in trace.steps] == ["iam.signature", "sts.shape", "sts.operation"]


def test_strangers(house: House) -> None:
    keys = {"AccessKeyId": "AKIAWRONG", "SecretAccessKey": "x"}
    assert error_of(house.client("sts", keys).get_caller_identity)[:2] == (403, "InvalidClientTokenId")
    keys = {"AccessKeyId": house.owner.access_key_id, "SecretAccessKey": "x"}
    assert error_of(house.client("sts", keys).get_caller_identity)[:2] == (403, "SignatureDoesNotMatch")


def test_a_role_from_birth_to_death(house: House, iam: Any, sts: Any) -> None:
    made = iam.create_role(
        RoleName="r", Path="/team/", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}]
    )["Role"]
    assert made["Arn"] == "arn:aws:iam::123456789012:role/team/r"
    assert made["AssumeRolePolicyDocument"] == TRUST
    assert error_of(iam.create_role, RoleName="R", AssumeRolePolicyDocument=json.dumps(TRUST)) == (
        409,
        "EntityAlreadyExists",
        "Role with name R already exists.",
    )
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(READ))
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == READ
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"]
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for _ in range(2):
        iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": managed}]

    session = sts.assume_role(RoleArn=made["Arn"], RoleSessionName="me")
    assert session["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/r/me"
    theirs = house.client("iam", session["Credentials"])
    assert theirs.get_role(RoleName="r")["Role"]["RoleLastUsed"]["Region"] == "us-east-1"
    assert error_of(theirs.list_roles) == (
        403,
        "AccessDenied",
        (
            "User: arn:aws:sts::123456789012:assumed-role/r/me is not authorized to perform: iam:ListRoles on "
            "resource: * because no identity-based policy allows the iam:ListRoles action"
        ),
    )

    iam.update_role(RoleName="r", MaxSessionDuration=7200, Description="d")
    iam.tag_role(RoleName="r", Tags=[{"Key": "A", "Value": "c"}, {"Key": "x", "Value": "y"}])
    iam.untag_role(RoleName="r", TagKeys=["X"])
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["MaxSessionDuration"], role["Description"], role["Tags"]) == (7200, "d", [{"Key": "A", "Value": "c"}])

    assert error_of(iam.delete_role, RoleName="r")[1:] == (
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    )
    iam.detach_role_policy(RoleName="r", PolicyArn=managed)
    assert error_of(iam.delete_role, RoleName="r")[2] == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    assert error_of(iam.get_role, RoleName="r") == (404, "NoSuchEntity", "The role with name r cannot be found.")
    assert error_of(theirs.get_role, RoleName="r")[1] == "InvalidClientTokenId", "its sessions died with it"


def test_users_keys_and_groups(house: House, iam: Any) -> None:
    iam.create_user(UserName="ann", Path="/team/")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = house.client("iam", key)
    assert error_of(ann.get_user)[1] == "AccessDenied"
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=json.dumps(READ))
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    assert ann.get_user()["User"]["Arn"] == "arn:aws:iam::123456789012:user/team/ann"
    assert [user["UserName"] for user in iam.get_group(GroupName="readers")["Users"]] == ["ann"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["readers"]
    boundary = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=boundary)
    assert "because no permissions boundary allows the iam:GetUser action" in error_of(ann.get_user)[2]
    iam.delete_user_permissions_boundary(UserName="ann")
    iam.create_access_key(UserName="ann")
    assert error_of(iam.create_access_key, UserName="ann")[:2] == (409, "LimitExceeded")
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert error_of(ann.get_user)[1] == "InvalidClientTokenId"
    listed = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert [one["Status"] for one in listed] == ["Inactive", "Active"]
    assert error_of(iam.delete_user, UserName="ann")[2] == "Cannot delete entity, must delete access keys first."
    for one in listed:
        iam.delete_access_key(UserName="ann", AccessKeyId=one["AccessKeyId"])
    assert error_of(iam.delete_group, GroupName="readers")[1] == "DeleteConflict"
    iam.remove_user_from_group(GroupName="readers", UserName="ann")
    iam.delete_user(UserName="ann")
    iam.delete_group_policy(GroupName="readers", PolicyName="p")
    iam.delete_group(GroupName="readers")


def test_managed_policies_and_versions(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(READ), Description="d")["Policy"]["Arn"]
    assert error_of(iam.create_policy, PolicyName="P", PolicyDocument=json.dumps(READ))[1] == "EntityAlreadyExists"
    status, code, message = error_of(iam.create_policy, PolicyName="q", PolicyDocument='{"Statement":[{}]}')
    assert (status, code) == (400, "MalformedPolicyDocument")
    assert message.endswith("(at Statement[0].Effect)")
    second = {**READ, "Version": "2008-10-17"}
    for number in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(second), SetAsDefault=number == 0)
    assert error_of(iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps(READ))[1] == "LimitExceeded"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"] == second
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [one["VersionId"] for one in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert error_of(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[1] == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    for version in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["B"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == iam.get_policy(PolicyArn=arn)["Policy"]["Tags"]
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.create_user(UserName="u")
    iam.attach_user_policy(UserName="u", PolicyArn=arn)
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [one["UserName"] for one in entities["PolicyUsers"]] == ["u"]
    assert error_of(iam.delete_policy, PolicyArn=arn)[1] == "DeleteConflict"
    iam.detach_user_policy(UserName="u", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert error_of(iam.get_policy, PolicyArn=arn) == (404, "NoSuchEntity", f"Policy {arn} was not found.")
    names = {one["PolicyName"] for one in iam.list_policies(Scope="AWS")["Policies"]}
    assert {"AdministratorAccess", "AmazonDynamoDBReadOnlyAccess"} <= names
    theirs = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"  # AWS's own, and for everybody to read
    version = iam.get_policy(PolicyArn=theirs)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=theirs, VersionId=version)["PolicyVersion"]["Document"]
    assert any("lambda:*" in statement["Action"] for statement in document["Statement"])
    assert error_of(iam.get_policy_version, PolicyArn=theirs, VersionId="v999")[1] == "NoSuchEntity"
    assert error_of(iam.delete_policy, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")[1] == "AccessDenied"


def test_pages(iam: Any) -> None:
    for number in range(7):
        iam.create_user(UserName=f"u{number}")
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Users"]) for page in pages] == [3, 3, 2]
    assert error_of(iam.list_users, Marker="x")[1] == "ValidationError"


class TestAssumeRole:
    """Who may take a role, for how long, and with what left of it."""

    @pytest.fixture
    def arn(self, house: House) -> str:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        properties = {
            "RoleName": "r",
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy}],
        }
        return str(house.within(lambda: house.access.put_role(properties)))

    def _trust(self, house: House, principal: Any, **condition: Any) -> None:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **condition}
        house.access.directory.get("role", "r").trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def test_durations(self, sts: Any, arn: str) -> None:
        given = sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=900)["Credentials"]
        assert given["AccessKeyId"].startswith("ASIA")
        message = error_of(sts.assume_role, RoleArn=arn, RoleSessionName="me", DurationSeconds=7200)
        assert message[1:] == (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )

    def test_chains_last_an_hour(self, house: House, sts: Any, arn: str) -> None:
        house.access.directory.get("role", "r").max_session_seconds = 43200
        long = sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=43200)["Credentials"]
        chained = house.client("sts", long)
        chained.assume_role(RoleArn=arn, RoleSessionName="again", DurationSeconds=3600)
        code = error_of(chained.assume_role, RoleArn=arn, RoleSessionName="again", DurationSeconds=3601)[1]
        assert code == "ValidationError"

    def test_a_session_policy_takes_away(self, house: House, sts: Any, arn: str) -> None:
        given = sts.assume_role(RoleArn=arn, RoleSessionName="me", Policy=json.dumps(READ))
        assert given["PackedPolicySize"] > 0
        held = house.client("iam", given["Credentials"])
        held.get_role(RoleName="r")
        assert "because no session policy allows the iam:ListRoles action" in error_of(held.list_roles)[2]
        wrong = error_of(sts.assume_role, RoleArn=arn, RoleSessionName="me", Policy='{"Statement":1}')
        assert wrong[1] == "MalformedPolicyDocument"

    def test_an_external_id_keeps_out_deputies(self, house: House, sts: Any, arn: str) -> None:
        self._trust(house, {"AWS": "123456789012"}, Condition={"StringEquals": {"sts:ExternalId": "secret-7"}})
        sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="secret-7")
        for given in ({}, {"ExternalId": "secret-8"}):
            assert error_of(sts.assume_role, RoleArn=arn, RoleSessionName="me", **given)[:2] == (403, "AccessDenied")

    def test_the_trust_policy_has_to_name_the_caller(self, house: House, sts: Any, arn: str) -> None:
        for principal in ({"Service": "lambda.amazonaws.com"}, {"AWS": "arn:aws:iam::123456789012:user/else"}):
            self._trust(house, principal)
            assert error_of(sts.assume_role, RoleArn=arn, RoleSessionName="me")[2] == (
                "User: arn:aws:iam::123456789012:user/owner is not authorized to perform: sts:AssumeRole on resource: "
                f"{arn}"
            )

    def test_the_account_delegates_to_identity_policies(self, house: House, iam: Any, arn: str) -> None:
        iam.create_user(UserName="ann")
        ann = house.client("sts", iam.create_access_key(UserName="ann")["AccessKey"])
        assert error_of(ann.assume_role, RoleArn=arn, RoleSessionName="me")[1] == "AccessDenied"
        self._trust(house, {"AWS": "arn:aws:iam::123456789012:user/ann"})
        ann.assume_role(RoleArn=arn, RoleSessionName="me")

    def test_tags_need_their_own_right(self, house: House, sts: Any, arn: str) -> None:
        tags = [{"Key": "team", "Value": "blue"}]
        assert error_of(sts.assume_role, RoleArn=arn, RoleSessionName="me", Tags=tags)[1] == "AccessDenied"
        trust = json.loads(json.dumps(TRUST))
        trust["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
        house.access.directory.get("role", "r").trust = json.dumps(trust)
        sts.assume_role(RoleArn=arn, RoleSessionName="me", Tags=tags)

    def test_get_session_token(self, house: House, sts: Any) -> None:
        given = sts.get_session_token(DurationSeconds=900)["Credentials"]
        again = house.client("sts", given)
        assert again.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/owner"
        assert error_of(again.get_session_token) == (
            403,
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
        )

    def test_the_trace_tells_what_the_trust_policy_lacked(self, house: House, sts: Any, arn: str) -> None:
        self._trust(house, {"AWS": "123456789012"}, Condition={"StringEquals": {"sts:ExternalId": "secret-7"}})
        with pytest.raises(ClientError) as refused:
            sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="other")
        trace = house.traces.find(refused.value.response["ResponseMetadata"]["RequestId"])
        assert trace is not None
        assert trace.refusal is not None
        (miss,) = [one for one in trace.refusal["nearMisses"] if one["layer"] == "trust"]
        assert (miss["failed"], miss["key"], miss["given"]) == ("Condition", "sts:ExternalId", ["other"])

    def test_nobody_learns_whether_a_role_exists(self, sts: Any, arn: str) -> None:
        assert error_of(sts.assume_role, RoleArn=arn + "x", RoleSessionName="me")[:2] == (403, "AccessDenied")


def test_changes_are_durable_when_answered(house: House, iam: Any, catalogue: Any) -> None:
    iam.create_user(UserName="ann")
    assert catalogue.get("iam:user", "ann")["arn"] == "arn:aws:iam::123456789012:user/ann"
    assert unquote(house.access.directory.get("user", "owner").arn).endswith("user/owner")


def test_simulating_custom_policies(iam: Any) -> None:
    policy = '{"Version":"2012-10-17",\n"Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
    results = iam.simulate_custom_policy(PolicyInputList=[policy], ActionNames=["s3:GetObject", "s3:PutObject"])
    first, second = results["EvaluationResults"]
    assert (first["EvalDecision"], second["EvalDecision"]) == ("allowed", "implicitDeny")
    assert first["MatchedStatements"] == [
        {
            "SourcePolicyId": "PolicyInputList.1",
            "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 2, "Column": 14},
            "EndPosition": {"Line": 2, "Column": 66},
        }
    ]
    assert error_of(iam.simulate_custom_policy, PolicyInputList=["{"], ActionNames=["s3:Get"])[0] == 400


def test_simulating_a_principal(house: House, iam: Any) -> None:
    iam.create_user(UserName="ann")
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:*",
        "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/${aws:username}-*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document)
    arn = "arn:aws:iam::123456789012:user/ann"
    question = {
        "PolicySourceArn": arn,
        "ActionNames": ["dynamodb:GetItem"],
        "ResourceArns": [f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}-1" for name in ("ann", "bob")],
    }
    verdicts = [one["EvalDecision"] for one in iam.simulate_principal_policy(**question)["EvaluationResults"]]
    assert verdicts == ["implicitDeny", "implicitDeny"]
    missing = iam.simulate_principal_policy(**question)["EvaluationResults"][0]["MissingContextValues"]
    assert missing == ["aws:SecureTransport"]
    entry = {"ContextKeyName": "AWS:SecureTransport", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}
    results = iam.simulate_principal_policy(**question, ContextEntries=[entry])["EvaluationResults"]
    assert [one["EvalDecision"] for one in results] == ["allowed", "implicitDeny"]
    assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "p"
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"]
    assert keys == ["aws:SecureTransport", "aws:username"]
    assert error_of(iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=["a:b"])[1] == "NoSuchEntity"


def test_openid_connect_providers(iam: Any) -> None:
    arn = iam.create_open_id_connect_provider(Url="https://id.example/x", ClientIDList=["a"])[
        "OpenIDConnectProviderArn"
    ]
    assert arn == "arn:aws:iam::123456789012:oidc-provider/id.example/x"
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["0" * 40])
    provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (provider["Url"], provider["ClientIDList"], provider["ThumbprintList"]) == (
        "id.example/x",
        ["b"],
        ["0" * 40],
    )
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == [{"Arn": arn}]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert error_of(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[:2] == (404, "NoSuchEntity")


def test_a_renamed_user_keeps_keys_and_policies(house: House, iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(READ))
    assert error_of(iam.update_user, UserName="ann", NewUserName="Bob")[1] == "EntityAlreadyExists"
    iam.update_user(UserName="ann", NewUserName="zoe", NewPath="/x/")
    assert house.client("iam", key).get_user()["User"]["Arn"] == "arn:aws:iam::123456789012:user/x/zoe"
    assert error_of(iam.get_user, UserName="ann")[1] == "NoSuchEntity"
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == "zoe"


def test_every_operation_offered_is_one_of_the_model() -> None:
    from trine.aws.protocol import ServiceModel
    from trine.iam.endpoint import OPERATIONS

    for service, operations in OPERATIONS.items():
        assert set(operations) <= set(ServiceModel(service).model.operations)


def test_secrets_reach_no_log(house: House, iam: Any, sts: Any, caplog: pytest.LogCaptureFixture) -> None:
    given = sts.get_session_token()["Credentials"]
    wrong = {**given, "SessionToken": given["SessionToken"][:-4] + "AAAA"}
    error_of(house.client("sts", wrong).get_caller_identity)
    error_of(house.client("iam", {**given, "SecretAccessKey": "x"}).list_users)
    shown = caplog.text + json.dumps(
        [trace.as_document() for kind in ("sts", "iam") for trace in house.traces.latest(kind)]
    )
    for secret in (given["SecretAccessKey"], given["SessionToken"], house.owner.secret_access_key):
        assert secret not in shown


def test_session_tokens_without_mfa_are_not_for_iam(house: House, sts: Any) -> None:
    given = sts.get_session_token()["Credentials"]
    assert error_of(house.client("iam", given).list_users)[:2] == (403, "InvalidClientTokenId")
