"""What one UpdateTable may change together, and where indexes have units: AWS's sentences of October 2026."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ONE = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
INDEX = {
    "IndexName": "by-g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
LOCAL = {
    "IndexName": "by-l",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "ALL"},
}
STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


@pytest.fixture
def told(client: Any, new_table: Callable[..., str]) -> Callable[..., str]:
    """What UpdateTable says against its arguments, of an on-demand table with both kinds of indexes."""
    name = new_table("p", "s", GlobalSecondaryIndexes=[INDEX], LocalSecondaryIndexes=[LOCAL])

    def update(**members: Any) -> str:
        with pytest.raises(ClientError) as refused:
            client.update_table(TableName=name, **members)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        message: str = refused.value.response["Error"]["Message"]
        return message.removeprefix("One or more parameter values were invalid: ")

    return update


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "),
        ({"GlobalSecondaryIndexUpdates": []}, "At least one of ProvisionedThroughput"),
        (
            {"SSESpecification": {"Enabled": True}, "DeletionProtectionEnabled": True},
            "Server-Side Encryption modification must be the only operation in the request",
        ),
        (
            {"TableClass": "STANDARD", "BillingMode": "PAY_PER_REQUEST"},
            "TableClass modification must be the only operation in the request",
        ),
        (
            {"DeletionProtectionEnabled": True, "StreamSpecification": STREAM},
            "DeletionProtection modification must be the only operation in the request",
        ),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 13_000}, "BillingMode": "PAY_PER_REQUEST"},
            "WarmThroughput must be the only operation in the request",
        ),
        (
            {
                "WarmThroughput": {"ReadUnitsPerSecond": 13_000},
                "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-g"}}],
            },
            "Create global secondary index cannot be specified when updating WarmThroughput",
        ),
        (
            {"OnDemandThroughput": {"MaxReadRequestUnits": 5}, "StreamSpecification": STREAM},
            "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
        ),
        (
            {"ProvisionedThroughput": ONE, "StreamSpecification": STREAM},
            "You cannot modify stream status while updating table IOPS",
        ),
        (
            {"ProvisionedThroughput": ONE, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-g"}}]},
            "You cannot create or delete index while updating table IOPS",
        ),
        (
            {"StreamSpecification": STREAM, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-g"}}]},
            "You cannot create or delete index while changing stream status",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-l"}}]},
            "Cannot delete an index that is not a GlobalSecondaryIndex: by-l",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "by-g", "ProvisionedThroughput": ONE}}]},
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: by-g when BillingMode is ",
        ),
        (
            {"BillingMode": "PROVISIONED", "ProvisionedThroughput": ONE},
            "ProvisionedThroughput must be specified for index: by-g",
        ),
        (
            {"OnDemandThroughput": {"MaxWriteRequestUnits": 0}},
            "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
        ),
        ({"StreamSpecification": {"StreamEnabled": False}}, "Table has no stream to disable: TableName: "),
        (
            {"StreamSpecification": {"StreamEnabled": True}},
            "If stream is being enabled then UpdateViewType is required",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
            "If stream is being disabled, then UpdateViewType must not be specified",
        ),
        (
            {"SSESpecification": {"Enabled": False, "SSEType": "KMS"}},
            "SSEType can not be specified if Enabled is false",
        ),
        ({"SSESpecification": {"Enabled": True, "SSEType": "AES256"}}, "SSEType AES256 is not supported"),
        (
            {"SSESpecification": {"Enabled": True, "KMSMasterKeyId": "alias/x"}},
            "SSEType KMS is required if KMSMasterKeyId is specified",
        ),
    ],
)
def test_what_is_refused(told: Callable[..., str], members: dict[str, Any], sentence: str) -> None:
    assert told(**members).startswith(sentence)


def test_billing_there_and_back(client: Any, new_table: Callable[..., str]) -> None:
    name = new_table("p", GlobalSecondaryIndexes=[INDEX])
    units = [{"Update": {"IndexName": "by-g", "ProvisionedThroughput": ONE}}]
    client.update_table(
        TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=ONE, GlobalSecondaryIndexUpdates=units
    )
    client.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    table = client.describe_table(TableName=name)["Table"]
    for holder in (table, table["GlobalSecondaryIndexes"][0]):
        assert holder["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
