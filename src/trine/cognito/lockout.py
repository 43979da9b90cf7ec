"""Wrong passwords and codes in a row lock an account for a while. Enters a user and the time; the user is counted."""

from __future__ import annotations

from trine.cognito import limits
from trine.cognito.model import User


def count_wrong(user: User, now: float) -> None:
    """One more wrong password; the caller saves the user."""
    user.wrong_passwords += 1
    _lock(user, user.wrong_passwords, now)


def count_wrong_code(user: User, now: float) -> None:
    """One more wrong code of a second factor; the caller saves the user."""
    user.wrong_codes += 1
    _lock(user, user.wrong_codes, now)


def _lock(user: User, wrong: int, now: float) -> None:
    beyond = wrong - limits.TRIES_BEFORE_LOCK
    if beyond >= 0:
        user.locked_until = now + min(limits.LOCK_SECONDS_MAX, limits.LOCK_SECONDS_FIRST * 2 ** min(beyond, 20))
