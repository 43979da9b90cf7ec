"""Passwords: do they fit the pool's policy, what is kept of them, and is this one right.

Two things are kept: a scrypt hash, for sign-in with the password itself, and an SRP verifier, which the protocol fixes
as a fast hash and which therefore lies sealed (`vault`). Hashing takes tens of milliseconds on purpose: it runs in a
thread and lets the event loop go on.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from trine.aws.ids import Ids
from trine.cognito import limits, srp
from trine.cognito.errors import InvalidPassword

SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
"""What counts as a special character (developer guide, "Adding user pool password requirements")."""
COST, BLOCK, LANES, HASH_BYTES = 2**14, 8, 1, 32
"""scrypt's parameters as RFC 7914 gives them for interactive sign-in: 16 MiB and about 40 ms."""
DEFAULT_POLICY: Mapping[str, Any] = {
    "MinimumLength": limits.PASSWORD_LENGTH_DEFAULT,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": limits.TEMPORARY_PASSWORD_DAYS_DEFAULT,
}


class Kept(NamedTuple):
    """What is kept of a password. `digest` is `salt$hash` in base64; `verifier` is not yet sealed."""

    digest: str
    srp_salt: str
    verifier: int


def check_policy(password: str, policy: Mapping[str, Any]) -> None:
    """InvalidPassword unless `password` fits a pool's `PasswordPolicy`."""
    if len(password) < int(policy.get("MinimumLength", limits.PASSWORD_LENGTH_DEFAULT)):
        raise InvalidPassword("Password not long enough")
    if len(password) > limits.PASSWORD_MAX_CHARACTERS:
        raise InvalidPassword("Password too long")
    if policy.get("RequireUppercase") and not any(character.isupper() for character in password):
        raise InvalidPassword("Password must have uppercase characters")
    if policy.get("RequireLowercase") and not any(character.islower() for character in password):
        raise InvalidPassword("Password must have lowercase characters")
    if policy.get("RequireNumbers") and not any(character in "0123456789" for character in password):
        raise InvalidPassword("Password must have numeric characters")
    inner = password.strip(" ")
    if policy.get("RequireSymbols") and not any(character in SYMBOLS for character in inner):
        raise InvalidPassword("Password must have symbol characters")


async def keep(password: str, pool_name: str, user_id: str, ids: Ids) -> Kept:
    """What to keep of `password`."""
    salt = ids.random_bytes(srp.SALT_BYTES)
    srp_salt = int.from_bytes(ids.random_bytes(srp.SALT_BYTES), "big")
    hashed = await asyncio.to_thread(_scrypt, password, salt)
    digest = f"{base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"
    return Kept(digest, f"{srp_salt:x}", srp.verifier(pool_name, user_id, password, srp_salt))


async def is_right(password: str, digest: str | None) -> bool:
    """Whether `password` is the one kept as `digest`. Without one it takes as long, and is not."""
    salt, _, hashed = (digest or "AAAAAAAAAAAAAAAAAAAAAA==$AA==").partition("$")
    computed = await asyncio.to_thread(_scrypt, password, base64.b64decode(salt))
    return hmac.compare_digest(computed, base64.b64decode(hashed)) and digest is not None


def _scrypt(password: str, salt: bytes) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=HASH_BYTES, n=COST, r=BLOCK, p=LANES).derive(text)
