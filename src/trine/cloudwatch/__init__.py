"""CloudWatch's metrics and alarms: what the other wings measured, what functions put, and who is told of too much.

Enters measures of the stack by the minute, PutMetricData, and EMF lines of logs; leaves statistics for any period,
metric math, and alarms that follow the injected clock. The door is `endpoint`; a stack that nobody asks never loads it.
"""
