"""Codes that prove an address: made, told to whoever delivers them, and checked once.

There is no mail and no telephone here: a code goes to the log group of its pool, where `trine logs` shows it. Only
its hash is kept, and the hash is bound to the address: a code proves the address that it was sent to and no other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

from trine.aws.ids import Ids
from trine.clock import Clock
from trine.cognito import limits
from trine.cognito.errors import CodeMismatch, ExpiredCode, InvalidParameter, LimitExceeded
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

    def __init__(self, ids: Ids, clock: Clock, deliver: Deliver) -> None:
        self._ids, self._clock, self._deliver = ids, clock, deliver

    def send(self, pool: Pool, user: User, purpose: str, attribute: str, lifetime_seconds: float) -> Delivery:
        """Make a code for `purpose` and send it to the user's `attribute`.

        A new code brings no new guesses within the hour in which the first one was sent. LimitExceeded when they are
        used up.
        """
        now, before = self._clock.now(), user.codes.get(purpose)
        if before is None or before.counted_since + limits.CODE_TRIES_SECONDS <= now:
            tries_left, counted_since = limits.CODE_TRIES_MAX, now
        else:
            tries_left, counted_since = before.tries_left, before.counted_since
        if tries_left <= 0:
            raise LimitExceeded("Attempt limit exceeded, please try after some time.")
        number = int.from_bytes(self._ids.random_bytes(8), "big") % 10**limits.CODE_DIGITS
        code = f"{number:0{limits.CODE_DIGITS}d}"
        digest = _digest(pool, user, attribute, code)
        user.codes[purpose] = Code(digest, now + lifetime_seconds, tries_left, attribute, counted_since)
        address = user.attributes[attribute]
        who = f"{shown(address)} ({shown(user.username)})"
        self._deliver(pool.id, f"{MEDIUM[attribute]} to {who}: {purpose} code {code}")
        return Delivery(attribute, address)

    def tell(self, pool: Pool, user: User, message: str) -> None:
        """Send a message to whatever address the user has."""
        address = user.attributes.get("email") or user.attributes.get("phone_number") or "nobody"
        self._deliver(pool.id, f"message to {shown(address)} ({shown(user.username)}): {message}")

    def check(self, pool: Pool, user: User, purpose: str, code: str) -> Code:
        """Use up the code. ExpiredCode when it is too old or there is none, CodeMismatch when it is wrong."""
        kept = user.codes.get(purpose)
        if kept is None or kept.expires_at <= self._clock.now() or kept.tries_left <= 0:
            raise ExpiredCode
        if not hmac.compare_digest(kept.digest, _digest(pool, user, kept.attribute, code)):
            kept.tries_left -= 1
            raise CodeMismatch
        del user.codes[purpose]
        return kept


def shown(text: str) -> str:
    """A name or address as a line of the log shows it: nobody writes lines of their own into it, nor moves a cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def contact_of(pool: Pool, user: User, *, verified: bool) -> str:
    """The attribute to which a code may go: e-mail first. InvalidParameter when the user has none."""
    for attribute in ("email", "phone_number"):
        if user.attributes.get(attribute) and (not verified or user.attributes.get(f"{attribute}_verified") == "true"):
            return attribute
    raise InvalidParameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )


def _digest(pool: Pool, user: User, attribute: str, code: str) -> str:
    address = user.attributes.get(attribute, "")
    return hashlib.sha256(f"{pool.id}\0{user.username}\0{address}\0{code}".encode()).hexdigest()
