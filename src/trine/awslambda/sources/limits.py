"""Ceilings of event source mappings, each with its unit and source (API reference, CreateEventSourceMapping)."""

from __future__ import annotations

STREAM_BATCH_DEFAULT_RECORDS = 100
QUEUE_BATCH_DEFAULT_RECORDS = 10
BATCH_MAX_RECORDS = 10_000
"""`BatchSize`: 1 to 10,000; 100 by default for streams, 10 for queues."""
FIFO_BATCH_MAX_RECORDS = 10
QUEUE_BATCH_WITHOUT_WINDOW_RECORDS = 10
"""Queues: a batch above 10 needs a batching window of at least a second."""
WINDOW_MAX_SECONDS = 300
"""`MaximumBatchingWindowInSeconds`."""
PARALLELIZATION_MAX = 10
"""`ParallelizationFactor`."""
RETRIES_MAX = 10_000
"""`MaximumRetryAttempts`: −1 (until the record expires) or 0 to 10,000."""
RECORD_AGE_MIN_SECONDS = 60
RECORD_AGE_MAX_SECONDS = 604_800
"""`MaximumRecordAgeInSeconds`: −1 or 60 to 604,800."""
STREAM_RETENTION_SECONDS = 86_400
"""A record leaves a DynamoDB stream after 24 hours, whatever the mapping allows."""
TUMBLING_MAX_SECONDS = 900
"""`TumblingWindowInSeconds`."""
STATE_MAX_BYTES = 1_048_576
"""Developer guide, "Stateful processing": the state of a window may be 1 MB for each shard."""
FILTERS_MAX = 10
"""Developer guide, "Event filtering": five filters, ten on request; Trine takes ten."""
CONCURRENCY_MIN, CONCURRENCY_MAX = 2, 1_000
"""`ScalingConfig.MaximumConcurrency`."""
QUEUE_CONCURRENCY_FIRST = 5
"""Developer guide, "Using Lambda with Amazon SQS": five concurrent batches at first, 300 more each minute."""
MESSAGE_ROOM_BYTES = 2_097_152
"""A batch with less room than this takes no more messages: the largest one, 1 MiB, with its escapes. Trine's own."""
QUEUE_CONCURRENCY_MAX = 1_250
"""The same page: up to 1,250 concurrent invocations of one mapping."""
PAYLOAD_MAX_BYTES = 6_291_456
"""The event of one batch; Lambda quotas, synchronous payload 6 MB."""
RETRY_FIRST_SECONDS, RETRY_MAX_SECONDS = 1.0, 60.0
"""Pause after a failed batch, doubled each time. AWS publishes no figure."""
BUFFER_MAX_BYTES = 16_777_216
"""Records of one mapping held in memory beyond one batch for each lane. Trine's own bound."""
READ_RECORDS = 1_000
"""Records read from a stream at a time, as one GetRecords gives."""
MAPPINGS_MAX = 1_000
"""Mappings of one service. Trine's own bound."""
