"""What is said about people who do not exist, where a client hides who does (`PreventUserExistenceErrors`).

Enters the name that was tried, leaves what would be said of somebody: the same at each try, and made with the vault's
key, so that nobody can compute what would be said and see the difference. Source: "Managing user existence error
responses" (a simulated delivery by the form of the name; for SRP a lasting salt and an internal id).
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from trine.cognito import srp
from trine.cognito.codes import Delivery
from trine.cognito.model import Pool, User
from trine.cognito.vault import Vault

_LETTERS = "abcdefghijklmnoprstw"


class Seeming(NamedTuple):
    """How a sign-in by SRP of somebody begins."""

    user_id: str
    salt: str
    verifier: int


def delivery(vault: Vault, pool: Pool, login: str) -> dict[str, str]:
    """`CodeDeliveryDetails` of a code that went nowhere."""
    if login.startswith("+"):
        return Delivery("phone_number", login).document()
    if "@" in login:
        return Delivery("email", login).document()
    name, host, *_ = (_LETTERS[byte % len(_LETTERS)] for byte in vault.mark(f"{pool.id} address {pool.folded(login)}"))
    return Delivery("email", f"{name}@{host}").document()


def nobody(pool: Pool, login: str) -> User:
    """Somebody who does not exist, for functions that are asked about them all the same."""
    return User(pool.id, login, {}, "UNKNOWN", 0.0, 0.0)


def signing_in(vault: Vault, pool: Pool, login: str) -> Seeming:
    """An id as the pool's users have one, a salt and a verifier of no password."""
    login = pool.folded(login)
    marked = vault.mark(f"{pool.id} salt {login}")
    by_address = "@" in login or login.startswith("+")
    named = uuid.UUID(bytes=vault.mark(f"{pool.id} id {login}")[:16], version=4)
    salt = int.from_bytes(marked[: srp.SALT_BYTES], "big")
    return Seeming(str(named) if by_address else login, f"{salt:x}", pow(srp.G, int.from_bytes(marked, "big"), srp.N))
