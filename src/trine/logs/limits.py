"""Ceilings of the log wing, each with its unit and source ("Quotas" is CloudWatch Logs' page of that name)."""

from __future__ import annotations

EVENTS_KEPT = 10_000
"""Events of one group held in memory. Trine's own bound."""
MEMORY_MAX_BYTES = 8_388_608
"""Text of one group held in memory. Trine's own bound."""
SEGMENT_MAX_BYTES = 16_777_216
"""A file is set aside when it grows beyond this."""
SEGMENTS_MAX = 16
"""Files of one group; the oldest is deleted beyond it, whatever its retention. Trine's own bound against full disks."""
FLUSH_SECONDS = 0.25
"""Longest time an event waits to be written to its file."""
GROUPS_MAX = 10_000
"""Log groups of one stack. Trine's own bound; AWS takes a million."""
STREAMS_MAX = 100_000
"""Streams remembered of one group; the stalest are forgotten beyond it. Trine's own bound."""
RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
"""API reference, PutRetentionPolicy."""
PUT_EVENTS_MAX, PUT_MAX_BYTES, PUT_EVENT_OVERHEAD_BYTES = 10_000, 1_048_576, 26
"""API reference, PutLogEvents: events, and bytes of their messages plus 26 each, in one call."""
PUT_SPAN_MS = 86_400_000
"""The same: events of one call span at most 24 hours."""
PUT_FUTURE_MS, PUT_PAST_MS = 7_200_000, 14 * 86_400_000
"""The same: at most 2 hours ahead and 14 days old."""
PAGE_EVENTS, PAGE_BYTES = 10_000, 1_048_576
"""API reference, GetLogEvents and FilterLogEvents: events and bytes in one answer."""
DESCRIBE_PAGE = 50
"""API reference, DescribeLogGroups and DescribeLogStreams: items in one answer."""
TAGS_MAX = 50
