"""What administrators do, who may be one, and that everything is there after a restart."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import jwt
import pytest

from trine.stack.state import fork
from trine.testing import running

PASSWORD = "Secret!12"
APPLICATION = Path(__file__).parent / "application"


def test_pools_and_clients_are_made_shown_changed_and_forgotten(people: Any) -> None:
    api = people.api
    pool = api.create_user_pool(PoolName="second", AliasAttributes=["email"])["UserPool"]
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    assert {one["Name"] for one in pool["SchemaAttributes"]} >= {"sub", "email", "phone_number_verified"}
    client = api.create_user_pool_client(UserPoolId=pool["Id"], ClientName="app", GenerateSecret=True)
    client_id = client["UserPoolClient"]["ClientId"]
    assert len(client["UserPoolClient"]["ClientSecret"]) == 52
    api.update_user_pool_client(UserPoolId=pool["Id"], ClientId=client_id, AccessTokenValidity=5,
                                TokenValidityUnits={"AccessToken": "minutes"})  # fmt: skip
    shown = api.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=client_id)["UserPoolClient"]
    assert shown["AccessTokenValidity"] == 5
    assert people.error("create_user_pool_client", UserPoolId=pool["Id"], ClientName="x", AccessTokenValidity=25)[
        0
    ] == ("InvalidParameterException")
    assert people.error("describe_user_pool_client", UserPoolId=people.pool, ClientId=client_id)[0] == (
        "ResourceNotFoundException"
    )
    api.delete_user_pool(UserPoolId=pool["Id"])
    assert people.error("describe_user_pool", UserPoolId=pool["Id"]) == (
        "ResourceNotFoundException",
        f"User pool {pool['Id']} does not exist.",
    )


def test_aliases_sign_in_once_they_are_verified(people: Any) -> None:
    api = people.api
    pool = api.create_user_pool(PoolName="aliases", AliasAttributes=["email"], UsernameConfiguration={
        "CaseSensitive": False})["UserPool"]["Id"]  # fmt: skip
    client = api.create_user_pool_client(
        UserPoolId=pool,
        ClientName="app",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    api.admin_create_user(
        UserPoolId=pool, Username="Grace", UserAttributes=[{"Name": "email", "Value": "g@example.com"}]
    )
    api.admin_set_user_password(UserPoolId=pool, Username="grace", Password=PASSWORD, Permanent=True)

    def signs_in(name: str) -> bool:
        asked = {"UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}
        try:
            api.admin_initiate_auth(**asked, AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD})
        except api.exceptions.UserNotFoundException:
            return False
        return True

    assert signs_in("GRACE")
    assert not signs_in("g@example.com")
    verified = [{"Name": "email_verified", "Value": "true"}]
    api.admin_update_user_attributes(UserPoolId=pool, Username="Grace", UserAttributes=verified)
    assert signs_in("G@example.com")


def test_users_are_listed_found_and_grouped(people: Any) -> None:
    email = people.someone(name="Mary Shelley")
    found = people.api.list_users(UserPoolId=people.pool, Filter=f'email = "{email}"')["Users"]
    assert [{a["Name"]: a["Value"] for a in user["Attributes"]}["name"] for user in found] == ["Mary Shelley"]
    assert people.api.list_users(UserPoolId=people.pool, Filter='name ^= "Mary"', Limit=1)["Users"]
    assert people.error("list_users", UserPoolId=people.pool, Filter="name like x")[0] == "InvalidParameterException"
    people.api.admin_add_user_to_group(UserPoolId=people.pool, Username=email, GroupName="admins")
    groups = people.api.admin_list_groups_for_user(UserPoolId=people.pool, Username=email)["Groups"]
    assert [group["GroupName"] for group in groups] == ["admins"]
    members = people.api.list_users_in_group(UserPoolId=people.pool, GroupName="admins")["Users"]
    assert found[0]["Username"] in [user["Username"] for user in members]
    assert people.error("create_group", UserPoolId=people.pool, GroupName="admins")[0] == "GroupExistsException"
    people.api.admin_remove_user_from_group(UserPoolId=people.pool, Username=email, GroupName="admins")
    assert people.api.admin_list_groups_for_user(UserPoolId=people.pool, Username=email)["Groups"] == []


def test_people_change_their_own_attributes_and_verify_them(people: Any) -> None:
    email = people.someone()
    token = people.sign_in(email)["AccessToken"]
    moved = [{"Name": "email", "Value": f"moved-{email}"}]
    people.api.update_user_attributes(AccessToken=token, UserAttributes=moved)
    shown = {a["Name"]: a["Value"] for a in people.api.get_user(AccessToken=token)["UserAttributes"]}
    assert shown["email_verified"] == "false"
    code = people.code_for(f"moved-{email}")
    assert people.error("verify_user_attribute", AccessToken=token, AttributeName="email", Code="x")[0] == (
        "CodeMismatchException"
    )
    people.api.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)
    shown = {a["Name"]: a["Value"] for a in people.api.get_user(AccessToken=token)["UserAttributes"]}
    assert shown["email_verified"] == "true"
    people.api.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Changed!12")
    people.sign_in(f"moved-{email}", "Changed!12")
    people.api.delete_user(AccessToken=token)
    assert people.error("get_user", AccessToken=token)[0] == "NotAuthorizedException"


def test_administration_needs_a_signature_and_a_permission(people: Any) -> None:
    body = f'{{"UserPoolId": "{people.pool}", "Username": "x"}}'.encode()
    target = "AWSCognitoIdentityProviderService.AdminDeleteUser"
    request = urllib.request.Request(people.stack.aws_url, body, {"X-Amz-Target": target})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert b"MissingAuthenticationTokenException" in refused.value.read()
    iam = people.stack.client("iam")
    iam.create_user(UserName="helper")
    iam.put_user_policy(
        UserName="helper", PolicyName="p",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cognito-idp:ListUsers",'
        f' "Resource": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/{people.pool}"}}]}}',
    )  # fmt: skip
    key = iam.create_access_key(UserName="helper")["AccessKey"]
    helper = boto3.client(
        "cognito-idp", endpoint_url=people.stack.aws_url, region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    assert helper.list_users(UserPoolId=people.pool)["Users"] is not None
    with pytest.raises(
        helper.exceptions.ClientError, match="is not authorized to perform: cognito-idp:AdminDeleteUser"
    ):
        helper.admin_delete_user(UserPoolId=people.pool, Username="x")


def test_a_token_of_the_pool_assumes_a_role_that_trusts_it(people: Any) -> None:
    people.stack.client("iam").create_open_id_connect_provider(
        Url=people.outputs["Provider"], ClientIDList=[people.web]
    )
    token = people.sign_in(people.someone())["IdToken"]
    sts = people.stack.client("sts")
    asked = {"RoleArn": people.outputs["Reader"], "RoleSessionName": "web", "WebIdentityToken": token}
    assert sts.assume_role_with_web_identity(**asked)["SubjectFromWebIdentityToken"]
    head, body, signature = token.split(".")
    asked["WebIdentityToken"] = f"{head}.{body}.{signature[:-4]}AAAA"
    with pytest.raises(sts.exceptions.ClientError, match="InvalidIdentityToken"):
        sts.assume_role_with_web_identity(**asked)


def test_everything_is_there_after_a_restart_and_secrets_lie_sealed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(APPLICATION, memory=False, state_directory=state) as stack:
        api = stack.client("cognito-idp")
        outputs = {one["name"]: one["value"] for one in stack.description["outputs"]}
        pool, web = outputs["Pool"], outputs["Web"]
        api.admin_create_user(UserPoolId=pool, Username="a@b.cd", TemporaryPassword="Temp!1234")
        api.admin_set_user_password(UserPoolId=pool, Username="a@b.cd", Password=PASSWORD, Permanent=True)
        asked = {"UserPoolId": pool, "ClientId": web, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}
        known = {"USERNAME": "a@b.cd", "PASSWORD": PASSWORD}
        first = api.admin_initiate_auth(**asked, AuthParameters=known)["AuthenticationResult"]
    with running(APPLICATION, memory=False, state_directory=state) as stack:
        api = stack.client("cognito-idp")
        assert api.get_user(AccessToken=first["AccessToken"])["Username"]
        second = api.admin_initiate_auth(**asked, AuthParameters=known)["AuthenticationResult"]
        kid = jwt.get_unverified_header(first["IdToken"])["kid"]
        assert jwt.get_unverified_header(second["IdToken"])["kid"] == kid, "the pool keeps its key"
        refresh = {"ClientId": web, "AuthFlow": "REFRESH_TOKEN_AUTH",
                   "AuthParameters": {"REFRESH_TOKEN": first["RefreshToken"]}}  # fmt: skip
        assert api.initiate_auth(**refresh)["AuthenticationResult"]["AccessToken"]
        assert {one["name"]: one["value"] for one in stack.description["outputs"]} == outputs, "secrets among them"
        assert stack.stack.run_file().client_secrets == {"Quiet": outputs["QuietSecret"]}
    with running(APPLICATION) as other:
        secrets = {one["name"]: one["value"] for one in other.description["outputs"]}
        assert secrets["Web"] == web, "ids come of names,"
        assert secrets["QuietSecret"] != outputs["QuietSecret"], "secrets of the state"
    for name in ("secrets.key", "cognito.key", *(str(each.relative_to(state)) for each in state.rglob("*.jsonl"))):
        assert (state / name).stat().st_mode & 0o077 == 0, name
    fork(state, tmp_path / "fork")
    assert (tmp_path / "fork" / "cognito.key").stat().st_mode & 0o077 == 0
    with running(APPLICATION, memory=False, state_directory=tmp_path / "fork") as stack:
        third = stack.client("cognito-idp").admin_initiate_auth(**asked, AuthParameters=known)["AuthenticationResult"]
        assert jwt.get_unverified_header(third["IdToken"])["kid"] == kid, "a fork can open what lies sealed"
        assert {one["name"]: one["value"] for one in stack.description["outputs"]} == outputs
    kept = b"".join(
        (Path(folder) / name).read_bytes() for folder, _, names in os.walk(state) for name in names
        if "log" not in folder and not name.endswith(".log")
    )  # fmt: skip
    assert b"a@b.cd" in kept, "this is where people lie"
    for secret in (PASSWORD.encode(), b"PRIVATE KEY", first["RefreshToken"].encode()):
        assert secret not in kept


def test_the_aws_cli_and_a_browser_may_ask(people: Any) -> None:
    request = urllib.request.Request(
        people.stack.aws_url, method="OPTIONS",
        headers={"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "content-type,x-amz-target"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    url = f"{people.stack.aws_url}/{people.pool}/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert people.outputs["Provider"].encode() in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url.replace(people.pool, "us-east-1_nobody"), timeout=60)
