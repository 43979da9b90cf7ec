"""Ceilings of EventBridge and EventBridge Scheduler, each with its unit and source (the "Quotas" pages)."""

from __future__ import annotations

ENTRIES_MAX = 10
"""PutEvents: ten entries in one call."""
ENTRY_MAX_BYTES = 1_048_576
"""PutEvents: an entry below 1 MB."""
TARGETS_MAX = 5
"""Targets of one rule."""
RULES_MAX = 10_000
BUSES_MAX = 100
SCHEDULES_MAX = 10_000
"""Trine's own bounds for rules and schedules; buses as on AWS."""
INPUT_MAX_CHARACTERS = 8_192
"""PutTargets, `Input`."""
RETRIES_DEFAULT, RETRIES_MAX = 185, 185
AGE_DEFAULT_SECONDS, AGE_MIN_SECONDS, AGE_MAX_SECONDS = 86_400, 60, 86_400
"""`RetryPolicy` of targets: 185 attempts within 24 hours."""
RETRY_FIRST_SECONDS, RETRY_MAX_SECONDS = 1.0, 600.0
"""Pause before the second attempt, doubled each time. AWS publishes no figures."""
PENDING_MAX = 10_000
"""Deliveries that wait for another attempt. Trine's own bound; beyond it they go to the dead-letter queue at once."""
LOOK_AGAIN_SECONDS = 3_600.0
"""Longest time a schedule sleeps before it looks at the clock again (a machine may have slept meanwhile)."""
YEAR_FIRST, YEAR_LAST = 1970, 2199
"""Cron expressions, field year."""
WINDOW_MAX_MINUTES = 1_440
"""Scheduler, `FlexibleTimeWindow`."""
NAME_MAX_CHARACTERS = 64
BUS_HOPS_MAX = 4
"""Buses that one event may pass by rules. Trine's own bound against circles."""
