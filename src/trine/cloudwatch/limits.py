"""CloudWatch's ceilings, and our own, each with its unit. Source: "CloudWatch service quotas" and the API reference."""

from __future__ import annotations

DATA_PER_PUT_MAX_COUNT = 1_000
VALUES_PER_DATUM_MAX_COUNT = 150
DIMENSIONS_MAX_COUNT = 30
NAME_MAX_CHARACTERS = 255
DIMENSION_VALUE_MAX_CHARACTERS = 1_024
VALUE_MAX_EXPONENT = 360
"""Values lie between 2^-360 and 2^360, of either sign, or are zero."""
PAST_MAX_SECONDS = 14 * 86_400
FUTURE_MAX_SECONDS = 2 * 3_600
QUERIES_PER_CALL_MAX_COUNT = 500
DATAPOINTS_PER_CALL_MAX_COUNT = 100_800
DATAPOINTS_OF_STATISTICS_MAX_COUNT = 1_440
LIST_PAGE_COUNT = 500
LIST_RECENT_SECONDS = 14 * 86_400
"""ListMetrics: metrics that had data in the last two weeks."""
LIST_RECENTLY_ACTIVE_SECONDS = 3 * 3_600
ALARM_RANGE_MAX_SECONDS = 86_400
"""Period times evaluation periods; up to seven days for periods of an hour or more."""
ALARM_LONG_RANGE_MAX_SECONDS = 7 * 86_400
ALARMS_MAX_COUNT = 5_000
HISTORY_MAX_COUNT = 100
"""Our own: changes of state that an alarm remembers; AWS keeps 30 days."""

SERIES_MAX_COUNT = 10_000
"""Our own: different metrics kept; data of further ones is dropped and counted."""
POINTS_MAX_COUNT = 200_000
"""Our own: minutes of all metrics kept in memory; the oldest go first."""
BODY_MAX_BYTES = 1_048_576
"""PutMetricData: 1 MB, also after it is unpacked."""
EMF_LINE_MAX_BYTES = 1_048_576
EMF_METRICS_MAX_COUNT = 100
"""Embedded metric format: metrics in one directive."""
KEPT_DAYS = 15
"""What was put is kept on disk for so many days; CloudWatch keeps minutes for fifteen days."""
EVALUATION_SECONDS = 60
EXPRESSION_MAX_CHARACTERS = 2_048
EXPRESSION_DEPTH_MAX_COUNT = 50
