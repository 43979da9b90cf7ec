"""Resource-based policies of tables and streams: kept with the table, compiled once, asked at every request.

A policy's text enters with an ARN; the compiled policy for a request's resource leaves. A table's policy also speaks
of its indexes. Source: "Using resource-based policies for DynamoDB", developer guide: 20 KB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.iam.errors import MalformedPolicy
from trine.iam.policy import CompiledPolicy, parse_policy

POLICY_MAX_BYTES = 20 * 1024
MEMBER = "ResourcePolicies"
"""Of a table's record: ARN of the table or of one of its streams → text and revision."""


class PolicyNotFoundException(AwsError):
    """The resource has no policy, or another revision of it than the caller expects."""

    code = "PolicyNotFoundException"
    status = 400


class TablePolicies:
    """The compiled policies of all tables and streams that have one."""

    def __init__(self, tables: Tables) -> None:
        self.compiled: dict[str, CompiledPolicy] = {}
        """By ARN; empty in most stacks, and then nobody needs to ask `of`."""
        for table in tables:
            self.follow(table)

    def follow(self, table: Table) -> None:
        """Take over what a table's record says now."""
        prefix = f"{table.arn}/"
        for arn in [arn for arn in self.compiled if arn == table.arn or arn.startswith(prefix)]:
            del self.compiled[arn]
        for arn, kept in policies_of(table).items():
            self.compiled[arn] = compiled(kept["Policy"], arn)

    def of(self, resource_arn: str) -> CompiledPolicy | None:
        """The policy that speaks of a resource: its own, or its table's for an index."""
        if not self.compiled:
            return None
        return self.compiled.get(resource_arn.partition("/index/")[0])


def policies_of(table: Table) -> Mapping[str, Any]:
    """ARN → kept policy, of a table and its streams."""
    found: Mapping[str, Any] = table.record.get(MEMBER) or {}
    return found


def compiled(text: str, arn: str) -> CompiledPolicy:
    """The policy, ready to be asked. ValidationException when it is none."""
    if len(text.encode()) > POLICY_MAX_BYTES:
        raise ValidationException(f"Resource-based policy size exceeds the maximum of {POLICY_MAX_BYTES} bytes")
    try:
        return parse_policy(text, "resource", arn)
    except MalformedPolicy as fault:
        raise ValidationException(f"Invalid policy document: {fault.message}") from None
