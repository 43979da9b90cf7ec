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
        "GlobalSecondaryIndexes.ProvisionedThroughput": _STORED,
        "GlobalSecondaryIndexes.OnDemandThroughput": _STORED,
        "GlobalSecondaryIndexes.WarmThroughput": _IGNORED,
        "GlobalSecondaryIndexes.ContributorInsightsSpecification": _IGNORED,
        "LocalSecondaryIndexes": _ENFORCED,
        # Units are counted and told; nothing is throttled yet.
        "BillingMode": _STORED,
        "ProvisionedThroughput": _STORED,
        "OnDemandThroughput": _STORED,
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
