"""JWT authorizers of HTTP APIs and Cognito authorizers of REST APIs.

Enters an `Exchange` with its route; leaves nothing when the token is good, or a future while the issuer's keys are
fetched; a refusal is a `GatewayError` 401 or 403. A verified token is remembered until it expires, so it costs its
mathematics once. Sources: "Control access to HTTP APIs with JWT authorizers", "Integrate a REST API with a user pool".
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from trine.apigateway.api import Authorizer
from trine.apigateway.authorizers.identity import identity_value
from trine.apigateway.authorizers.jwks import KeySet, KeySets
from trine.apigateway.authorizers.jwt import (
    Token,
    TokenRefused,
    bearer,
    check_claims,
    check_times,
    read_token,
    scopes_of,
    verify_signature,
)
from trine.apigateway.errors import ACCESS_DENIED, UNAUTHORIZED, GatewayError
from trine.apigateway.exchange import Exchange
from trine.aws.arn import Place
from trine.clock import Clock

ROOM = "apigateway.authorizer"
VERIFIED_TOKENS = 1_024
"""Tokens remembered as verified, per authorizer."""


def cognito_issuer(provider_arn: str, place: Place) -> str:
    """The issuer of a user pool: `arn:aws:cognito-idp:REGION:…:userpool/ID` → `https://cognito-idp.REGION…/ID`."""
    parts = provider_arn.split(":")
    region = parts[3] if len(parts) > 3 and parts[3] else place.region
    return f"https://cognito-idp.{region}.amazonaws.com/{provider_arn.rpartition('/')[2]}"


class _Verified(NamedTuple):
    """A token whose signature holds, and what functions are told of it, by wanted scopes and payload version."""

    token: Token
    contexts: dict[tuple[tuple[str, ...], str], Mapping[str, Any]]


class JwtAuthorizer:
    """One token authorizer in one stage."""

    def __init__(self, authorizer: Authorizer, place: Place, keys: KeySets, clock: Clock, *, rest: bool) -> None:
        self._authorizer = authorizer
        self._rest = rest
        self._clock = clock
        issuers = [cognito_issuer(arn, place) for arn in authorizer.provider_arns] if rest else [authorizer.issuer]
        self._sets: dict[str, KeySet] = {issuer: keys.of(issuer) for issuer in issuers}
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    def check(self, exchange: Exchange) -> Future[None] | None:
        """None when the token is good; a future while keys are fetched. GatewayError 401 or 403."""
        try:
            text = self._token_text(exchange)
            verified = self._verified.get(text)
            if verified is not None:
                check_times(verified.token.claims, self._clock.now())
                self._apply(exchange, verified, cached=True)
                return None
            token = read_token(text)
            keys = self._key_set(token)
            key = keys.find(token.key_id)
            if key is None and keys.may_fetch():
                answer: Future[None] = asyncio.get_running_loop().create_future()
                keys.fetch().add_done_callback(partial(self._fetched, exchange, text, token, keys, answer))
                return answer
            self._verify(exchange, text, token, keys)
        except TokenRefused as error:
            raise self._unauthorized(exchange, str(error)) from None
        return None

    def _token_text(self, exchange: Exchange) -> str:
        sources = self._authorizer.identity_sources or ("$request.header.Authorization",)
        value = identity_value(sources[0], exchange)
        if value is None:
            headers = [] if self._rest else [(b"www-authenticate", b"Bearer")]
            raise GatewayError(UNAUTHORIZED, f"{sources[0]} is missing", headers=headers, room=ROOM)
        return bearer(value)

    def _key_set(self, token: Token) -> KeySet:
        issuer = token.claims.get("iss")
        keys = self._sets.get(issuer) if isinstance(issuer, str) else None
        if keys is None:
            raise TokenRefused("the token's issuer is not the authorizer's")
        return keys

    def _fetched(
        self, exchange: Exchange, text: str, token: Token, keys: KeySet, answer: Future[None], settled: Future[None]
    ) -> None:
        if answer.done():
            if not settled.cancelled():
                settled.exception()
            return
        try:
            error = None if settled.cancelled() else settled.exception()
            if error is not None or settled.cancelled():
                raise TokenRefused(str(error) if isinstance(error, TokenRefused) else "the keys could not be fetched")
            self._verify(exchange, text, token, keys)
        except TokenRefused as refused:
            answer.set_exception(self._unauthorized(exchange, str(refused)))
        except GatewayError as refused:
            answer.set_exception(refused)
        else:
            answer.set_result(None)

    def _verify(self, exchange: Exchange, text: str, token: Token, keys: KeySet) -> None:
        key = keys.find(token.key_id)
        if key is None:
            raise TokenRefused("the token's key id is unknown to its issuer")
        verify_signature(token, key)
        issuer = str(token.claims.get("iss"))
        check_claims(token.claims, issuer=issuer, audience=self._authorizer.audience, now_seconds=self._clock.now())
        verified = self._verified[text] = _Verified(token, {})
        if len(self._verified) > VERIFIED_TOKENS:
            self._verified.popitem(last=False)
        self._apply(exchange, verified, cached=False)

    def _apply(self, exchange: Exchange, verified: _Verified, *, cached: bool) -> None:
        """Let the request pass; what functions are told of the token is worked out once for routes that ask alike."""
        wanted, payload_version = exchange.route.route.scopes, exchange.route.integration.payload_version
        context = verified.contexts.get((wanted, payload_version))
        if context is None:
            claims = verified.token.claims
            granted = scopes_of(claims)
            if self._rest:
                self._check_use(claims, wanted)
            if wanted and not any(scope in granted for scope in wanted):
                raise self._insufficient(wanted, granted)
            context = self._context(claims, wanted, payload_version)
            verified.contexts[wanted, payload_version] = context
        detail = {"authorizer": self._authorizer.name, "sub": verified.token.claims.get("sub"), "cached": cached}
        exchange.trace.step(ROOM, detail)
        exchange.authorizer = context

    def _context(self, claims: Mapping[str, Any], wanted: tuple[str, ...], payload_version: str) -> Mapping[str, Any]:
        """What stands in `requestContext.authorizer`."""
        if self._rest:
            return {"claims": {name: _cognito_text(name, value) for name, value in claims.items()}}
        told = {"claims": {name: _jwt_text(value) for name, value in claims.items()}, "scopes": list(wanted) or None}
        return {"jwt": told} if payload_version == "2.0" else told

    @staticmethod
    def _check_use(claims: Mapping[str, Any], wanted: tuple[str, ...]) -> None:
        """Cognito: an ID token without scopes, an access token with scopes."""
        use = claims.get("token_use")
        expected = "access" if wanted else "id"
        if use is not None and use != expected:
            raise TokenRefused(f"this method takes {expected} tokens, not {use} tokens")

    def _insufficient(self, wanted: tuple[str, ...], granted: list[str]) -> GatewayError:
        reason = "the token has none of the scopes that the route asks for"
        facts: dict[str, Any] = {"wanted": list(wanted), "granted": granted}
        if self._rest:
            return GatewayError(UNAUTHORIZED, reason, room=ROOM, **facts)
        challenge = f'Bearer scope="{" ".join(wanted)}" error="insufficient_scope"'
        headers = [(b"www-authenticate", challenge.encode())]
        return GatewayError(ACCESS_DENIED, reason, headers=headers, room=ROOM, **facts)

    def _unauthorized(self, exchange: Exchange, reason: str) -> GatewayError:
        if self._rest:
            message = "The incoming token has expired" if reason == "the token has expired" else None
            return GatewayError(UNAUTHORIZED, reason, message=message, room=ROOM)
        scope = " ".join(exchange.route.route.scopes)
        text = reason.replace('"', "'").encode("ascii", "replace").decode()
        challenge = f'Bearer scope="{scope}" error="invalid_token" error_description="{text}"'
        return GatewayError(UNAUTHORIZED, reason, headers=[(b"www-authenticate", challenge.encode())], room=ROOM)


def _jwt_text(value: Any) -> str:
    """A claim in an HTTP API's event: text; lists as `[a b]`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + " ".join(_jwt_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{_jwt_text(item)}" for name, item in value.items()) + "]"
    return "" if value is None else str(value)


def _cognito_text(name: str, value: Any) -> str:
    """A claim in a REST event: text; `iat` and `exp` as Java prints dates; lists joined with commas."""
    if name in ("iat", "exp") and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, list):
        return ",".join(_jwt_text(item) for item in value)
    return _jwt_text(value)
