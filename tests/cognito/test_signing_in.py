"""Signing in by every flow, what the tokens say and open, and how they end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest

from trine.cognito import srp

PASSWORD = "Secret!12"


def claims(token: str) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


def test_tokens_carry_cognitos_claims(people: Any) -> None:
    email = people.someone(custom__team="red")
    people.api.admin_add_user_to_group(UserPoolId=people.pool, Username=email, GroupName="admins")
    tokens = people.sign_in(email)
    identity, access = claims(tokens["IdToken"]), claims(tokens["AccessToken"])
    assert set(identity) == {
        "sub", "cognito:groups", "iss", "cognito:username", "origin_jti", "aud", "event_id", "token_use", "auth_time",
        "exp", "iat", "jti", "email", "custom:team", "colour",
    }  # fmt: skip
    assert set(access) == {
        "sub", "cognito:groups", "iss", "client_id", "origin_jti", "event_id", "token_use", "scope", "auth_time",
        "exp", "iat", "jti", "username",
    }  # fmt: skip
    assert identity["iss"] == people.outputs["Provider"]
    assert identity["cognito:groups"] == ["admins"]
    assert (identity["token_use"], access["token_use"]) == ("id", "access")
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert identity["exp"] - identity["iat"] == tokens["ExpiresIn"] == 3_600
    assert identity["colour"] == "blue", "the trigger adds claims,"
    assert "email_verified" not in identity, "takes some away,"
    assert identity["sub"] == access["sub"] == access["username"], "and cannot forge who it is"


def test_the_front_door_takes_the_tokens_of_its_pool_until_they_expire(later: Any) -> None:
    email = later.someone()
    tokens = later.sign_in(email)
    status, told = later.get("Http", f"Bearer {tokens['IdToken']}")
    assert (status, told["jwt"]["claims"]["email"]) == (200, email)
    assert later.get("Http", tokens["AccessToken"])[0] == 200, "an access token names the audience in client_id"
    assert later.get("Rest", tokens["IdToken"])[1]["claims"]["email"] == email
    assert later.get("Rest", tokens["AccessToken"]) == (401, {"message": "Unauthorized"}), "no scopes: ID tokens only"
    assert later.get("Http", None)[0] == later.get("Rest", None)[0] == 401
    head, _, signature = tokens["IdToken"].split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims(tokens["IdToken"]), "sub": "x"}).encode()).rstrip(b"=")
    assert later.get("Http", f"{head}.{forged.decode()}.{signature}")[0] == 401
    later.stack.advance(3_601)
    assert later.get("Http", tokens["IdToken"])[0] == later.get("Rest", tokens["IdToken"])[0] == 401
    assert later.error("get_user", AccessToken=tokens["AccessToken"]) == (
        "NotAuthorizedException",
        "Access Token has expired",
    )


def _srp_answer(people: Any, email: str, password: str) -> dict[str, Any]:
    a = int.from_bytes(hashlib.sha256(email.encode()).digest()) + 2**300
    public = pow(srp.G, a, srp.N)
    asked = people.api.initiate_auth(
        ClientId=people.web, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": email, "SRP_A": f"{public:x}"}
    )
    assert asked["ChallengeName"] == "PASSWORD_VERIFIER"
    given = asked["ChallengeParameters"]
    user, pool = given["USER_ID_FOR_SRP"], people.pool.partition("_")[2]
    salt, b_public = int(given["SALT"], 16), int(given["SRP_B"], 16)
    k = int.from_bytes(hashlib.sha256(srp.padded(srp.N) + srp.padded(srp.G)).digest())
    u = int.from_bytes(hashlib.sha256(srp.padded(public) + srp.padded(b_public)).digest())
    inner = hashlib.sha256(f"{pool}{user}:{password}".encode()).digest()
    x = int.from_bytes(hashlib.sha256(srp.padded(salt) + inner).digest())
    shared = pow(b_public - k * pow(srp.G, x, srp.N), a + u * x, srp.N)
    extracted = hmac.digest(srp.padded(u), srp.padded(shared), "sha256")
    key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
    timestamp = "Tue Sep 1 10:00:00 UTC 2026"
    signature = srp.claim(key, pool, user, base64.b64decode(given["SECRET_BLOCK"]), timestamp)
    return {
        "ClientId": people.web,
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeResponses": {
            "USERNAME": user,
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": signature,
        },
    }


def test_srp_proves_the_password_without_sending_it(later: Any) -> None:
    email = later.someone()
    right = _srp_answer(later, email, PASSWORD)
    assert claims(later.api.respond_to_auth_challenge(**right)["AuthenticationResult"]["IdToken"])["email"] == email
    assert later.error("respond_to_auth_challenge", **right) == (
        "NotAuthorizedException",
        "Invalid session for the user.",
    ), "an answer cannot be played again"
    assert later.error("respond_to_auth_challenge", **_srp_answer(later, email, "Wrong!123")) == (
        "NotAuthorizedException",
        "Incorrect username or password.",
    )
    late = _srp_answer(later, email, PASSWORD)
    later.stack.advance(181)
    assert later.error("respond_to_auth_challenge", **late)[1] == ("Invalid session for the user, session is expired.")


@pytest.mark.parametrize("public", ["0", "zz", f"{srp.N:x}", "f" * 3_000])
def test_values_of_srp_that_would_give_the_key_away_are_refused(people: Any, public: str) -> None:
    email = people.someone()
    assert people.error(
        "initiate_auth", ClientId=people.web, AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": email, "SRP_A": public},
    ) == ("InvalidParameterException", "SRP_A is not a valid public value")  # fmt: skip


def test_wrong_passwords_lock_the_door_for_a_while(later: Any) -> None:
    email = later.someone()
    asked = {"ClientId": later.web, "AuthFlow": "USER_PASSWORD_AUTH"}
    wrong = {"USERNAME": email, "PASSWORD": "Wrong!123"}
    for _ in range(5):
        assert later.error("initiate_auth", **asked, AuthParameters=wrong)[1] == "Incorrect username or password."
    right = {"USERNAME": email, "PASSWORD": PASSWORD}
    assert later.error("initiate_auth", **asked, AuthParameters=right) == (
        "NotAuthorizedException",
        "Password attempts exceeded",
    )
    later.stack.advance(1.5)
    assert later.sign_in(email)["TokenType"] == "Bearer"


def test_an_invited_person_sets_a_password(later: Any) -> None:
    later.api.admin_create_user(
        UserPoolId=later.pool, Username="guest@example.com", TemporaryPassword="Temp!1234",
        UserAttributes=[{"Name": "email_verified", "Value": "true"}],
    )  # fmt: skip
    assert any("guest@example.com" in line and "Temp!1234" in line for line in later.messages())
    asked = {
        "UserPoolId": later.pool, "ClientId": later.web, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "guest@example.com", "PASSWORD": "Temp!1234"},
    }  # fmt: skip
    challenge = later.api.admin_initiate_auth(**asked)
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert json.loads(challenge["ChallengeParameters"]["userAttributes"])["email"] == "guest@example.com"
    answer = {"ClientId": later.web, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": challenge["Session"]}
    responses = {"USERNAME": "guest@example.com", "NEW_PASSWORD": "weak"}
    assert later.error("respond_to_auth_challenge", **answer, ChallengeResponses=responses)[0] == (
        "InvalidPasswordException"
    )
    responses["NEW_PASSWORD"] = "Lasting!12"
    assert (
        "AccessToken"
        in later.api.respond_to_auth_challenge(**answer, ChallengeResponses=responses)["AuthenticationResult"]
    )
    assert later.api.admin_get_user(UserPoolId=later.pool, Username="guest@example.com")["UserStatus"] == "CONFIRMED"
    later.api.admin_set_user_password(UserPoolId=later.pool, Username="guest@example.com", Password="Temp!1234")
    later.stack.advance(7 * 86_400 + 1)
    by_password = {"ClientId": later.web, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": asked["AuthParameters"]}
    assert later.error("initiate_auth", **by_password)[1] == (
        "Temporary password has expired and must be reset by an administrator."
    )


def test_refresh_tokens_renew_and_are_revoked_with_all_that_came_of_them(people: Any) -> None:
    email = people.someone()
    tokens = people.sign_in(email)
    refresh = {"ClientId": people.web, "AuthFlow": "REFRESH_TOKEN_AUTH",
               "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]}}  # fmt: skip
    renewed = people.api.initiate_auth(**refresh)["AuthenticationResult"]
    assert "RefreshToken" not in renewed
    assert claims(renewed["IdToken"])["origin_jti"] == claims(tokens["IdToken"])["origin_jti"]
    people.api.revoke_token(ClientId=people.web, Token=tokens["RefreshToken"])
    assert people.error("initiate_auth", **refresh) == ("NotAuthorizedException", "Invalid Refresh Token")
    assert people.error("get_user", AccessToken=renewed["AccessToken"]) == (
        "NotAuthorizedException",
        "Access Token has been revoked",
    )
    again = people.sign_in(email)
    people.api.admin_disable_user(UserPoolId=people.pool, Username=email)
    assert people.error("get_user", AccessToken=again["AccessToken"])[0] == "NotAuthorizedException"
    assert people.error(
        "initiate_auth", ClientId=people.web, AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
    )[1] == "User is disabled."  # fmt: skip


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"AuthFlow": "USER_AUTH"}, "UnsupportedOperationException"),
        ({"AuthFlow": "CUSTOM_AUTH"}, "InvalidParameterException"),
        ({"AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}, "InvalidParameterException"),
        ({"AuthParameters": {"USERNAME": "x"}}, "UserNotFoundException"),
        ({"AuthParameters": {}}, "InvalidParameterException"),
        ({"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": "x"}}, "NotAuthorizedException"),
    ],
)
def test_flows_that_cannot_begin(people: Any, given: dict[str, Any], code: str) -> None:
    asked = {
        "ClientId": people.web,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "nobody@example.com", "PASSWORD": "x"},
        **given,
    }
    if given.get("AuthParameters") == {"USERNAME": "x"}:
        asked["AuthParameters"] = {"USERNAME": "x", "PASSWORD": "y"}
    assert people.error("initiate_auth", **asked)[0] == code


def test_an_access_token_of_another_making_opens_nothing(people: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    email = people.someone()
    real = claims(people.sign_in(email)["AccessToken"])
    stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    for forged in (
        jwt.encode(real, stranger, algorithm="RS256", headers={"kid": "x"}),
        jwt.encode(real, "", algorithm="none"),
        jwt.encode({**real, "iss": "https://elsewhere.example"}, stranger, algorithm="RS256"),
        "not.a.token",
    ):
        assert people.error("get_user", AccessToken=forged) == ("NotAuthorizedException", "Invalid Access Token")
