"""Every ceiling of this layer, with its unit in its name; AWS's own with their source."""

from __future__ import annotations

HTTP_API_INCREMENT_BYTES = 512 * 1024
"""API Gateway pricing: "HTTP APIs are metered in 512 KB increments"."""
SOCKET_INCREMENT_BYTES = 32 * 1024
"""API Gateway pricing: WebSocket "messages are metered in 32 KB increments"."""
STREAMED_FREE_BYTES = 6 * 1024 * 1024
"""Lambda pricing: "the first 6 MB per request are free" of a streamed answer."""
REST_STREAM_INCREMENT_BYTES = 10 * 1024 * 1024
"""API Gateway pricing: "Streaming enabled REST APIs are metered in 10MB response payload increments"."""
PAYERS_MAX_COUNT = 2_000
"""Different (route, API key, caller) told apart between two restarts; later ones are counted together."""
USES_MAX_COUNT = 1_000
"""Amounts of units whose words are kept for each table: an item has at most 400 KB, a page 1 MB."""
ROWS_PER_MINUTE_MAX_COUNT = 2_000
"""Rows of usage of one minute; what comes beyond is counted in rows of its service alone."""
SERIES_MAX_COUNT = 5_000
"""Different measures told apart; what comes beyond is dropped and counted."""
MINUTES_IN_MEMORY_MAX_COUNT = 24 * 60
"""Minutes of usage a stack without a state directory remembers."""
NAME_MAX_CHARACTERS = 256
"""Longer names of callers and keys are cut."""
BATCH_MAX_COUNT = 4_096
"""Closed traces that wait together, at most, before they are counted."""
DRAIN_SECONDS = 1.0
"""How long closed traces wait, at most, before they are counted."""
MINUTE_SECONDS = 60
OTHER = "(other)"
"""The name under which what is too varied is counted."""
