"""Does the caller hold the app client's secret? Enters what a request brought, leaves nothing or `NotAuthorized`.

Source: "Computing secret hash values": base64 of HMAC-SHA256 over user name and client id, keyed with the secret.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

from trine.cognito.errors import NotAuthorized
from trine.cognito.model import Client


def secret_hash(client_id: str, secret: str, username: str) -> str:
    """The `SecretHash` of a user name."""
    return base64.b64encode(hmac.digest(secret.encode(), (username + client_id).encode(), "sha256")).decode()


def check(client: Client, given: str | None, usernames: Iterable[str]) -> None:
    """NotAuthorized unless `given` is the hash of one of `usernames`, or the client has no secret."""
    if client.secret is None:
        if given is not None:
            raise NotAuthorized(f"Unable to verify secret hash for client {client.id}")
        return
    if given is None:
        raise NotAuthorized(f"Client {client.id} is configured with secret but SECRET_HASH was not received")
    wanted = [secret_hash(client.id, client.secret, username) for username in usernames]
    if not any(hmac.compare_digest(one.encode(), given.encode("utf-8", "replace")) for one in wanted):
        raise NotAuthorized(f"Unable to verify secret hash for client {client.id}")


def check_secret(client: Client, given: object, refusal: str) -> None:
    """NotAuthorized with `refusal` unless `given` is the client's secret itself, or the client has none."""
    if client.secret is not None and not hmac.compare_digest(
        client.secret.encode(), str(given).encode("utf-8", "replace")
    ):
        raise NotAuthorized(refusal)
