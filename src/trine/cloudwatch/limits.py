"""CloudWatch's ceilings, and our own, each with its unit. Source: "CloudWatch service quotas" and the API reference."""

from __future__ import annotations

STANDARD_RESOLUTION_SECONDS = 60
"""Alarms of shorter periods, and metrics stored by the second, have high resolution (pricing page, "Alarms")."""

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
HISTORY_MAX_COUNT = 10_000
"""Our own: changes and actions of all alarms that are remembered."""
HISTORY_SECONDS = 30 * 86_400
"""DescribeAlarmHistory: "available for 30 days"."""

SERIES_MAX_COUNT = 10_000
"""Our own: different metrics kept; data of further ones is dropped and counted."""
POINTS_MAX_COUNT = 2_000_000
"""Our own: minutes of all metrics kept on disk, some 200 MB; the oldest go first."""
POINTS_IN_MEMORY_MAX_COUNT = 100_000
"""The same of a stack that keeps nothing on disk."""
NOTED_EVERY_SECONDS = 600
"""How far behind the durable note of a metric's latest data may be; ListMetrics asks in hours."""
LATEST_SECOND = 2**40 - 1
"""The latest second that a point's key can hold."""
BODY_MAX_BYTES = 1_048_576
"""PutMetricData: 1 MB, also after it is unpacked."""
EMF_LINE_MAX_BYTES = 1_048_576
EMF_METRICS_MAX_COUNT = 100
"""Embedded metric format: metrics in one directive."""
KEPT_SECONDS = 15 * 86_400
"""CloudWatch keeps data points of a minute for fifteen days."""
EVALUATION_SECONDS = 60
RULE_MAX_CHARACTERS = 10_240
RULE_ALARMS_MAX_COUNT = 100
"""Composite alarms: "AlarmRule can specify as many as 100 other alarms", 500 elements in all."""
COMPOSITE_TURNS_MAX_COUNT = 20
"""Our own: how often composite alarms look at each other after one move."""
TAGS_MAX_COUNT = 50
DASHBOARDS_MAX_COUNT = 500
DASHBOARDS_PAGE_COUNT = 1_000
DASHBOARD_MAX_BYTES = 300_000
"""Our own: AWS takes a megabyte."""
EXPRESSION_MAX_CHARACTERS = 2_048
SEARCH_MAX_CHARACTERS = 1_024
SEARCH_RESULTS_MAX_COUNT = 100
"""Search expressions: "up to 100 time series"."""
EXPRESSION_DEPTH_MAX_COUNT = 50
POINTS_PER_CALL_MAX_COUNT = 2_000_000
"""Our own: points that the queries of one call may read and compute, every step of an expression and every metric that
a search looks at counted; a second or two in which nothing else is answered. 500 metrics of two days: 1.4 million."""
