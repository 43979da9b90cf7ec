"""Which changes one UpdateTable may ask for together: AWS's rules, in its sentences.

The request's document enters; nothing leaves, or a ValidationException. What a table must be like for a change is
looked at later, by `update_table`. Sentences as recorded on AWS in October 2026 (public notes on the ACK controllers).
"""

from __future__ import annotations

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.shape import Document

INVALID = "One or more parameter values were invalid: "
_CHANGES = (
    "ProvisionedThroughput",
    "BillingMode",
    "StreamSpecification",
    "GlobalSecondaryIndexUpdates",
    "SSESpecification",
    "ReplicaUpdates",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
)
_ALONE = {
    "SSESpecification": "Server-Side Encryption modification",
    "TableClass": "TableClass modification",
    "DeletionProtectionEnabled": "DeletionProtection modification",
    "WarmThroughput": "WarmThroughput",
}
"""What suffers nothing beside it."""


def check_changes(document: Document) -> None:
    """ValidationException when nothing would change, or what AWS does not change in one go."""
    asked = [member for member in _CHANGES if document.get(member) not in (None, [])]
    if not asked:
        raise ValidationException(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
            "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, "
            "MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is "
            "required"
        )
    indexes_change = any(
        "Create" in update or "Delete" in update for update in document.get("GlobalSecondaryIndexUpdates") or ()
    )
    if "WarmThroughput" in asked and indexes_change:
        raise ValidationException(
            f"{INVALID}Create global secondary index cannot be specified when updating WarmThroughput"
        )
    for member, name in _ALONE.items():
        if member in asked and len(asked) > 1:
            raise ValidationException(f"{INVALID}{name} must be the only operation in the request")
    if "OnDemandThroughput" in asked and set(asked) - {"OnDemandThroughput", "BillingMode"}:
        raise ValidationException(
            f"{INVALID}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"
        )
    units_change, stream_changes = "ProvisionedThroughput" in asked, "StreamSpecification" in asked
    if stream_changes and units_change:
        raise ValidationException(f"{INVALID}You cannot modify stream status while updating table IOPS")
    if indexes_change and units_change:
        raise ValidationException(f"{INVALID}You cannot create or delete index while updating table IOPS")
    if indexes_change and stream_changes:
        raise ValidationException(f"{INVALID}You cannot create or delete index while changing stream status")
