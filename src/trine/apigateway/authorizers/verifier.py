"""Tokens verified for other wings: STS's web identities are checked with the same key sets as the front door's JWTs.

Enters a token and its issuer, leaves its claims; `iam.federation.TokenVerifier` by shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.apigateway.authorizers.jwks import COMMUNICATION_ERROR, KeySets
from trine.apigateway.authorizers.jwt import TokenRefused, read_token, verify_signature


class KeySetVerifier:
    """Verifies signatures with the keys that issuers publish. Times and audiences are the asker's to judge."""

    def __init__(self, keys: KeySets) -> None:
        self._keys = keys

    async def verify(self, token: str, issuer: str) -> Mapping[str, Any]:
        """The token's claims. ValueError when its signature does not hold, OSError without the issuer's keys."""
        taken = read_token(token)
        key_set = self._keys.of(issuer)
        key = key_set.find(taken.key_id)
        if key is None:
            try:
                if key_set.may_fetch():
                    await key_set.fetch()
            except TokenRefused as refused:
                if str(refused) == COMMUNICATION_ERROR:
                    raise OSError(str(refused)) from refused
                raise
            key = key_set.find(taken.key_id)
        if key is None:
            raise TokenRefused("the token's key id is unknown to its issuer")
        verify_signature(taken, key)
        return taken.claims
