"""Tokens: ID and access tokens signed RS256 with the pool's own key, opaque refresh tokens, and the pool's public key.

Enters a pool, a client and a user, leaves texts; the claims are those of Cognito, name for name ("Understanding user
pool JSON web tokens"). The issuer is AWS's address of the pool, so that the template's authorizers need no change;
where its keys are found here is the stack's business. A pool's key is made when its first token is asked for.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from trine.aws.ids import Ids
from trine.clock import Clock
from trine.cognito.attributes import BOOLEAN, readable
from trine.cognito.directory import Directory
from trine.cognito.errors import NotAuthorized
from trine.cognito.model import Client, Pool, Session, User
from trine.cognito.vault import Vault

KEY_BITS = 2_048
SELF_SERVICE_SCOPE = "aws.cognito.signin.user.admin"
"""What access tokens of the sign-in API may do: manage the user they belong to."""


class TokenClaims(NamedTuple):
    """The claims of one sign-in before they are signed; a trigger may change them."""

    id: dict[str, Any]
    access: dict[str, Any]


class Grant(NamedTuple):
    """Everything a new set of tokens says: to whom, through which client, since when."""

    pool: Pool
    client: Client
    user: User
    origin_jti: str
    signed_in_at: float


class TokenMint:
    """Signs tokens of every pool and reads its own access tokens."""

    def __init__(self, directory: Directory, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._directory, self._vault, self._clock, self._ids = directory, vault, clock, ids
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._making: dict[str, asyncio.Future[rsa.RSAPrivateKey]] = {}

    def issuer(self, pool: Pool) -> str:
        """The pool's issuer, as on AWS."""
        return f"https://cognito-idp.{pool.arn.split(':')[3]}.amazonaws.com/{pool.id}"

    # -- keys ----------------------------------------------------------------------------------------------------

    async def key_set(self, pool: Pool) -> dict[str, Any]:
        """The pool's JWKS document."""
        numbers = (await self._key(pool)).public_key().public_numbers()
        key = {"alg": "RS256", "e": _number(numbers.e), "kid": pool.key_id, "kty": "RSA", "n": _number(numbers.n)}
        return {"keys": [{**key, "use": "sig"}]}

    async def _key(self, pool: Pool) -> rsa.RSAPrivateKey:
        key = self._keys.get(pool.id)
        if key is not None and pool.signing_key:  # a pool that was made anew under its id has none yet
            return key
        making = self._making.get(pool.id)
        if making is None:
            making = self._making[pool.id] = asyncio.ensure_future(self._make_key(pool))
            making.add_done_callback(lambda _: self._making.pop(pool.id, None))
        return await asyncio.shield(making)

    async def _make_key(self, pool: Pool) -> rsa.RSAPrivateKey:
        if pool.signing_key:
            key = load_pem_private_key(self._vault.unseal(f"{pool.id}/key", pool.signing_key), None)
            assert isinstance(key, rsa.RSAPrivateKey)
        else:
            # Up to half a second of arithmetic: not on the event loop.
            key = await asyncio.to_thread(rsa.generate_private_key, public_exponent=65_537, key_size=KEY_BITS)
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            pool.signing_key = self._vault.seal(f"{pool.id}/key", pem)
            pool.key_id = base64.b64encode(self._ids.random_bytes(32)).decode()
            self._directory.save_pool(pool)
            await self._directory.settled()  # a token must not outlive the key that signed it
        self._keys[pool.id] = key
        return key

    # -- making --------------------------------------------------------------------------------------------------

    def claims(self, grant: Grant) -> TokenClaims:
        """The claims of an ID and an access token, as Cognito writes them."""
        now = int(self._clock.now())
        pool, client, user = grant.pool, grant.client, grant.user
        shared: dict[str, Any] = {
            "sub": user.sub,
            "iss": self.issuer(pool),
            "origin_jti": grant.origin_jti,
            "event_id": self._ids.uuid(),
            "auth_time": int(grant.signed_in_at),
            "iat": now,
        }
        groups = [self._directory.group(pool, name) for name in user.groups]
        groups.sort(key=lambda group: (group.precedence is None, group.precedence or 0))
        if groups:
            shared["cognito:groups"] = [group.name for group in groups]
        identity = {**shared, "aud": client.id, "cognito:username": user.username, "token_use": "id"}
        roles = [group.role_arn for group in groups if group.role_arn]
        if roles:
            identity["cognito:roles"] = roles
            identity["cognito:preferred_role"] = roles[0]
        for name, value in readable(user.attributes, client).items():
            identity[name] = value == "true" if name in BOOLEAN else value
        access = {
            **shared,
            "client_id": client.id,
            "token_use": "access",
            "scope": SELF_SERVICE_SCOPE,
            "username": user.username,
        }
        identity["exp"] = now + client.lifetime_seconds("IdToken")
        access["exp"] = now + client.lifetime_seconds("AccessToken")
        return TokenClaims({**identity, "jti": self._ids.uuid()}, {**access, "jti": self._ids.uuid()})

    async def sign(self, pool: Pool, claims: Mapping[str, Any]) -> str:
        """A signed token of these claims."""
        key = await self._key(pool)
        return jwt.encode(dict(claims), key, algorithm="RS256", headers={"kid": pool.key_id})

    def refresh_token(self) -> str:
        """A new refresh token: opaque, and only its digest is kept."""
        return base64.urlsafe_b64encode(self._ids.random_bytes(48)).decode()

    @staticmethod
    def digest(refresh_token: str) -> str:
        """What a refresh token is found by."""
        return hashlib.sha256(refresh_token.encode("utf-8", "surrogatepass")).hexdigest()

    # -- reading -------------------------------------------------------------------------------------------------

    async def owner_of(self, access_token: str) -> tuple[Pool, Client, User, Session]:
        """Whose access token this is. NotAuthorized when it is not one, has run out, or was revoked."""
        pool = self._pool_of(access_token)
        public = (await self._key(pool)).public_key()
        # The token's times are judged by the stack's clock, below, not by the library's.
        unchecked = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
        try:
            claims = jwt.decode(access_token, public, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            raise NotAuthorized("Invalid Access Token") from None
        if claims.get("token_use") != "access":
            raise NotAuthorized("Invalid Access Token")
        if claims["exp"] <= self._clock.now():
            raise NotAuthorized("Access Token has expired")
        user = self._directory.find_user(pool, claims["username"])
        client = self._directory.clients.get(claims["client_id"])
        session = self._directory.session_of_token(user, claims["origin_jti"]) if user is not None else None
        if user is None or client is None or user.sub != claims["sub"] or session is None:
            raise NotAuthorized("Access Token has been revoked")
        if SELF_SERVICE_SCOPE not in str(claims.get("scope", "")).split():
            raise NotAuthorized("Access Token does not have required scopes")
        if not user.enabled:
            raise NotAuthorized("User is disabled.")
        return pool, client, user, session

    def _pool_of(self, token: str) -> Pool:
        try:
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise NotAuthorized("Invalid Access Token") from None
        pool = self._directory.pools.get(issuer.rpartition("/")[2])
        if pool is None or issuer != self.issuer(pool):
            raise NotAuthorized("Invalid Access Token")
        return pool


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
