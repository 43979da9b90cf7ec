"""How faithfully the properties of a table's template are kept (`aws.fidelity` explains the words)."""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_ENFORCED, _STORED, _IGNORED = Fidelity.ENFORCED, Fidelity.STORED, Fidelity.IGNORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::DynamoDB::Table": {
        "TableName": _ENFORCED,
        "KeySchema": _ENFORCED,
        "AttributeDefinitions": _ENFORCED,
        "GlobalSecondaryIndexes": _ENFORCED,
        "GlobalSecondaryIndexes.ProvisionedThroughput": _ENFORCED,
        "GlobalSecondaryIndexes.OnDemandThroughput": _ENFORCED,
        "GlobalSecondaryIndexes.WarmThroughput": _ENFORCED,
        "GlobalSecondaryIndexes.ContributorInsightsSpecification": _IGNORED,
        "LocalSecondaryIndexes": _ENFORCED,
        "BillingMode": _ENFORCED,
        "ProvisionedThroughput": _ENFORCED,
        "OnDemandThroughput": _ENFORCED,
        "WarmThroughput": _ENFORCED,
        "DeletionProtectionEnabled": _ENFORCED,
        "StreamSpecification": _ENFORCED,
        "Tags": _STORED,
        "TableClass": _STORED,
        "SSESpecification": _STORED,
        "TimeToLiveSpecification": _ENFORCED,
        "PointInTimeRecoverySpecification": _ENFORCED,
        "ContributorInsightsSpecification": _IGNORED,
        "KinesisStreamSpecification": _IGNORED,
        "ImportSourceSpecification": _ENFORCED,
        "ImportSourceSpecification.S3BucketSource.S3BucketOwner": _IGNORED,
        "ResourcePolicy": _ENFORCED,
    },
    # Of the namespace `dynamodb`.
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "ServiceNamespace": _ENFORCED,
        "ResourceId": _ENFORCED,
        "ScalableDimension": _ENFORCED,
        "MinCapacity": _ENFORCED,
        "MaxCapacity": _ENFORCED,
        "SuspendedState": _ENFORCED,
        "SuspendedState.ScheduledScalingSuspended": _IGNORED,
        "RoleARN": _IGNORED,
        "ScheduledActions": _IGNORED,
    },
    "AWS::ApplicationAutoScaling::ScalingPolicy": {
        "PolicyName": _IGNORED,
        "PolicyType": _ENFORCED,
        "ScalingTargetId": _ENFORCED,
        "ServiceNamespace": _ENFORCED,
        "ResourceId": _ENFORCED,
        "ScalableDimension": _ENFORCED,
        "TargetTrackingScalingPolicyConfiguration": _ENFORCED,
        "StepScalingPolicyConfiguration": _IGNORED,
        "PredictiveScalingPolicyConfiguration": _IGNORED,
    },
}
