"""What the operations on exports and imports share: their descriptions in AWS's members, and pages of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from trine.aws.errors import AwsError
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.shape import Document

_TIMES = ("StartTime", "EndTime", "ExportTime")
_OURS = frozenset(("Arn", "Status", "Number", "TableName", "Request"))
TRANSFERS_PER_LIST_MAX_COUNT = 25
_TOKEN_MIN_BYTES = 56
_TOKEN_STEP_BYTES = 8
"""`ImportNextToken` is at least 112 hexadecimal digits, and groups of 16."""

Record = TypeVar("Record", bound=Mapping[str, Any])


class ExportConflictException(AwsError):
    """The client token was used for another export."""

    code = "ExportConflictException"
    status = 400


class ExportNotFoundException(AwsError):
    """No export has this ARN."""

    code = "ExportNotFoundException"
    status = 400


class ImportConflictException(AwsError):
    """The client token was used for another import."""

    code = "ImportConflictException"
    status = 400


class ImportNotFoundException(AwsError):
    """No import has this ARN."""

    code = "ImportNotFoundException"
    status = 400


def described(record: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """ExportDescription or ImportTableDescription; `kind` is `Export` or `Import`."""
    document = {name: value for name, value in record.items() if name not in _OURS and value is not None}
    for name in _TIMES:
        if name in document:
            document[name] = round(document[name], 3)
    return {f"{kind}Arn": record["Arn"], f"{kind}Status": record["Status"], **document}


def page(found: Sequence[Record], document: Document, most: str) -> tuple[list[Record], str | None]:
    """One page of `found` (in order of their ARNs) and the token of the next; `most` names the request's limit."""
    limit = document.get(most, TRANSFERS_PER_LIST_MAX_COUNT)
    start = _read(document["NextToken"]) if "NextToken" in document else ""
    left = [record for record in found if record["Arn"] > start]
    return left[:limit], _token(left[limit - 1]["Arn"]) if len(left) > limit else None


def _token(arn: str) -> str:
    """The token of what comes behind an ARN, in the form of the service model's ImportNextToken, which SDKs check."""
    data = arn.encode()
    size = max(_TOKEN_MIN_BYTES, -(-len(data) // _TOKEN_STEP_BYTES) * _TOKEN_STEP_BYTES)
    return data.ljust(size, b"\0").hex()


def _read(token: str) -> str:
    try:
        return bytes.fromhex(token).rstrip(b"\0").decode()
    except ValueError:
        raise ValidationException("Invalid NextToken") from None


def on_list(rooms: Rooms, document: Document, name: str) -> Sequence[Permission]:
    """The permission of a list: on one table, or on all."""
    arn = rooms.table_arn(document["TableArn"]) if "TableArn" in document else "*"
    return ((f"dynamodb:{name}", arn, None),)
