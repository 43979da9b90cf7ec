"""CUSTOM_AUTH: the pool's own functions decide, ask and check; two riddles in a row, with or without a password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.cognito.test_attacks import invite
from tests.cognito.test_srp import Client
from trine.cognito import srp

PASSWORD = "Secret!12"


@pytest.fixture(scope="module")
def riddles(people: Any) -> Any:
    """The guarded pool's id, with `ada` in it."""
    invite(people, people.outputs["Guarded"], "ada", email="ada@example.com")
    return people


def begin(people: Any, name: str = "ada", client: str = "GuardedWeb", **given: str) -> Any:
    return people.api.initiate_auth(
        ClientId=people.outputs[client], AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name, **given}
    )


def answer(people: Any, begun: Any, said: str, name: str = "ada", client: str = "GuardedWeb") -> dict[str, Any]:
    return {
        "ClientId": people.outputs[client],
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": begun["Session"],
        "ChallengeResponses": {"USERNAME": name, "ANSWER": said},
    }


def test_tokens_come_when_the_function_says_so(riddles: Any) -> None:
    begun = begin(riddles)
    assert begun["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert begun["ChallengeParameters"]["riddle"] == "number 0"
    assert "answer" not in begun["ChallengeParameters"], "what is private stays so"
    second = riddles.api.respond_to_auth_challenge(**answer(riddles, begun, "0"))
    seen = json.loads(second["ChallengeParameters"]["seen"])["session"]
    assert seen == [{"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": "riddle 0"}]
    done = riddles.api.respond_to_auth_challenge(**answer(riddles, second, "1"))
    assert riddles.api.get_user(AccessToken=done["AuthenticationResult"]["AccessToken"])["Username"] == "ada"


def test_a_wrong_answer_ends_it_and_none_is_good_twice(riddles: Any) -> None:
    wrong = answer(riddles, begin(riddles), "7")
    assert riddles.error("respond_to_auth_challenge", **wrong) == (
        "NotAuthorizedException", "Incorrect username or password.",
    )  # fmt: skip
    right = answer(riddles, begin(riddles), "0")
    riddles.api.respond_to_auth_challenge(**right)
    assert riddles.error("respond_to_auth_challenge", **right)[0] == "NotAuthorizedException"
    other = answer(riddles, begin(riddles), "0", client="GuardedQuiet")
    assert riddles.error("respond_to_auth_challenge", **other)[0] == "NotAuthorizedException", "nor elsewhere"


def test_a_password_can_be_part_of_it(riddles: Any) -> None:
    for password, opens in ((PASSWORD, True), ("Wrong!123", False)):
        guest = Client(password, 2**201 + 7)
        begun = begin(riddles, CHALLENGE_NAME="SRP_A", SRP_A=f"{guest.public:x}")
        given = begun["ChallengeParameters"]
        claim = _claim(guest, given, riddles.outputs["Guarded"].partition("_")[2])
        asked = {"ClientId": riddles.outputs["GuardedWeb"], "ChallengeName": "PASSWORD_VERIFIER",
                 "ChallengeResponses": {"USERNAME": "ada", "TIMESTAMP": "Tue Sep 1 10:00:00 UTC 2026",
                                        "PASSWORD_CLAIM_SECRET_BLOCK": given["SECRET_BLOCK"],
                                        "PASSWORD_CLAIM_SIGNATURE": claim}}  # fmt: skip
        if not opens:
            assert riddles.error("respond_to_auth_challenge", **asked)[0] == "NotAuthorizedException"
            continue
        first = riddles.api.respond_to_auth_challenge(**asked)
        assert first["ChallengeName"] == "CUSTOM_CHALLENGE"
        second = riddles.api.respond_to_auth_challenge(**answer(riddles, first, "0"))
        assert riddles.api.respond_to_auth_challenge(**answer(riddles, second, "1"))["AuthenticationResult"]


def _claim(guest: Client, given: dict[str, str], pool: str) -> str:
    salt, b_public = int(given["SALT"], 16), int(given["SRP_B"], 16)
    k = int.from_bytes(hashlib.sha256(srp.padded(srp.N) + srp.padded(srp.G)).digest())
    u = int.from_bytes(hashlib.sha256(srp.padded(guest.public) + srp.padded(b_public)).digest())
    inner = hashlib.sha256(f"{pool}ada:{guest.password}".encode()).digest()
    x = int.from_bytes(hashlib.sha256(srp.padded(salt) + inner).digest())
    shared = pow(b_public - k * pow(srp.G, x, srp.N), guest.a + u * x, srp.N)
    extracted = hmac.digest(srp.padded(u), srp.padded(shared), "sha256")
    key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
    return srp.claim(key, pool, "ada", base64.b64decode(given["SECRET_BLOCK"]), "Tue Sep 1 10:00:00 UTC 2026")


def test_who_does_not_exist_gets_the_same_riddles_where_people_are_hidden(riddles: Any) -> None:
    begun = begin(riddles, "nobody", "GuardedQuiet")
    assert json.loads(begun["ChallengeParameters"]["seen"])["userNotFound"] is True
    second = riddles.api.respond_to_auth_challenge(**answer(riddles, begun, "0", "nobody", "GuardedQuiet"))
    assert riddles.error("respond_to_auth_challenge", **answer(riddles, second, "1", "nobody", "GuardedQuiet")) == (
        "NotAuthorizedException", "Incorrect username or password.",
    )  # fmt: skip
    asked = {"ClientId": riddles.outputs["GuardedWeb"], "AuthFlow": "CUSTOM_AUTH"}
    assert riddles.error("initiate_auth", **asked, AuthParameters={"USERNAME": "nobody"})[0] == "UserNotFoundException"
    bad = {"USERNAME": "ada", "CHALLENGE_NAME": "PASSWORD"}
    assert riddles.error("initiate_auth", **asked, AuthParameters=bad)[0] == "InvalidParameterException"
