"""Authenticator applications: set up, asked for at sign-in, and what does not open the door."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.cognito.test_attacks import invite
from trine.cognito import second_secret

PASSWORD = "Secret!12"


class Application:
    """An authenticator with one secret."""

    def __init__(self, people: Any, secret_code: str) -> None:
        self._people = people
        self.secret = base64.b32decode(secret_code + "=" * (-len(secret_code) % 8))

    def code(self, steps: int = 0) -> str:
        now = self._people.stack.call(self._people.stack.stack.wings.clock.now)
        return second_secret.code_at(self.secret, int(now // second_secret.STEP_SECONDS) + steps)


@pytest.fixture
def guarded(later: Any) -> Any:
    """A pool with MFA OPTIONAL whose clock the test moves, with `ada` in it."""
    later.pool, later.web = later.outputs["Guarded"], later.outputs["GuardedWeb"]
    invite(later, later.pool, "ada", email="ada@example.com", email_verified="true")
    return later


def begin(people: Any, password: str = PASSWORD) -> Any:
    return people.api.initiate_auth(
        ClientId=people.web, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ada", "PASSWORD": password}
    )


def answer(people: Any, begun: Any, **given: str) -> dict[str, Any]:
    return {
        "ClientId": people.web,
        "ChallengeName": begun["ChallengeName"],
        "Session": begun["Session"],
        "ChallengeResponses": {"USERNAME": "ada", **given},
    }


def set_up(people: Any, *, wanted: bool = True) -> tuple[Application, str]:
    token = begin(people)["AuthenticationResult"]["AccessToken"]
    made = Application(people, people.api.associate_software_token(AccessToken=token)["SecretCode"])
    told = people.api.verify_software_token(AccessToken=token, UserCode=made.code(), FriendlyDeviceName="phone")
    assert told["Status"] == "SUCCESS"
    if wanted:
        people.api.set_user_mfa_preference(
            AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )
    return made, token


def test_who_has_an_authenticator_is_asked_for_its_code(guarded: Any) -> None:
    application, token = set_up(guarded)
    shown = guarded.api.get_user(AccessToken=token)
    assert (shown["UserMFASettingList"], shown["PreferredMfaSetting"]) == (["SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA")
    begun = begin(guarded)
    assert begun["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert begun["ChallengeParameters"] == {"USER_ID_FOR_SRP": "ada", "FRIENDLY_DEVICE_NAME": "phone"}
    guarded.stack.advance(30)
    given = answer(guarded, begun, SOFTWARE_TOKEN_MFA_CODE=application.code())
    assert guarded.api.respond_to_auth_challenge(**given)["AuthenticationResult"]["IdToken"]
    assert guarded.error("respond_to_auth_challenge", **given) == (
        "NotAuthorizedException", "Invalid session for the user.",
    ), "a session is good once"  # fmt: skip
    again = answer(guarded, begin(guarded), SOFTWARE_TOKEN_MFA_CODE=application.code())
    assert guarded.error("respond_to_auth_challenge", **again)[0] == "ExpiredCodeException", "and so is a code"


def test_a_code_a_step_early_or_late_is_taken_and_no_other(guarded: Any) -> None:
    application, _ = set_up(guarded)
    guarded.stack.advance(300)
    begun = begin(guarded)
    for code in (application.code(-2), application.code(2), "000", "x" * 6, "١٢٣٤٥٦"):
        given = answer(guarded, begun, SOFTWARE_TOKEN_MFA_CODE=code)
        assert guarded.error("respond_to_auth_challenge", **given)[0] == "CodeMismatchException", code
    guarded.stack.advance(2)
    given = answer(guarded, begun, SOFTWARE_TOKEN_MFA_CODE=application.code(-1))
    assert guarded.api.respond_to_auth_challenge(**given)["AuthenticationResult"]


def test_codes_cannot_be_guessed_by_signing_in_again_and_again(guarded: Any) -> None:
    application, _ = set_up(guarded)
    guarded.stack.advance(300)
    for _ in range(5):  # the right password each time, which forgives no wrong code
        given = answer(guarded, begin(guarded), SOFTWARE_TOKEN_MFA_CODE="000000")
        assert guarded.error("respond_to_auth_challenge", **given)[0] == "CodeMismatchException"
    asked = {"ClientId": guarded.web, "AuthFlow": "USER_PASSWORD_AUTH",
             "AuthParameters": {"USERNAME": "ada", "PASSWORD": PASSWORD}}  # fmt: skip
    assert guarded.error("initiate_auth", **asked) == ("NotAuthorizedException", "Password attempts exceeded")
    guarded.stack.advance(1_000)
    given = answer(guarded, begin(guarded), SOFTWARE_TOKEN_MFA_CODE=application.code())
    assert guarded.api.respond_to_auth_challenge(**given)["AuthenticationResult"]


def test_nothing_is_enabled_before_a_code_has_shown_that_it_works(guarded: Any) -> None:
    token = begin(guarded)["AuthenticationResult"]["AccessToken"]
    wish = {"AccessToken": token, "SoftwareTokenMfaSettings": {"Enabled": True}}
    assert guarded.error("set_user_mfa_preference", **wish) == (
        "InvalidParameterException", "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA",
    )  # fmt: skip
    assert guarded.error("verify_software_token", AccessToken=token, UserCode="000000")[0] == (
        "EnableSoftwareTokenMFAException"
    )
    guarded.api.associate_software_token(AccessToken=token)
    assert guarded.error("verify_software_token", AccessToken=token, UserCode="000000") == (
        "EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA",
    )  # fmt: skip
    assert guarded.error("set_user_mfa_preference", **wish)[0] == "InvalidParameterException"
    assert begin(guarded)["AuthenticationResult"]


def test_a_pool_that_demands_it_has_it_set_up_at_sign_in(guarded: Any) -> None:
    signed = {"UserPoolId": guarded.pool}
    guarded.api.set_user_pool_mfa_config(
        **signed, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    assert guarded.api.get_user_pool_mfa_config(**signed)["MfaConfiguration"] == "ON"
    begun = begin(guarded)
    assert begun["ChallengeName"] == "MFA_SETUP"
    assert begun["ChallengeParameters"]["MFAS_CAN_SETUP"] == '["SOFTWARE_TOKEN_MFA"]'
    assert guarded.error("respond_to_auth_challenge", **answer(guarded, begun))[0] == "NotAuthorizedException"
    begun = begin(guarded)
    made = guarded.api.associate_software_token(Session=begun["Session"])
    application = Application(guarded, made["SecretCode"])
    assert guarded.error("verify_software_token", Session=begun["Session"], UserCode=application.code())[0] == (
        "NotAuthorizedException"
    ), "the session before is over"
    begun = begin(guarded)
    made = guarded.api.associate_software_token(Session=begun["Session"])
    application = Application(guarded, made["SecretCode"])
    wrong = {"Session": made["Session"], "UserCode": "000000"}
    assert guarded.error("verify_software_token", **wrong)[0] == "EnableSoftwareTokenMFAException"
    verified = guarded.api.verify_software_token(Session=made["Session"], UserCode=application.code())
    finished = guarded.api.respond_to_auth_challenge(**answer(guarded, {**begun, **verified}))
    assert finished["AuthenticationResult"]["AccessToken"]
    assert begin(guarded)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


def test_what_is_not_built_is_refused_by_name(people: Any) -> None:
    pool, web = people.outputs["Guarded"], people.outputs["GuardedWeb"]
    invite(people, pool, "eve")
    for operation, given in (
        ("admin_set_user_mfa_preference", {"Username": "eve", "SMSMfaSettings": {"Enabled": True}}),
        ("admin_set_user_mfa_preference", {"Username": "eve", "EmailMfaSettings": {"Enabled": True}}),
        ("set_user_pool_mfa_config", {"EmailMfaConfiguration": {"Subject": "x"}, "MfaConfiguration": "OPTIONAL"}),
        ("admin_list_devices", {"Username": "eve"}),
    ):  # fmt: skip
        assert people.error(operation, UserPoolId=pool, **given)[0] == "UnsupportedOperationException"
    told = people.error(
        "respond_to_auth_challenge", ClientId=web, ChallengeName="SMS_MFA", Session="x" * 20,
        ChallengeResponses={"USERNAME": "eve", "SMS_MFA_CODE": "000000"},
    )  # fmt: skip
    assert told[0] == "UnsupportedOperationException"
    assert people.error("set_user_pool_mfa_config", UserPoolId=pool, MfaConfiguration="ON")[0] == (
        "InvalidParameterException"
    )
    email = people.someone()
    token = people.sign_in(email)["AccessToken"]
    assert people.error("associate_software_token", AccessToken=token)[0] == "SoftwareTokenMFANotFoundException"
    assert people.error("associate_software_token")[0] == "InvalidParameterException"
    assert people.error("confirm_device", AccessToken=token, DeviceKey="us-east-1_x")[0] == (
        "UnsupportedOperationException"
    )


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B: the last six digits of its values for SHA-1."""
    secret = b"12345678901234567890"
    for now, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert second_secret.step_of(secret, code, now) == now // 30
        assert second_secret.step_of(secret, code, now + 90) is None
