"""OpenID Connect providers that roles may trust, and what their tokens say.

Enters a token and what its issuer's keys make of it, leaves checked claims. How a signature is verified and where keys
come from is somebody else's (a `TokenVerifier` is handed in): the front door's authorizers do the same work.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.iam import limits
from trine.iam.directory import Directory
from trine.iam.errors import EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity


class InvalidIdentityToken(AwsError):
    """The web identity token is not one that the account's providers vouch for."""

    code = "InvalidIdentityToken"
    status = 400


class ExpiredIdentityToken(AwsError):
    """The web identity token has run out."""

    code = "ExpiredTokenException"
    status = 400


class ProviderUnreachable(AwsError):
    """The keys of the token's issuer cannot be had."""

    code = "IDPCommunicationError"
    status = 400


class TokenVerifier(Protocol):
    """Whoever can verify a JSON Web Token with its issuer's keys."""

    def verify(self, token: str, issuer: str) -> Awaitable[Mapping[str, Any]]:
        """The token's claims when its signature holds. ValueError when it does not, OSError without keys."""


@dataclass(slots=True)
class OidcProvider:
    """An OpenID Connect provider of the account."""

    url: str
    """Host and path, without the scheme."""
    arn: str
    created_at: float
    client_ids: list[str] = field(default_factory=list)
    thumbprints: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    scheme: str = "https"
    """AWS takes `https` alone; `http` is for issuers on this machine."""

    def issues(self, issuer: str) -> bool:
        """Whether a token's `iss` is this provider, letter for letter: its keys are fetched from there."""
        return issuer.removesuffix("/") == f"{self.scheme}://{self.url}"


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """Who a verified token speaks of."""

    provider: OidcProvider
    subject: str
    audience: str
    claims: Mapping[str, Any]

    def context(self) -> dict[str, tuple[str, ...]]:
        """Condition keys of a trust policy: `issuer:aud`, `issuer:sub`, `issuer:amr`."""
        url = self.provider.url
        amr = self.claims.get("amr")
        keys: dict[str, tuple[str, ...]] = {f"{url}:aud": (self.audience,), f"{url}:sub": (self.subject,)}
        if isinstance(amr, list):
            keys[f"{url}:amr"] = tuple(str(one) for one in amr)
        return keys


class Federation:
    """The account's providers, kept in the catalogue."""

    def __init__(self, directory: Directory, catalogue: Catalogue | None) -> None:
        self._directory = directory
        self.verifier: TokenVerifier | None = None
        """Set by whoever builds the stack; without it no token is believed."""
        documents = catalogue.list("iam:oidc-provider") if catalogue is not None else iter(())
        self.providers = {arn: OidcProvider(**document) for arn, document in documents}

    def create(self, url: str, client_ids: list[str], thumbprints: list[str], tags: dict[str, str]) -> OidcProvider:
        """Make a provider. InvalidInput, EntityAlreadyExists, LimitExceeded."""
        host = issuer_name(url)
        if not url.startswith(("https://", "http://")) or not host:
            raise InvalidInput("Invalid Open ID Connect Provider URL")
        arn = self._directory.place.arn("iam", f"oidc-provider/{host}", regional=False)
        if arn in self.providers:
            raise EntityAlreadyExists(f"Provider with url {url} already exists.")
        if len(self.providers) >= limits.OIDC_PROVIDERS_MAX:
            raise LimitExceeded(
                f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {limits.OIDC_PROVIDERS_MAX}"
            )
        scheme = url.partition("://")[0]
        provider = OidcProvider(host, arn, self._directory.clock.now(), client_ids, thumbprints, tags, scheme)
        self.save(provider)
        return provider

    def get(self, arn: str) -> OidcProvider:
        """The provider of that ARN. NoSuchEntity when there is none."""
        found = self.providers.get(arn)
        if found is None:
            raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {arn}")
        return found

    def save(self, provider: OidcProvider) -> None:
        """Keep a changed provider. LimitExceeded beyond 100 client ids."""
        if len(provider.client_ids) > limits.OIDC_CLIENT_IDS_MAX:
            raise LimitExceeded(
                f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {limits.OIDC_CLIENT_IDS_MAX}"
            )
        self.providers[provider.arn] = provider
        self._directory.remember("oidc-provider", provider.arn, asdict(provider))

    def delete(self, provider: OidcProvider) -> None:
        """Forget a provider."""
        del self.providers[provider.arn]
        self._directory.remember("oidc-provider", provider.arn, None)

    async def identify(self, token: str, now: float) -> WebIdentity:
        """Who the token speaks of. InvalidIdentityToken, ExpiredIdentityToken, ProviderUnreachable."""
        issuer = unverified_issuer(token)
        arn = self._directory.place.arn("iam", f"oidc-provider/{issuer_name(issuer)}", regional=False)
        provider = self.providers.get(arn)
        if provider is None or not provider.issues(issuer):
            raise InvalidIdentityToken(f"No OpenIDConnect provider found in your account for {issuer[:256]}")
        if self.verifier is None:
            raise ProviderUnreachable("No verifier of web identity tokens is set up in this stack")
        try:
            claims = await self.verifier.verify(token, issuer)
        except ValueError:
            raise InvalidIdentityToken("Couldn't retrieve verification key from your identity provider, or the "
                                       "token's signature is invalid") from None  # fmt: skip
        except OSError:
            raise ProviderUnreachable("Couldn't retrieve verification key from your identity provider") from None
        return _checked(provider, claims, now)


def _checked(provider: OidcProvider, claims: Mapping[str, Any], now: float) -> WebIdentity:
    if issuer_name(str(claims.get("iss", ""))) != provider.url:
        raise InvalidIdentityToken("Missing or wrong issuer in the token")
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise InvalidIdentityToken("Missing a required claim: exp")
    if expires <= now:
        raise ExpiredIdentityToken("Token expired: current date/time must be before the expiration date/time")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise InvalidIdentityToken("Missing a required claim: sub")
    listed = claims.get("aud")
    audiences = [str(one) for one in listed] if isinstance(listed, list) else [str(listed)] if listed else []
    # With `azp` that one counts, for a token may be meant for several (STS API reference, AssumeRoleWithWebIdentity).
    candidates = [str(claims["azp"])] if claims.get("azp") else audiences
    audience = next((one for one in candidates if one in provider.client_ids), None)
    if audience is None:
        raise InvalidIdentityToken("Incorrect token audience")
    return WebIdentity(provider, subject, audience, claims)


def issuer_name(url: str) -> str:
    """An issuer's URL as IAM names it: without scheme and trailing slash."""
    return url.partition("://")[2].rstrip("/") if "://" in url else url.rstrip("/")


def unverified_issuer(token: str) -> str:
    """The `iss` of a token nobody has verified yet, only to find its provider. InvalidIdentityToken if unreadable."""
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return str(claims["iss"])
    except (ValueError, binascii.Error, KeyError, TypeError, RecursionError):
        raise InvalidIdentityToken(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        ) from None
