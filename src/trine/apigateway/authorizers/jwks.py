"""Key sets of token issuers: found by OIDC discovery, fetched with short limits, kept for two hours.

Enters an issuer URL; leaves its keys by id. A fetch is shared by all who wait for it; a host that hangs costs 1.5 s and
is not asked again for a while. Issuers may be pointed elsewhere (`issuer_urls`), for tests and for the stack's own user
pools, whose issuers are AWS's addresses.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Mapping

import orjson

from trine.apigateway.authorizers.jwt import RsaKey, TokenRefused, read_key_set
from trine.apigateway.limits import JWKS_BYTES, JWKS_CACHE_SECONDS, JWKS_TIMEOUT_SECONDS
from trine.clock import Clock
from trine.http.client import Client
from trine.http.errors import HttpError
from trine.http.limits import CallLimits

RETRY_SECONDS = 10.0
"""A failed fetch is not repeated before this time."""
REFRESH_SECONDS = 60.0
"""An unknown key id makes a fresh fetch at most this often."""
DISCOVERY = "/.well-known/openid-configuration"
COMMUNICATION_ERROR = "OIDC discovery endpoint communication error"


class KeySet:
    """The keys of one issuer."""

    def __init__(self, issuer: str, address: str, client: Client, clock: Clock) -> None:
        self._issuer = issuer
        self._address = address.rstrip("/")
        self._client, self._clock = client, clock
        self._keys: dict[str, RsaKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure = ""
        self._fetching: Future[None] | None = None

    def find(self, key_id: str) -> RsaKey | None:
        """The key, when it is known and fresh; None: `fetch` first."""
        if self._clock.now() - self._fetched_at > JWKS_CACHE_SECONDS:
            return None
        return self._keys.get(key_id)

    def may_fetch(self) -> bool:
        """False while the last try is too recent. TokenRefused with its reason when that try had failed."""
        now = self._clock.now()
        if self._fetching is not None:
            return True
        if self._failure and now - self._tried_at < RETRY_SECONDS:
            raise TokenRefused(self._failure)
        return now - self._fetched_at > REFRESH_SECONDS

    def fetch(self) -> Future[None]:
        """Get the keys anew; resolves when they are there, fails with TokenRefused."""
        if self._fetching is None:
            self._tried_at = self._clock.now()
            self._fetching = asyncio.ensure_future(self._fetch())
            self._fetching.add_done_callback(self._done)
        return self._fetching

    def _done(self, task: Future[None]) -> None:
        self._fetching = None
        error = None if task.cancelled() else task.exception()
        self._failure = str(error) if error is not None else ""

    async def _fetch(self) -> None:
        try:
            configuration = orjson.loads(await self._get(self._address + DISCOVERY))
            address = configuration["jwks_uri"]
            if not isinstance(address, str):
                raise TypeError
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise TokenRefused("OIDC discovery document is not valid") from None
        self._keys = read_key_set(await self._get(address))
        self._fetched_at = self._clock.now()

    async def _get(self, url: str) -> bytes:
        limits = CallLimits(
            connect_timeout_seconds=JWKS_TIMEOUT_SECONDS,
            total_timeout_seconds=JWKS_TIMEOUT_SECONDS,
            body_bytes=JWKS_BYTES,
        )
        try:
            answer = await self._client.call("GET", url, [(b"accept", b"application/json")], limits=limits)
        except (HttpError, ValueError, UnicodeError) as error:
            raise TokenRefused(COMMUNICATION_ERROR) from error
        if answer.status != 200:
            raise TokenRefused(COMMUNICATION_ERROR)
        return answer.body


class KeySets:
    """Key sets of every issuer the stack's authorizers name."""

    def __init__(self, clock: Clock, issuer_urls: Mapping[str, str] | None = None) -> None:
        self._clock = clock
        self._urls = issuer_urls or {}
        self._client = Client(clock)
        self._sets: dict[str, KeySet] = {}

    def of(self, issuer: str) -> KeySet:
        """The key set of `issuer`, made when first asked for."""
        found = self._sets.get(issuer)
        if found is None:
            found = self._sets[issuer] = KeySet(issuer, self._address(issuer), self._client, self._clock)
        return found

    def _address(self, issuer: str) -> str:
        """Where the issuer's documents lie: below the address that stands for the beginning of its URL, else there."""
        for prefix, address in self._urls.items():
            if issuer.startswith(prefix):
                return address + issuer[len(prefix) :]
        return issuer
