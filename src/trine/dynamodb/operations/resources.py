"""`ResourceArn` members: from an ARN to the table it means. Sentences are AWS's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trine.aws.arn import Arn
from trine.dynamodb.errors import AccessDeniedException, ResourceNotFoundException, ValidationException
from trine.dynamodb.operations.operation import Permission, Rooms
from trine.dynamodb.shape import Document
from trine.dynamodb.storage.table import Table


def table_of_arn(rooms: Rooms, text: str) -> Table:
    """The table with this ARN. ValidationException, AccessDeniedException or ResourceNotFoundException."""
    if not text.startswith("arn:"):
        raise ValidationException(f"Invalid ResourceArn: ARNs must start with 'arn:': {text}")
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise ValidationException(f"Invalid TableArn: Invalid ResourceArn provided as input {text}") from None
    kind, _, name = arn.resource.partition("/")
    if arn.service != "dynamodb" or kind != "table" or not name or "/" in name:
        raise ValidationException(f"Invalid TableArn: Invalid ResourceArn provided as input {text}")
    if (arn.account_id, arn.region) != (rooms.place.account_id, rooms.place.region):
        raise AccessDeniedException(f"Access to the resource {text} is denied.")
    table = rooms.tables.find(name)
    if table is None:
        # The missing letter is AWS's.
        raise ResourceNotFoundException(f"Requested resource not found: ResourcArn: {text} not found")
    return table


def policy_table_of_arn(rooms: Rooms, text: str) -> Table:
    """The table of a table's or a stream's ARN: what resource-based policies are put on."""
    head, stream, _ = text.partition("/stream/")
    try:
        table = table_of_arn(rooms, head)
    except ResourceNotFoundException:
        name = head.rpartition("/")[2]
        raise ResourceNotFoundException(f"Requested resource not found: Table: {name} not found") from None
    if stream and text not in (known.arn for known in table.streams):
        raise ResourceNotFoundException(f"Requested resource not found: Stream: {text} not found")
    return table


def on_resource(name: str) -> Callable[[Rooms, Document], Sequence[Permission]]:
    """The permission of an operation whose document names a table by `ResourceArn`."""
    action = f"dynamodb:{name}"
    return lambda rooms, document: ((action, document["ResourceArn"], None),)
