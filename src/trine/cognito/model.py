"""Pools, clients, groups, users and sessions as values, and what their settings mean.

`settings` holds the members of the API's Create calls (`CreateUserPool`, `CreateUserPoolClient`) as they were given;
properties below read them with AWS's defaults. Source of names and defaults: Cognito user pools API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trine.cognito import limits
from trine.cognito.passwords import DEFAULT_POLICY

UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_FLOWS_DEFAULT = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")

SOFTWARE = "SOFTWARE_TOKEN_MFA"
"""The second factor that is built: codes of an authenticator application."""
_OLDER_FLOWS = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY": "ALLOW_CUSTOM_AUTH",
}


@dataclass(slots=True)
class Pool:
    """A user pool. `signing_key` is its private RSA key in PEM, sealed; empty until the first token is asked for."""

    id: str
    arn: str
    name: str
    created_at: float
    modified_at: float
    settings: dict[str, Any]
    signing_key: str = ""
    key_id: str = ""

    @property
    def short_name(self) -> str:
        """The part of the id behind the region, which SRP clients hash."""
        return self.id.partition("_")[2]

    @property
    def password_policy(self) -> Mapping[str, Any]:
        """`Policies.PasswordPolicy`; AWS's default where none was given."""
        given = (self.settings.get("Policies") or {}).get("PasswordPolicy")
        return given if given is not None else DEFAULT_POLICY

    @property
    def username_attributes(self) -> tuple[str, ...]:
        """Addresses that serve as user names (`email`, `phone_number`)."""
        return tuple(self.settings.get("UsernameAttributes") or ())

    @property
    def aliases(self) -> tuple[str, ...]:
        """Attributes by which a user may sign in once they are verified."""
        return tuple(self.settings.get("AliasAttributes") or ())

    @property
    def auto_verified(self) -> tuple[str, ...]:
        """Attributes to which codes are sent at sign-up."""
        return tuple(self.settings.get("AutoVerifiedAttributes") or ())

    @property
    def case_sensitive(self) -> bool:
        """Whether `Ada` and `ada` are two users. True unless the pool says otherwise."""
        return bool((self.settings.get("UsernameConfiguration") or {}).get("CaseSensitive", True))

    @property
    def admin_only(self) -> bool:
        """Whether only administrators make users."""
        return bool((self.settings.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"))

    @property
    def temporary_password_days(self) -> int:
        """How long the password of an invitation is good."""
        own = (self.settings.get("AdminCreateUserConfig") or {}).get("UnusedAccountValidityDays")
        default = own or limits.TEMPORARY_PASSWORD_DAYS_DEFAULT
        return int(self.password_policy.get("TemporaryPasswordValidityDays") or default)

    @property
    def triggers(self) -> Mapping[str, Any]:
        """`LambdaConfig`: trigger → function ARN."""
        return self.settings.get("LambdaConfig") or {}

    @property
    def mfa(self) -> str:
        """`OFF`, `OPTIONAL` (who wants it) or `ON` (everybody)."""
        return str(self.settings.get("MfaConfiguration") or "OFF")

    @property
    def software_tokens(self) -> bool:
        """Whether codes of an authenticator application may be the second factor."""
        by_api = (self.settings.get("SoftwareTokenMfaConfiguration") or {}).get("Enabled")
        return bool(by_api) or SOFTWARE in (self.settings.get("EnabledMfas") or ())

    def folded(self, name: str) -> str:
        """A user name or address as it is looked up by."""
        return name if self.case_sensitive else name.lower()


@dataclass(slots=True)
class Client:
    """An app client of a pool."""

    id: str
    pool_id: str
    name: str
    secret: str | None
    created_at: float
    modified_at: float
    settings: dict[str, Any]

    @property
    def flows(self) -> tuple[str, ...]:
        """`ExplicitAuthFlows` in the `ALLOW_…` form; the older names are translated."""
        given = tuple(self.settings.get("ExplicitAuthFlows") or ())
        if not given:
            return _FLOWS_DEFAULT
        if given[0].startswith("ALLOW_"):
            return given
        older = (_OLDER_FLOWS[one] for one in given if one in _OLDER_FLOWS)
        return (*older, "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")

    @property
    def hides_users(self) -> bool:
        """Whether it is kept secret which users exist (`PreventUserExistenceErrors: ENABLED`)."""
        return self.settings.get("PreventUserExistenceErrors") == "ENABLED"

    @property
    def challenge_seconds(self) -> int:
        """How long a sign-in may wait for the answer to a challenge."""
        return 60 * int(self.settings.get("AuthSessionValidity") or limits.CHALLENGE_MINUTES_DEFAULT)

    def lifetime_seconds(self, token: str) -> int:
        """How long a token is good: `AccessToken`, `IdToken` or `RefreshToken`."""
        defaults = {
            "AccessToken": ("hours", limits.ACCESS_TOKEN_SECONDS_DEFAULT),
            "IdToken": ("hours", limits.ID_TOKEN_SECONDS_DEFAULT),
            "RefreshToken": ("days", limits.REFRESH_TOKEN_SECONDS_DEFAULT),
        }
        unit_default, seconds_default = defaults[token]
        count = self.settings.get(f"{token}Validity")
        if not count:
            return seconds_default
        unit = (self.settings.get("TokenValidityUnits") or {}).get(token) or unit_default
        return int(count) * UNIT_SECONDS[unit]


@dataclass(slots=True)
class Group:
    """A group of a pool's users."""

    pool_id: str
    name: str
    created_at: float
    modified_at: float
    description: str | None = None
    role_arn: str | None = None
    precedence: int | None = None


@dataclass(slots=True)
class Code:
    """A code that was sent: its hash, until when it is good, and how often it may still be guessed."""

    digest: str
    expires_at: float
    tries_left: int
    attribute: str
    """Which attribute holds the address that the code was sent to, and proves it."""
    counted_since: float = 0.0
    """When the first code of those was sent that share the guesses."""


@dataclass(slots=True)
class User:
    """A user of a pool. `password` is a scrypt digest, `verifier` the sealed SRP verifier; a user may have neither."""

    pool_id: str
    username: str
    attributes: dict[str, str]
    status: str
    created_at: float
    modified_at: float
    enabled: bool = True
    password: str | None = None
    srp_salt: str = ""
    verifier: str = ""
    temporary_until: float | None = None
    """When a temporary password ends; None for a password of the user's own."""
    groups: list[str] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    """Purpose (`sign_up`, `reset`, `verify:email`) → the code."""
    wrong_passwords: int = 0
    locked_until: float = 0.0
    software_token: str = ""
    """The sealed secret of the authenticator; empty without one."""
    software_token_pending: str = ""
    """One that no code has proved yet, sealed."""
    software_token_step: int = 0
    """The half minute of the last code: none is good twice."""
    software_token_device: str = ""
    software_token_wanted: bool = False
    software_token_preferred: bool = False
    wrong_codes: int = 0
    """Wrong codes since the last right one; a right password does not forgive them."""

    @property
    def factors(self) -> dict[str, Any]:
        """`UserMFASettingList` and `PreferredMfaSetting`, where there is something to say."""
        if not self.software_token_wanted:
            return {}
        preferred = {"PreferredMfaSetting": SOFTWARE} if self.software_token_preferred else {}
        return {"UserMFASettingList": [SOFTWARE], **preferred}

    @property
    def sub(self) -> str:
        """The user's unique and lasting id."""
        return self.attributes["sub"]


@dataclass(slots=True)
class Session:
    """What stands behind a refresh token; found by the token's hash. All tokens that came of it bear `origin_jti`."""

    digest: str
    pool_id: str
    client_id: str
    username: str
    origin_jti: str
    signed_in_at: float
    expires_at: float
