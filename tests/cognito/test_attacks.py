"""People who would be somebody else, or more than they are, and what they are told."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from trine.cognito.errors import UserNotFound

PASSWORD = "Secret!12"


def attributes_of(people: Any, pool: str, name: str) -> dict[str, str]:
    shown = people.api.admin_get_user(UserPoolId=pool, Username=name)["UserAttributes"]
    return {one["Name"]: one["Value"] for one in shown}


def pool_of_its_own(people: Any, **settings: Any) -> tuple[str, str]:
    """A new pool and a client of it that takes passwords and does not hide people."""
    pool = people.api.create_user_pool(PoolName="own", **settings)["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = people.api.create_user_pool_client(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=flows)
    return pool, client["UserPoolClient"]["ClientId"]


def invite(people: Any, pool: str, name: str, password: str = PASSWORD, **attributes: str) -> None:
    given = [{"Name": key.replace("__", ":"), "Value": value} for key, value in attributes.items()]
    people.api.admin_create_user(UserPoolId=pool, Username=name, UserAttributes=given, MessageAction="SUPPRESS")
    people.api.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)


def token_of(people: Any, client: str, name: str, password: str = PASSWORD) -> str:
    answer = people.api.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password}
    )
    token: str = answer["AuthenticationResult"]["AccessToken"]
    return token


def code_in(people: Any, pool: str, who: str) -> str:
    store = people.stack.stack.wings.functions.machinery.log_store
    lines = people.stack.call(lambda: [event.message for event in store.group(f"/aws/cognito/{pool}").events()])
    found: str = [line for line in lines if who in line][-1][-6:]
    return found


def test_a_code_proves_the_address_that_it_was_sent_to_and_no_other(people: Any) -> None:
    pool, client = pool_of_its_own(people, AliasAttributes=["email"])
    invite(people, pool, "mallory", email="m@evil.example")
    token = token_of(people, client, "mallory")
    people.api.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    code = code_in(people, pool, "m@evil.example")
    victim = [{"Name": "email", "Value": "boss@example.com"}]
    people.api.update_user_attributes(AccessToken=token, UserAttributes=victim)
    refused = people.error("verify_user_attribute", AccessToken=token, AttributeName="email", Code=code)
    assert refused[0] == "CodeMismatchException"
    assert attributes_of(people, pool, "mallory")["email_verified"] == "false"


def test_a_new_password_of_an_invited_person_does_not_bring_an_address_nobody_verified(people: Any) -> None:
    schema = [{"Name": "tenant", "AttributeDataType": "String", "Mutable": False}]
    pool, client = pool_of_its_own(people, Schema=schema)
    given = [{"Name": "email", "Value": "m@evil.example"}, {"Name": "email_verified", "Value": "true"},
             {"Name": "custom:tenant", "Value": "evil"}]  # fmt: skip
    people.api.admin_create_user(
        UserPoolId=pool, Username="mallory", UserAttributes=given, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    asked = {"USERNAME": "mallory", "PASSWORD": PASSWORD}
    session = people.api.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=asked)["Session"]
    answer = {"ClientId": client, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    new = {"USERNAME": "mallory", "NEW_PASSWORD": "Another!34"}
    refused = people.error(
        "respond_to_auth_challenge", **answer, ChallengeResponses={**new, "userAttributes.custom:tenant": "victim"}
    )
    assert refused[0] == "InvalidParameterException"
    assert "cannot be updated" in refused[1]
    people.api.respond_to_auth_challenge(
        **answer, ChallengeResponses={**new, "userAttributes.email": "boss@example.com"}
    )
    kept = attributes_of(people, pool, "mallory")
    assert (kept["email"], kept["email_verified"], kept["custom:tenant"]) == ("boss@example.com", "false", "evil")


def test_what_is_fixed_cannot_be_changed_by_deleting_it_first(people: Any) -> None:
    schema = [{"Name": "tenant", "AttributeDataType": "String", "Mutable": False},
              {"Name": "plan", "AttributeDataType": "String", "Mutable": True}]  # fmt: skip
    pool, client = pool_of_its_own(people, Schema=schema)
    invite(people, pool, "mallory", custom__tenant="evil", custom__plan="free")
    token = token_of(people, client, "mallory")
    assert people.error("delete_user_attributes", AccessToken=token, UserAttributeNames=["custom:tenant"])[0] == (
        "InvalidParameterException"
    )
    people.api.update_user_pool_client(
        UserPoolId=pool, ClientId=client, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"], WriteAttributes=["name"]
    )
    for name in ("custom:plan", "email"):
        assert people.error("delete_user_attributes", AccessToken=token, UserAttributeNames=[name])[0] == (
            "NotAuthorizedException"
        )
    assert attributes_of(people, pool, "mallory")["custom:plan"] == "free"


@pytest.mark.parametrize("name", ["cognito:groups", "groups", "iss", "cognito:roles", "sub", "email_verified"])
def test_no_attribute_makes_a_person_more_than_they_are(people: Any, name: str) -> None:
    token = people.sign_in(people.someone())["AccessToken"]
    refused = people.error(
        "update_user_attributes", AccessToken=token, UserAttributes=[{"Name": name, "Value": "admins"}]
    )
    assert refused[0] in ("InvalidParameterException", "NotAuthorizedException")


def test_nobody_takes_the_address_by_which_another_signs_in(people: Any) -> None:
    victim, token = people.someone(), people.sign_in(people.someone())["AccessToken"]
    taken = [{"Name": "email", "Value": victim}]
    assert people.error("update_user_attributes", AccessToken=token, UserAttributes=taken) == (
        "AliasExistsException",
        "An account with the email already exists.",
    )
    refused = people.error(
        "sign_up", ClientId=people.web, Username="m@evil.example", Password=PASSWORD, UserAttributes=taken
    )
    assert refused == ("InvalidParameterException", "The attribute email must be the user name.")


def test_the_first_who_proves_an_alias_keeps_it(people: Any) -> None:
    pool, client = pool_of_its_own(people, AliasAttributes=["email", "preferred_username"])
    invite(people, pool, "victim", email="boss@example.com", email_verified="true", preferred_username="boss")
    invite(people, pool, "attacker")
    token = token_of(people, client, "attacker")
    for name, value in (("preferred_username", "boss"), ("preferred_username", "victim")):
        assert people.error(
            "update_user_attributes", AccessToken=token, UserAttributes=[{"Name": name, "Value": value}]
        )[0] == "AliasExistsException"  # fmt: skip
    mail = [{"Name": "email", "Value": "boss@example.com"}]
    people.api.update_user_attributes(AccessToken=token, UserAttributes=mail)
    people.api.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    code = code_in(people, pool, "(attacker)")
    assert people.error("verify_user_attribute", AccessToken=token, AttributeName="email", Code=code)[0] == (
        "AliasExistsException"
    )
    verified = [{"Name": "email_verified", "Value": "true"}]
    assert people.error(
        "admin_update_user_attributes", UserPoolId=pool, Username="attacker", UserAttributes=verified
    )[0] == "AliasExistsException"  # fmt: skip
    assert people.api.admin_get_user(UserPoolId=pool, Username="boss@example.com")["Username"] == "victim"


@pytest.mark.parametrize("name", ["boss@example.com", "+15550100123"])
def test_nobody_is_named_as_somebody_elses_alias_may_look(people: Any, name: str) -> None:
    """Names come before aliases: who is named like a telephone would shadow whoever proves it later."""
    _, client = pool_of_its_own(people, AliasAttributes=["email", "phone_number"])
    refused = people.error("sign_up", ClientId=client, Username=name, Password=PASSWORD)
    assert refused[0] == "InvalidParameterException"
    assert "Username cannot be of" in refused[1]


def test_a_code_cannot_be_guessed_by_asking_for_it_again_and_again(people: Any) -> None:
    email = people.someone()
    asked = {"ClientId": people.web, "Username": email}
    for _ in range(4):
        people.api.forgot_password(**asked)
        wrong = "000000" if people.code_for(email) != "000000" else "000001"
        for _ in range(5):
            assert people.error("confirm_forgot_password", **asked, ConfirmationCode=wrong, Password=PASSWORD)[0] == (
                "CodeMismatchException"
            )
    assert people.error("forgot_password", **asked)[0] == "LimitExceededException"


def test_an_access_token_is_no_way_to_guess_the_password(people: Any) -> None:
    token = people.sign_in(people.someone())["AccessToken"]
    asked = {"AccessToken": token, "ProposedPassword": "Another!34"}
    for _ in range(5):
        people.error("change_password", **asked, PreviousPassword="Guess!123")
    assert people.error("change_password", **asked, PreviousPassword=PASSWORD) == (
        "NotAuthorizedException",
        "Password attempts exceeded",
    )


def quiet(people: Any, name: str) -> dict[str, Any]:
    key = people.outputs["QuietSecret"].encode()
    proof = base64.b64encode(hmac.digest(key, (name + people.outputs["Quiet"]).encode(), "sha256")).decode()
    return {"ClientId": people.outputs["Quiet"], "Username": name, "SecretHash": proof}


def test_a_client_that_hides_people_says_the_same_of_those_who_exist(people: Any) -> None:
    here, disabled, nobody = people.someone(), people.someone(), "somenobody@example.com"
    people.api.admin_disable_user(UserPoolId=people.pool, Username=disabled)
    told = [people.api.forgot_password(**quiet(people, name))["CodeDeliveryDetails"] for name in
            (here, disabled, nobody)]  # fmt: skip
    assert told[0] == told[1] == told[2]
    for guess in ({"ConfirmationCode": "000000", "Password": "weak"}, {"ConfirmationCode": "1", "Password": PASSWORD}):
        answers = {people.error("confirm_forgot_password", **quiet(people, name), **guess) for name in
                   (people.someone(), disabled, nobody)}  # fmt: skip
        assert len(answers) == 1
    for _ in range(7):
        answers = set()
        for name in (here, nobody):
            asked = quiet(people, name)
            parameters = {"USERNAME": name, "PASSWORD": "wrong", "SECRET_HASH": asked["SecretHash"]}
            flow = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
            answers.add(people.error("initiate_auth", ClientId=asked["ClientId"], **flow))
        assert answers == {("NotAuthorizedException", "Incorrect username or password.")}


def test_srp_begins_alike_for_who_exists_and_who_does_not(people: Any) -> None:
    def begin(name: str) -> dict[str, str]:
        asked = quiet(people, name)
        parameters = {"USERNAME": name, "SRP_A": "abcdef", "SECRET_HASH": asked["SecretHash"]}
        answer = people.api.initiate_auth(
            ClientId=asked["ClientId"], AuthFlow="USER_SRP_AUTH", AuthParameters=parameters
        )
        found: dict[str, str] = answer["ChallengeParameters"]
        return found

    here, nobody = begin(people.someone()), begin("nobody@example.com")
    assert len(here["USER_ID_FOR_SRP"]) == len(nobody["USER_ID_FOR_SRP"]) == 36
    assert here["USER_ID_FOR_SRP"].count("-") == nobody["USER_ID_FOR_SRP"].count("-") == 4
    again = begin("nobody@example.com")
    assert (again["SALT"], again["USER_ID_FOR_SRP"]) == (nobody["SALT"], nobody["USER_ID_FOR_SRP"])
    computed = hmac.digest(people.pool.encode() + b"salt", b"nobody@example.com", "sha256")[:16].hex()
    assert nobody["SALT"] != computed.lstrip("0"), "what anybody can compute tells who does not exist"


def test_srp_ends_alike_for_who_exists_and_who_does_not(people: Any) -> None:
    answers = set()
    for name in (people.someone(), "nobody@example.com"):
        asked = quiet(people, name)
        parameters = {"USERNAME": name, "SRP_A": "abcdef", "SECRET_HASH": asked["SecretHash"]}
        begun = people.api.initiate_auth(
            ClientId=asked["ClientId"], AuthFlow="USER_SRP_AUTH", AuthParameters=parameters
        )
        answer = {"USERNAME": name, "SECRET_HASH": asked["SecretHash"], "TIMESTAMP": "Sat Nov 28 15:00:00 UTC 2026",
                  "PASSWORD_CLAIM_SECRET_BLOCK": begun["ChallengeParameters"]["SECRET_BLOCK"],
                  "PASSWORD_CLAIM_SIGNATURE": "AAAA"}  # fmt: skip
        given = {"ClientId": asked["ClientId"], "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": answer}
        answers.add(people.error("respond_to_auth_challenge", **given))
        assert people.error("respond_to_auth_challenge", **given)[1] == "Invalid session for the user.", "once only"
    assert answers == {("NotAuthorizedException", "Incorrect username or password.")}


@pytest.mark.parametrize("kind", ["none", "HS256", "kid", "issuer", "pool"])
def test_forged_tokens_open_neither_the_pool_nor_the_api(people: Any, kind: str) -> None:
    genuine = people.sign_in(people.someone())
    token, keys = genuine["IdToken"], f"{people.stack.aws_url}/{people.pool}/.well-known/jwks.json"
    with urllib.request.urlopen(keys, timeout=60) as answer:
        public = answer.read()
    head, body, signature = token.split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body))
    if kind == "none":
        header, signature = {**header, "alg": "none"}, ""
    elif kind == "HS256":
        header = {**header, "alg": "HS256"}
    elif kind == "kid":
        header = {**header, "kid": "../../../../dev/null", "jku": keys, "jwk": json.loads(public)["keys"][0]}
    elif kind == "issuer":
        claims = {**claims, "iss": f"{people.stack.aws_url}/{people.pool}"}
    else:
        pool, client = pool_of_its_own(people)
        invite(people, pool, "mallory")
        forged = token_of(people, client, "mallory")
    if kind != "pool":
        head, body = (base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in
                      (header, claims))  # fmt: skip
        if kind == "HS256":
            signed = hmac.digest(public, f"{head}.{body}".encode(), "sha256")
            signature = base64.urlsafe_b64encode(signed).decode().rstrip("=")
        forged = f"{head}.{body}.{signature}"
        assert people.error("get_user", AccessToken=forged)[0] == "NotAuthorizedException"
    for api in ("Http", "Rest"):
        assert people.get(api, genuine["IdToken"])[0] == 200
        assert people.get(api, forged)[0] == 401, api


def test_an_id_token_is_no_access_token(people: Any) -> None:
    tokens = people.sign_in(people.someone())
    assert people.error("get_user", AccessToken=tokens["IdToken"]) == ("NotAuthorizedException", "Invalid Access Token")


@pytest.mark.parametrize("name", ["a\u0000b", "a\nb", "a\u001b[31mb", "", "x" * 129, " "])
def test_names_that_would_forge_a_log_line_are_refused(people: Any, name: str) -> None:
    pool, client = pool_of_its_own(people)
    body = json.dumps({"ClientId": client, "Username": name, "Password": PASSWORD}).encode()
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp", "Content-Type": "application/x-amz-json-1.1"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(people.stack.aws_url, body, headers), timeout=60)
    assert refused.value.code == 400
    assert b"InvalidParameterException" in refused.value.read()
    assert people.api.list_users(UserPoolId=pool)["Users"] == []


def test_what_ends_late_brings_nobody_back_who_was_removed(people: Any) -> None:
    email = people.someone()
    directory = people.stack.stack.wings.user_pools.rooms().directory

    def remove_while_a_call_holds_the_user() -> None:
        user = directory.find_user(directory.pool(people.pool), email)
        directory.remove_user(user)
        with pytest.raises(UserNotFound):
            directory.save_user(user)

    people.stack.call(remove_while_a_call_holds_the_user)
    assert people.error("admin_get_user", UserPoolId=people.pool, Username=email)[0] == "UserNotFoundException"


def test_nobody_writes_lines_of_their_own_into_the_log_of_codes(people: Any) -> None:
    pool, client = pool_of_its_own(people, UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    for name in ("a\x1b[2J@evil.example", "a@evil.example\u2028EMAIL to boss@example.com (boss): reset code 000000"):
        with pytest.raises(people.api.exceptions.ClientError):
            people.api.sign_up(ClientId=client, Username=name + "\n", Password=PASSWORD)
        with contextlib.suppress(people.api.exceptions.InvalidParameterException):
            people.api.sign_up(ClientId=client, Username=name, Password=PASSWORD)
    store = people.stack.stack.wings.functions.machinery.log_store
    lines = people.stack.call(lambda: [event.message for event in store.group(f"/aws/cognito/{pool}").events()])
    assert all(line.isprintable() for line in lines)
