"""Codes that prove an address: made, told to whoever delivers them, and checked once.

There is no mail and no telephone here: a code goes to the log group of its pool, where `trine logs` shows it. Only
its hash is kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

from trine.aws.ids import Ids
from trine.cognito import limits
from trine.cognito.errors import CodeMismatch, ExpiredCode, InvalidParameter
from trine.cognito.model import Code, Pool, User

Deliver = Callable[[str, str], None]
"""Takes the pool's id and one line of text."""
MEDIUM = {"email": "EMAIL", "phone_number": "SMS"}


class Delivery(NamedTuple):
    """Where a code went, as `CodeDeliveryDetails` tells it."""

    attribute: str
    destination: str

    def document(self) -> dict[str, str]:
        """The API's form, with the address masked as Cognito masks it."""
        medium = MEDIUM[self.attribute]
        if medium == "EMAIL":
            name, _, host = self.destination.partition("@")
            masked = f"{name[:1]}***@{host[:1]}***"
        else:
            masked = f"+{'*' * max(0, len(self.destination) - 5)}{self.destination[-4:]}"
        return {"Destination": masked, "DeliveryMedium": medium, "AttributeName": self.attribute}


class Codes:
    """Makes and checks codes of users. The caller saves the user afterwards."""

    def __init__(self, ids: Ids, deliver: Deliver) -> None:
        self._ids, self._deliver = ids, deliver

    def send(self, pool: Pool, user: User, purpose: str, attribute: str, until: float) -> Delivery:
        """Make a code for `purpose`, good until `until`, and send it to the user's `attribute`."""
        number = int.from_bytes(self._ids.random_bytes(8), "big") % 10**limits.CODE_DIGITS
        code = f"{number:0{limits.CODE_DIGITS}d}"
        user.codes[purpose] = Code(_digest(pool, user, code), until, attribute=attribute)
        address = user.attributes[attribute]
        self._deliver(pool.id, f"{MEDIUM[attribute]} to {address} ({user.username}): {purpose} code {code}")
        return Delivery(attribute, address)

    def tell(self, pool: Pool, user: User, message: str) -> None:
        """Send a message to whatever address the user has."""
        address = user.attributes.get("email") or user.attributes.get("phone_number") or "nobody"
        self._deliver(pool.id, f"message to {address} ({user.username}): {message}")

    @staticmethod
    def check(pool: Pool, user: User, purpose: str, code: str, now: float) -> Code:
        """Use up the code. ExpiredCode when it is too old or there is none, CodeMismatch when it is wrong."""
        kept = user.codes.get(purpose)
        if kept is None or kept.expires_at <= now or kept.tries_left <= 0:
            raise ExpiredCode
        if not hmac.compare_digest(kept.digest, _digest(pool, user, code)):
            kept.tries_left -= 1
            raise CodeMismatch
        del user.codes[purpose]
        return kept


def contact_of(pool: Pool, user: User, *, verified: bool) -> str:
    """The attribute to which a code may go: e-mail first. InvalidParameter when the user has none."""
    for attribute in ("email", "phone_number"):
        if user.attributes.get(attribute) and (not verified or user.attributes.get(f"{attribute}_verified") == "true"):
            return attribute
    raise InvalidParameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )


def _digest(pool: Pool, user: User, code: str) -> str:
    return hashlib.sha256(f"{pool.id}\0{user.username}\0{code}".encode()).hexdigest()
