"""Cognito's numbers, each with its unit in its name.

Sources: "Quotas in Amazon Cognito", "User pool endpoints and tokens", and the API reference of each operation.
"""

from __future__ import annotations

POOLS_MAX = 1_000
CLIENTS_PER_POOL_MAX = 1_000
GROUPS_PER_POOL_MAX = 10_000
GROUPS_PER_USER_MAX = 100
CUSTOM_ATTRIBUTES_MAX = 50
USERS_PER_POOL_MAX = 100_000
"""Trine's own bound (AWS: 40,000,000): users are held in memory."""
PAGE_MAX = 60
"""Entries of one page of any List operation."""

ATTRIBUTE_MAX_CHARACTERS = 2_048
PASSWORD_MAX_CHARACTERS = 256
PASSWORD_LENGTH_DEFAULT = 8
TEMPORARY_PASSWORD_DAYS_DEFAULT = 7

CODE_DIGITS = 6
CODE_TRIES_MAX = 20
"""Wrong guesses before a code is void. AWS limits by rate; a bound makes a six-digit code safe at any rate."""
CODE_TRIES_SECONDS = 3_600
"""So long a new code brings no new guesses: otherwise who asks for codes again and again guesses without end."""
SIGN_UP_CODE_SECONDS = 24 * 3_600
VERIFICATION_CODE_SECONDS = 24 * 3_600
RESET_CODE_SECONDS = 3_600

CHALLENGE_MINUTES_DEFAULT = 3
CHALLENGES_MAX = 10_000
"""Sign-ins under way; beyond it the oldest is forgotten."""

TRIES_BEFORE_LOCK = 5
LOCK_SECONDS_FIRST = 1
LOCK_SECONDS_MAX = 15 * 60
"""After five wrong passwords in a row each further one doubles the wait, up to about 15 minutes."""

ACCESS_TOKEN_SECONDS_DEFAULT = 3_600
ID_TOKEN_SECONDS_DEFAULT = 3_600
REFRESH_TOKEN_SECONDS_DEFAULT = 30 * 86_400
SESSIONS_PER_USER_MAX = 200
"""Refresh tokens of one user that are valid at once; the oldest go first. Trine's own bound."""
TRIGGER_TIMEOUT_SECONDS = 5.0
"""Cognito waits five seconds for a trigger, and tries three times; Trine tries once."""
