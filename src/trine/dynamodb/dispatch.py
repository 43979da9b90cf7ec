"""From `X-Amz-Target` to the operation that it names.

The header's value enters, an `Operation` leaves (`operations.unbuilt` for what AWS has and Trine has not);
UnknownOperationException for what AWS does not have either. An operation's module is imported when it is first asked
for: all of them together are a tenth of a start, and most stacks use a handful.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from trine.dynamodb.errors import UnknownOperationException
from trine.dynamodb.members import ServiceModel, dynamodb_model, streams_model
from trine.dynamodb.operations.operation import Operation

TABLE_TARGET = "DynamoDB_20120810."
STREAMS_TARGET = "DynamoDBStreams_20120810."

_OPERATIONS = (
    "BatchExecuteStatement",
    "BatchGetItem",
    "BatchWriteItem",
    "CreateBackup",
    "CreateTable",
    "DeleteBackup",
    "DeleteItem",
    "DeleteResourcePolicy",
    "DeleteTable",
    "DescribeBackup",
    "DescribeContinuousBackups",
    "DescribeContributorInsights",
    "DescribeEndpoints",
    "DescribeExport",
    "DescribeImport",
    "DescribeKinesisStreamingDestination",
    "DescribeLimits",
    "DescribeTable",
    "DescribeTimeToLive",
    "ExecuteStatement",
    "ExecuteTransaction",
    "ExportTableToPointInTime",
    "GetItem",
    "GetResourcePolicy",
    "ImportTable",
    "ListBackups",
    "ListContributorInsights",
    "ListExports",
    "ListGlobalTables",
    "ListImports",
    "ListTables",
    "ListTagsOfResource",
    "PutItem",
    "PutResourcePolicy",
    "Query",
    "RestoreTableFromBackup",
    "RestoreTableToPointInTime",
    "Scan",
    "TagResource",
    "TransactGetItems",
    "TransactWriteItems",
    "UntagResource",
    "UpdateContinuousBackups",
    "UpdateItem",
    "UpdateTable",
    "UpdateTimeToLive",
)
_STREAM_OPERATIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
_USUAL = ("GetItem", "PutItem", "Query", "UpdateItem")
_WORD = re.compile("(?<!^)(?=[A-Z])")


class _Built(Mapping[bytes, Operation]):
    """Target → operation, each imported when it is first asked for."""

    def __init__(self) -> None:
        self._names = {
            f"{prefix}{name}".encode(): name
            for prefix, names in ((TABLE_TARGET, _OPERATIONS), (STREAMS_TARGET, _STREAM_OPERATIONS))
            for name in names
        }
        self._imported: dict[bytes, Operation] = {}
        self.imported = self._imported.get
        """The operation of a target, or None when it was not asked for before. The hot path."""

    def __getitem__(self, target: bytes) -> Operation:
        operation = self._imported.get(target)
        if operation is None:
            # `GetItem` is `GET_ITEM` in `operations/get_item.py`.
            constant = _WORD.sub("_", self._names[target]).upper()
            module = import_module(f"trine.dynamodb.operations.{constant.lower()}")
            operation = self._imported[target] = getattr(module, constant)
            assert isinstance(operation, Operation)
        return operation

    def __contains__(self, target: object) -> bool:
        return target in self._names

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


BUILT = _Built()
"""Every target that is answered, as it stands in the header."""
_MODELS: dict[str, Callable[[], ServiceModel]] = {TABLE_TARGET: dynamodb_model, STREAMS_TARGET: streams_model}


def import_usual() -> None:
    """Import what most stacks ask for first (30 ms), so that no request waits for it."""
    for name in _USUAL:
        operation_of(f"{TABLE_TARGET}{name}".encode())


def operation_of(target: bytes | None) -> Operation:
    """The operation that `target` names."""
    if target is None:
        raise UnknownOperationException("")
    operation = BUILT.imported(target)
    if operation is not None:
        return operation
    if target in BUILT:
        return BUILT[target]
    text = target.decode("latin-1")
    for prefix, model in _MODELS.items():
        if text.startswith(prefix) and (name := text.removeprefix(prefix)) in model().operations:
            from trine.dynamodb.operations.unbuilt import unbuilt

            return unbuilt(name, model)
    raise UnknownOperationException("")
