"""Codes of an authenticator application (RFC 6238): six digits of a shared secret and the half minute that it is.

Enters a secret, a code and the time, leaves the step that the code belongs to. Pure. The arithmetic is the
`cryptography` library's; the secret is written in base32, as applications take it.
"""

from __future__ import annotations

import base64
import hmac

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

SECRET_BYTES = 32
"""52 characters of base32, as `SecretCode` has."""
DIGITS = 6
STEP_SECONDS = 30
STEPS_AROUND = 1
"""A clock may be wrong by one step either way (RFC 6238, 5.2)."""


def written(secret: bytes) -> str:
    """The secret as `SecretCode`: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def code_at(secret: bytes, step: int) -> str:
    """The code of that step."""
    return HOTP(secret, DIGITS, SHA1(), enforce_key_length=False).generate(step).decode()  # noqa: S303


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """The step around `now` (Unix seconds) whose code this is; None when it is none's."""
    middle = int(now // STEP_SECONDS)
    found = None
    for step in range(max(0, middle - STEPS_AROUND), middle + STEPS_AROUND + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "replace")):
            found = step
    return found
