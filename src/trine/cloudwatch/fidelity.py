"""What this wing does with each template property. Read by the manifest.

A path covers all below it unless a longer one is listed; what is not listed is ignored.
"""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S, _I = Fidelity.ENFORCED, Fidelity.STORED, Fidelity.IGNORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::CloudWatch::Alarm": {
        "AlarmName": _E,
        "AlarmDescription": _E,
        "ActionsEnabled": _E,
        "AlarmActions": _E,
        "OKActions": _E,
        "InsufficientDataActions": _E,
        "MetricName": _E,
        "Namespace": _E,
        "Dimensions": _E,
        "Metrics": _E,
        "Statistic": _E,
        "ExtendedStatistic": _E,
        "Period": _E,
        "Unit": _E,
        "EvaluationPeriods": _E,
        "DatapointsToAlarm": _E,
        "Threshold": _E,
        "ComparisonOperator": _E,
        "TreatMissingData": _E,
        "EvaluateLowSampleCountPercentile": _S,
        "Tags": _S,
        "ThresholdMetricId": _I,
    },
    "AWS::CloudWatch::CompositeAlarm": {
        "AlarmName": _E,
        "AlarmDescription": _E,
        "AlarmRule": _E,
        "ActionsEnabled": _E,
        "AlarmActions": _E,
        "OKActions": _E,
        "InsufficientDataActions": _E,
        "ActionsSuppressor": _E,
        "ActionsSuppressorWaitPeriod": _E,
        "ActionsSuppressorExtensionPeriod": _E,
        "Tags": _S,
    },
    "AWS::CloudWatch::Dashboard": {"DashboardName": _S, "DashboardBody": _S},
}
