"""What this wing does with each template property: enforced, stored or ignored. Read by the manifest."""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S = Fidelity.ENFORCED, Fidelity.STORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::Events::EventBus": {"Name": _E},
    "AWS::Events::Rule": {
        "Name": _E,
        "EventBusName": _E,
        "EventPattern": _E,
        "ScheduleExpression": _E,
        "State": _E,
        "Targets": _E,
        "Description": _S,
        "RoleArn": _S,
    },
    "AWS::Scheduler::ScheduleGroup": {"Name": _E},
    "AWS::Scheduler::Schedule": {
        "Name": _E,
        "GroupName": _E,
        "ScheduleExpression": _E,
        "ScheduleExpressionTimezone": _E,
        "StartDate": _E,
        "EndDate": _E,
        "State": _E,
        "Target": _E,
        "FlexibleTimeWindow": _S,
        "Description": _S,
        "KmsKeyArn": _S,
    },
}
