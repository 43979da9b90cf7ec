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
        "GlobalSecondaryIndexes.WarmThroughput": _IGNORED,
        "GlobalSecondaryIndexes.ContributorInsightsSpecification": _IGNORED,
        "LocalSecondaryIndexes": _ENFORCED,
        "BillingMode": _ENFORCED,
        "ProvisionedThroughput": _ENFORCED,
        "OnDemandThroughput": _ENFORCED,
        "WarmThroughput": _IGNORED,
        "DeletionProtectionEnabled": _ENFORCED,
        "StreamSpecification": _ENFORCED,
        "Tags": _STORED,
        "TableClass": _STORED,
        "SSESpecification": _STORED,
        "TimeToLiveSpecification": _ENFORCED,
        "PointInTimeRecoverySpecification": _IGNORED,
        "ContributorInsightsSpecification": _IGNORED,
        "KinesisStreamSpecification": _IGNORED,
        "ImportSourceSpecification": _IGNORED,
        "ResourcePolicy": _ENFORCED,
    },
}
