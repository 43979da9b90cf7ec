"""Ceilings of IAM, STS and SigV4, each with its unit and its source."""

from __future__ import annotations

CLOCK_SKEW_SECONDS = 900
"""How far a signature's date may stand from the server's. AWS General Reference, "Signing requests": 15 minutes."""
PRESIGNED_LIFETIME_MAX_SECONDS = 604_800
"""Longest `X-Amz-Expires`: seven days (Signature Version 4 reference, query parameters)."""
SIGNED_HEADERS_MAX = 100
"""Headers that a signature may name. Trine's own bound; the door's header limit binds first."""
AUTHORIZATION_MAX_BYTES = 8_192
"""Longest Authorization header looked at. Trine's own bound."""

VERIFIED_PREFIXES_MAX = 10_000
"""Cached keyed hash states, one for each (credential, day, signed headers) that has verified once."""
DECISIONS_MAX = 4_096
"""Cached decisions of one principal."""
AUTHORITIES_MAX = 10_000
"""Compiled policy sets held at once."""
SESSIONS_MAX = 100_000
"""Live temporary credentials; beyond it, expired ones are swept and then issuing is refused."""

SESSION_SECONDS_MIN = 900
"""STS API reference, AssumeRole `DurationSeconds`: 15 minutes at least."""
SESSION_SECONDS_DEFAULT = 3_600
"""STS API reference, AssumeRole: one hour by default."""
SESSION_SECONDS_CHAINED_MAX = 3_600
"""STS API reference, AssumeRole: role chaining is limited to one hour."""
SESSION_TOKEN_SECONDS_MAX = 129_600
"""STS API reference, GetSessionToken: 36 hours for users, default 12 hours; 1 hour for root."""
SESSION_TOKEN_SECONDS_DEFAULT = 43_200
SESSION_TOKEN_SECONDS_ROOT_MAX = 3_600
ROLE_SESSION_SECONDS_MIN = 3_600
"""IAM API reference, CreateRole `MaxSessionDuration`: 1 to 12 hours."""
ROLE_SESSION_SECONDS_MAX = 43_200

SESSION_POLICY_MAX_CHARACTERS = 2_048
"""STS API reference, AssumeRole `Policy`."""
SESSION_POLICY_ARNS_MAX = 10
TRUST_POLICY_MAX_CHARACTERS = 2_048
"""IAM quotas: role trust policy length (default; white space does not count)."""
MANAGED_POLICY_MAX_CHARACTERS = 6_144
"""IAM quotas: managed policy length (white space does not count)."""
INLINE_USER_POLICIES_MAX_CHARACTERS = 2_048
"""IAM quotas: sum of a user's inline policies."""
INLINE_GROUP_POLICIES_MAX_CHARACTERS = 5_120
INLINE_ROLE_POLICIES_MAX_CHARACTERS = 10_240
MANAGED_POLICIES_ATTACHED_MAX = 20
"""IAM quotas: 10 by default, 20 at most; the larger one here, since AWS can raise it."""
POLICY_VERSIONS_MAX = 5
"""IAM quotas: versions of a managed policy."""
ACCESS_KEYS_PER_USER_MAX = 2
"""IAM quotas: access keys of one user."""
GROUPS_PER_USER_MAX = 10
"""IAM quotas."""
OIDC_PROVIDERS_MAX = 100
"""IAM quotas: OpenID Connect providers of an account."""
OIDC_CLIENT_IDS_MAX = 100
"""IAM quotas: client ids of one provider."""
TAGS_MAX = 50
"""IAM quotas: tags on a user or role."""

POLICY_DOCUMENT_MAX_BYTES = 131_072
"""Longest policy text parsed at all (the IAM API's own pattern bound for documents: 131,072 characters)."""
POLICY_DEPTH_MAX = 12
"""Nesting of JSON in a policy. Trine's own bound: no valid policy goes below 6."""
