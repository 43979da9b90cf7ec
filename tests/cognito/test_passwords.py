"""Password policies in AWS's words, and what is kept of a password."""

from __future__ import annotations

import asyncio

import pytest

from trine.aws.ids import SeededIds
from trine.cognito.errors import InvalidPassword
from trine.cognito.passwords import DEFAULT_POLICY, check_policy, is_right, keep


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Ab1!", "Password not long enough"),
        ("A" * 300 + "b1!", "Password too long"),
        ("lower123!", "Password must have uppercase characters"),
        ("UPPER123!", "Password must have lowercase characters"),
        ("NoNumber!", "Password must have numeric characters"),
        ("NoSymbol1", "Password must have symbol characters"),
        (" NoSymbol1 ", "Password must have symbol characters"),
    ],
)
def test_the_default_policy(password: str, message: str) -> None:
    with pytest.raises(InvalidPassword) as refused:
        check_policy(password, DEFAULT_POLICY)
    assert refused.value.message == f"Password did not conform with policy: {message}"
    assert refused.value.code == "InvalidPasswordException"


def test_a_pool_of_its_own_mind() -> None:
    check_policy("simple", {"MinimumLength": 6})
    with pytest.raises(InvalidPassword, match="not long enough"):
        check_policy("simpl", {"MinimumLength": 6})


def test_only_the_right_password_is_right_and_the_hash_tells_nothing() -> None:
    async def story() -> tuple[bool, bool, bool, str]:
        kept = await keep("Secret!12", "pool", "ada", SeededIds(1))
        return (
            await is_right("Secret!12", kept.digest),
            await is_right("secret!12", kept.digest),
            await is_right("Secret!12", None),
            kept.digest,
        )

    right, wrong, nobody, digest = asyncio.run(story())
    assert (right, wrong, nobody) == (True, False, False)
    assert "Secret" not in digest
