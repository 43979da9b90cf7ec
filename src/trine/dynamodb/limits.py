"""The table's ceilings, each with its unit and where AWS states it.

Sources: "Service, account, and table quotas in Amazon DynamoDB" (developer guide), unless a line says otherwise.
"""

REQUEST_BODY_MAX_BYTES = 16 * 1024 * 1024
"""Beyond it AWS answers 413 (seen there by public suites)."""

ITEM_MAX_BYTES = 400 * 1024
"""Attribute names and values together."""
PARTITION_KEY_MAX_BYTES = 2048
SORT_KEY_MAX_BYTES = 1024

PAGE_MAX_BYTES = 1024 * 1024
"""What one Query or Scan reads at most, before its filter."""
BATCH_GET_KEYS_MAX_COUNT = 100
BATCH_GET_MAX_BYTES = 16 * 1024 * 1024
BATCH_WRITE_REQUESTS_MAX_COUNT = 25
TRANSACTION_ITEMS_MAX_COUNT = 100
TRANSACTION_MAX_BYTES = 4 * 1024 * 1024
IDEMPOTENCY_TOKEN_SECONDS = 600
"""TransactWriteItems: `ClientRequestToken` is remembered for 10 minutes after the request finished."""

TABLES_PER_LIST_MAX_COUNT = 100
TABLES_PER_ACCOUNT_MAX_COUNT = 2_500
"""AWS's default quota of tables in a region (it can be raised there to 10,000)."""

ITEM_COLLECTION_MAX_BYTES = 10 * 1024 * 1024 * 1024
"""All items with one partition key, in a table with local secondary indexes."""

TAGS_PER_RESOURCE_MAX_COUNT = 50
TAG_KEY_MAX_CHARACTERS = 128
TAG_VALUE_MAX_CHARACTERS = 256

RECOVERY_PERIOD_MAX_DAYS = 35
"""Point-in-time recovery reaches 1 to 35 days back, 35 unless it is told otherwise (UpdateContinuousBackups)."""
SYSTEM_BACKUP_SECONDS = 35 * 24 * 3600
"""How long the backup of a deleted table that had point-in-time recovery is kept ("Point-in-time recovery")."""

STREAM_RETENTION_SECONDS = 24 * 3600
STREAM_PAGE_MAX_RECORDS = 1000
STREAM_PAGE_MAX_BYTES = 1024 * 1024
STREAM_ITERATOR_SECONDS = 15 * 60
"""A shard iterator expires 15 minutes after it was returned (GetShardIterator, API reference)."""

TTL_PAST_MAX_SECONDS = 5 * 365 * 24 * 3600
"""Expiry stamps older than five years are ignored ("Using time to live")."""

DELETE_BATCH_MAX_COUNT = 1000
"""Our own: how many keys one step of a sweep or of a backfill handles before it lets others through."""

ACCOUNT_UNITS_MAX_PER_SECOND = 80_000
TABLE_UNITS_MAX_PER_SECOND = 40_000
STREAMS_PER_LIST_MAX_COUNT = 100
"""ListStreams and DescribeStream (shards), API reference."""
SWEEP_SECONDS = 1.0
"""Our own: how often expired items, stream records and tokens are looked for. AWS deletes "within a few days"."""
SWEEP_MAX_COUNT = 250
"""Our own: how many items one step of a sweep deletes before it lets others through."""

ATTRIBUTE_NAME_MAX_BYTES = 65_535
"""One less than the 64 KB of the quotas page; AWS's own sentence says "must be less than 65536 bytes"."""
DOCUMENT_MAX_LEVELS = 32
"""Of an item's documents, and of a path in an expression."""
NUMBER_MAX_DIGITS = 38
NUMBER_MAX_EXPONENT = 125
NUMBER_MIN_EXPONENT = -130
"""Magnitude from 1E-130 to 9.99…E+125 ("Supported data types")."""

EXPRESSION_MAX_BYTES = 4096
EXPRESSION_MAX_OPERATORS = 300
EXPRESSION_MAX_IN_OPERANDS = 100
EXPRESSION_MAX_NESTING = 320
"""Our own: deeper nesting needs more than 300 operators, or parentheses that are redundant; refused either way."""
SHORT_TEXT_MAX_CHARACTERS = 256
CACHED_SHORT_TEXTS_MAX_COUNT = 512
CACHED_LONG_TEXTS_MAX_COUNT = 32
"""Our own: compiled expressions and statements that are kept, of each kind."""
PLACEHOLDER_MAX_BYTES = 255
SUBSTITUTION_MAX_BYTES = 2 * 1024 * 1024
"""All of ExpressionAttributeValues together."""
LIST_INDEX_MAX = 2**31 - 1
STATEMENT_MAX_CHARACTERS = 8192
"""PartiQL (API reference, ExecuteStatement)."""
STATEMENT_MAX_NESTING = 100
"""Our own: levels of parentheses and calls in a PartiQL statement."""
STATEMENT_MAX_READS = 100
"""Our own: partitions and sort values that one PartiQL SELECT is split into; beyond it the table is scanned."""

LOCAL_INDEXES_MAX_COUNT = 5
GLOBAL_INDEXES_MAX_COUNT = 20
PROJECTED_ATTRIBUTES_MAX_COUNT = 100
"""Non-key attributes of all INCLUDE projections of a table together."""
INDEX_KEY_ATTRIBUTES_MAX_COUNT = 4
"""Partition attributes, and sort attributes, of a global secondary index."""
CAPACITY_MAX_UNITS = 1_000_000_000_000
READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024

BURST_SECONDS = 300
"""Unused provisioned capacity that a table keeps for bursts ("Burst and adaptive capacity")."""
PARTITION_READ_UNITS_PER_SECOND = 3_000
PARTITION_WRITE_UNITS_PER_SECOND = 1_000
SHORT_BURST_SECONDS = 5
"""Our own: how many seconds of its ceiling a partition, or an on-demand table, gives at once when it was idle. AWS does
not say over what time it measures them; a spike of a second passes there, a minute of it does not."""
PARTITION_MAX_BYTES = 10 * 1024 * 1024 * 1024
"""A partition that grows beyond 10 GB is split ("Partitions and data distribution")."""
PARTITIONS_MAX_COUNT = 256
"""Our own: partitions that one table's or index's model may have."""
ON_DEMAND_READ_UNITS_PER_SECOND = 12_000
ON_DEMAND_WRITE_UNITS_PER_SECOND = 4_000
"""What a new on-demand table takes at once ("DynamoDB on-demand capacity mode", initial throughput)."""
ON_DEMAND_GROWTH_SECONDS = 30 * 60
"""Traffic may double against a peak that is at least this old (same page)."""
HEAT_SPLIT_SECONDS = 300
"""Our own: how long a partition must refuse requests, minute after minute, until it is split. AWS names no time."""

STALE_SECONDS = 1.0
"""How long an eventually consistent read may trail: "usually reached within a second" (AWS's FAQ)."""
RECENT_WRITES_MAX_COUNT = 8_192
"""Our own: writes of one table that the detector of stale reads remembers, twice."""
STORED_ITEM_OVERHEAD_BYTES = 100
"""What AWS adds to each item's size where it charges for storage ("100 byte … overhead")."""
