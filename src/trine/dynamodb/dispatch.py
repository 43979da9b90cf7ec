"""From `X-Amz-Target` to the operation that it names.

The header's value enters, an `Operation` leaves; UnknownOperationException for what AWS does not have either, and an
error that says so for what AWS has and Trine has not built.
"""

from __future__ import annotations

from collections.abc import Callable

from trine.dynamodb.errors import UnknownOperationException, UnsupportedOperationException
from trine.dynamodb.members import ServiceModel, dynamodb_model, streams_model
from trine.dynamodb.operations.batch_execute_statement import BATCH_EXECUTE_STATEMENT
from trine.dynamodb.operations.batch_get_item import BATCH_GET_ITEM
from trine.dynamodb.operations.batch_write_item import BATCH_WRITE_ITEM
from trine.dynamodb.operations.create_backup import CREATE_BACKUP
from trine.dynamodb.operations.create_table import CREATE_TABLE
from trine.dynamodb.operations.delete_backup import DELETE_BACKUP
from trine.dynamodb.operations.delete_item import DELETE_ITEM
from trine.dynamodb.operations.delete_resource_policy import DELETE_RESOURCE_POLICY
from trine.dynamodb.operations.delete_table import DELETE_TABLE
from trine.dynamodb.operations.describe_backup import DESCRIBE_BACKUP
from trine.dynamodb.operations.describe_continuous_backups import DESCRIBE_CONTINUOUS_BACKUPS
from trine.dynamodb.operations.describe_endpoints import DESCRIBE_ENDPOINTS
from trine.dynamodb.operations.describe_limits import DESCRIBE_LIMITS
from trine.dynamodb.operations.describe_stream import DESCRIBE_STREAM
from trine.dynamodb.operations.describe_table import DESCRIBE_TABLE
from trine.dynamodb.operations.describe_time_to_live import DESCRIBE_TIME_TO_LIVE
from trine.dynamodb.operations.execute_statement import EXECUTE_STATEMENT
from trine.dynamodb.operations.execute_transaction import EXECUTE_TRANSACTION
from trine.dynamodb.operations.get_item import GET_ITEM
from trine.dynamodb.operations.get_records import GET_RECORDS
from trine.dynamodb.operations.get_resource_policy import GET_RESOURCE_POLICY
from trine.dynamodb.operations.get_shard_iterator import GET_SHARD_ITERATOR
from trine.dynamodb.operations.list_backups import LIST_BACKUPS
from trine.dynamodb.operations.list_streams import LIST_STREAMS
from trine.dynamodb.operations.list_tables import LIST_TABLES
from trine.dynamodb.operations.list_tags_of_resource import LIST_TAGS_OF_RESOURCE
from trine.dynamodb.operations.operation import Operation
from trine.dynamodb.operations.put_item import PUT_ITEM
from trine.dynamodb.operations.put_resource_policy import PUT_RESOURCE_POLICY
from trine.dynamodb.operations.query import QUERY
from trine.dynamodb.operations.restore_table_from_backup import RESTORE_TABLE_FROM_BACKUP
from trine.dynamodb.operations.scan import SCAN
from trine.dynamodb.operations.tag_resource import TAG_RESOURCE
from trine.dynamodb.operations.transact_get_items import TRANSACT_GET_ITEMS
from trine.dynamodb.operations.transact_write_items import TRANSACT_WRITE_ITEMS
from trine.dynamodb.operations.untag_resource import UNTAG_RESOURCE
from trine.dynamodb.operations.update_item import UPDATE_ITEM
from trine.dynamodb.operations.update_table import UPDATE_TABLE
from trine.dynamodb.operations.update_time_to_live import UPDATE_TIME_TO_LIVE

TABLE_TARGET = "DynamoDB_20120810."
STREAMS_TARGET = "DynamoDBStreams_20120810."

_OPERATIONS = (
    BATCH_EXECUTE_STATEMENT,
    BATCH_GET_ITEM,
    EXECUTE_STATEMENT,
    EXECUTE_TRANSACTION,
    BATCH_WRITE_ITEM,
    CREATE_BACKUP,
    CREATE_TABLE,
    DELETE_BACKUP,
    DELETE_ITEM,
    DELETE_RESOURCE_POLICY,
    DELETE_TABLE,
    DESCRIBE_TABLE,
    GET_ITEM,
    DESCRIBE_BACKUP,
    DESCRIBE_CONTINUOUS_BACKUPS,
    DESCRIBE_ENDPOINTS,
    DESCRIBE_LIMITS,
    DESCRIBE_TIME_TO_LIVE,
    LIST_TAGS_OF_RESOURCE,
    TAG_RESOURCE,
    UNTAG_RESOURCE,
    UPDATE_TIME_TO_LIVE,
    GET_RESOURCE_POLICY,
    LIST_BACKUPS,
    LIST_TABLES,
    PUT_ITEM,
    PUT_RESOURCE_POLICY,
    QUERY,
    RESTORE_TABLE_FROM_BACKUP,
    SCAN,
    TRANSACT_GET_ITEMS,
    TRANSACT_WRITE_ITEMS,
    UPDATE_ITEM,
    UPDATE_TABLE,
)
_STREAM_OPERATIONS = (DESCRIBE_STREAM, GET_RECORDS, GET_SHARD_ITERATOR, LIST_STREAMS)
BUILT = {
    f"{prefix}{operation.name}".encode(): operation
    for prefix, operations in ((TABLE_TARGET, _OPERATIONS), (STREAMS_TARGET, _STREAM_OPERATIONS))
    for operation in operations
}
"""Every target that is answered, as it stands in the header."""
_MODELS: dict[str, Callable[[], ServiceModel]] = {TABLE_TARGET: dynamodb_model, STREAMS_TARGET: streams_model}


def operation_of(target: bytes | None) -> Operation:
    """The operation that `target` names."""
    if target is None:
        raise UnknownOperationException("")
    operation = BUILT.get(target)
    if operation is not None:
        return operation
    text = target.decode("latin-1")
    for prefix, model in _MODELS.items():
        if text.startswith(prefix) and (name := text.removeprefix(prefix)) in model().operations:
            raise UnsupportedOperationException(f"{name} is not built into Trine; docs/dynamodb.md lists what is")
    raise UnknownOperationException("")
