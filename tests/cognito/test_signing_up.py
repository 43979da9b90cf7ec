"""Signing up, confirming, forgetting a password: what people and their mistakes are answered."""

from __future__ import annotations

from typing import Any

import pytest

PASSWORD = "Secret!12"


def test_a_person_signs_up_confirms_and_signs_in(people: Any) -> None:
    answer = people.api.sign_up(
        ClientId=people.web, Username="ada@example.com", Password=PASSWORD,
        UserAttributes=[{"Name": "custom:team", "Value": "red"}],
    )  # fmt: skip
    assert answer["UserConfirmed"] is False
    assert answer["CodeDeliveryDetails"] == {
        "Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email",
    }  # fmt: skip
    signing_in = {"USERNAME": "ada@example.com", "PASSWORD": PASSWORD}
    assert people.error(
        "initiate_auth", ClientId=people.web, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=signing_in
    ) == ("UserNotConfirmedException", "User is not confirmed.")
    code = people.code_for("ada@example.com")
    people.api.confirm_sign_up(ClientId=people.web, Username="ada@example.com", ConfirmationCode=code)
    tokens = people.sign_in("ada@example.com")
    shown = people.api.get_user(AccessToken=tokens["AccessToken"])
    assert {one["Name"]: one["Value"] for one in shown["UserAttributes"]} == {
        "sub": answer["UserSub"], "email": "ada@example.com", "email_verified": "true", "custom:team": "red",
    }  # fmt: skip
    assert shown["Username"] == answer["UserSub"], "where addresses are names, the user name is the sub"


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"Username": "no address"}, "InvalidParameterException", "1 validation error detected"),
        ({"Username": "noaddress"}, "InvalidParameterException", "Username should be an email."),
        ({"Username": "x@y", "Password": "weak"}, "InvalidPasswordException", "Password not long enough"),
        ({"ClientId": "nobody"}, "ResourceNotFoundException", "User pool client nobody does not exist."),
        (
            {"UserAttributes": [{"Name": "custom:size", "Value": "1"}]},
            "InvalidParameterException",
            "Attributes did not conform to the schema: custom:size: Attribute does not exist in the schema.",
        ),
        (
            {"UserAttributes": [{"Name": "custom:team", "Value": "far too long"}]},
            "InvalidParameterException",
            "String must be no longer than 8 characters",
        ),
        (
            {"UserAttributes": [{"Name": "email_verified", "Value": "true"}]},
            "NotAuthorizedException",
            "A client attempted to write unauthorized attribute",
        ),
        ({"UserAttributes": [{"Name": "email", "Value": "nonsense"}]}, "InvalidParameterException", "Invalid email"),
        ({"SecretHash": "AAAA"}, "NotAuthorizedException", "Unable to verify secret hash for client"),
        (
            {"Username": "evil@example.com"},
            "UserLambdaValidationException",
            "PreSignUp failed with error no evil.",
        ),
    ],
)
def test_what_cannot_sign_up_is_told_why(people: Any, given: dict[str, Any], code: str, message: str) -> None:
    asked = {"ClientId": people.web, "Username": "new@example.com", "Password": PASSWORD, **given}
    refused = people.error("sign_up", **asked)
    assert refused[0] == code
    assert message in refused[1]
    assert people.error("admin_get_user", UserPoolId=people.pool, Username="new@example.com")[0] == (
        "UserNotFoundException"
    )


def test_a_taken_address_is_refused(people: Any) -> None:
    email = people.someone()
    assert people.error("sign_up", ClientId=people.web, Username=email, Password=PASSWORD) == (
        "UsernameExistsException",
        "An account with the given email already exists.",
    )


def test_codes_are_good_once_for_a_day_and_not_for_guessing(later: Any) -> None:
    later.api.sign_up(ClientId=later.web, Username="guess@example.com", Password=PASSWORD)
    code = later.code_for("guess@example.com")
    wrong = "000000" if code != "000000" else "000001"
    asked = {"ClientId": later.web, "Username": "guess@example.com"}
    for _ in range(20):
        assert later.error("confirm_sign_up", **asked, ConfirmationCode=wrong)[0] == "CodeMismatchException"
    assert later.error("confirm_sign_up", **asked, ConfirmationCode=code)[0] == "ExpiredCodeException"
    assert later.error("resend_confirmation_code", **asked) == (
        "LimitExceededException",
        "Attempt limit exceeded, please try after some time.",
    ), "a new code brings no new guesses"
    later.stack.advance(3_600 + 1)
    later.api.resend_confirmation_code(**asked)
    later.stack.advance(24 * 3_600 + 1)
    assert later.error("confirm_sign_up", **asked, ConfirmationCode=later.code_for("guess@example.com"))[0] == (
        "ExpiredCodeException"
    )
    later.api.resend_confirmation_code(**asked)
    code = later.code_for("guess@example.com")
    later.api.confirm_sign_up(**asked, ConfirmationCode=code)
    assert later.error("confirm_sign_up", **asked, ConfirmationCode=code) == (
        "NotAuthorizedException",
        "User cannot be confirmed. Current status is CONFIRMED",
    )


def test_a_forgotten_password_is_set_anew_by_code(people: Any) -> None:
    email = people.someone()
    people.api.forgot_password(ClientId=people.web, Username=email)
    people.api.confirm_forgot_password(
        ClientId=people.web, Username=email, ConfirmationCode=people.code_for(email), Password="Another!34"
    )
    assert people.sign_in(email, "Another!34")["TokenType"] == "Bearer"
    assert people.error(
        "initiate_auth", ClientId=people.web, AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
    ) == ("NotAuthorizedException", "Incorrect username or password.")  # fmt: skip


def test_a_client_that_hides_users_tells_nothing_apart(people: Any) -> None:
    import hmac
    from base64 import b64encode

    quiet = people.outputs["Quiet"]
    key = people.outputs["QuietSecret"].encode()
    proof = b64encode(hmac.digest(key, ("nobody@example.com" + quiet).encode(), "sha256")).decode()
    asked = {"ClientId": quiet, "Username": "nobody@example.com", "SecretHash": proof}
    assert "CodeDeliveryDetails" in people.api.forgot_password(**asked)
    assert people.error("confirm_sign_up", **asked, ConfirmationCode="123456")[0] == "CodeMismatchException"
    assert people.error(
        "initiate_auth", ClientId=quiet, AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "nobody@example.com", "PASSWORD": "x", "SECRET_HASH": proof},
    ) == ("NotAuthorizedException", "Incorrect username or password.")  # fmt: skip
    assert people.error(
        "initiate_auth", ClientId=quiet, AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "nobody@example.com", "PASSWORD": "x"},
    ) == (
        "NotAuthorizedException",
        f"Client {quiet} is configured with secret but SECRET_HASH was not received",
    )  # fmt: skip
