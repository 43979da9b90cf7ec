"""Ceilings of SQS and SNS, each with its unit and source ("Quotas" is the page of that name in a developer guide)."""

from __future__ import annotations

MESSAGE_MAX_BYTES = 1_048_576
MESSAGE_MIN_MAX_BYTES = 1_024
"""SQS quotas: a message with its attributes 1 MiB; `MaximumMessageSize` 1,024 bytes to that."""
BATCH_MAX_ENTRIES = 10
BATCH_MAX_BYTES = 1_048_576
ATTRIBUTES_MAX = 10
"""SQS quotas: ten message attributes."""
NAME_MAX_CHARACTERS = 80
DELAY_MAX_SECONDS = 900
VISIBILITY_DEFAULT_SECONDS = 30
VISIBILITY_MAX_SECONDS = 43_200
WAIT_MAX_SECONDS = 20
RETENTION_DEFAULT_SECONDS = 345_600
RETENTION_MIN_SECONDS, RETENTION_MAX_SECONDS = 60, 1_209_600
RECEIVE_MAX_MESSAGES = 10
IN_FLIGHT_MAX_STANDARD = 120_000
IN_FLIGHT_MAX_FIFO = 120_000
"""SQS quotas: messages received and not yet deleted."""
MAX_RECEIVES_MAX = 1_000
"""`RedrivePolicy.maxReceiveCount`."""
DEDUPLICATION_SECONDS = 300
"""Developer guide, "Exactly-once processing": the deduplication interval is five minutes."""
PURGE_PAUSE_SECONDS = 60
"""API reference, PurgeQueue: once in 60 seconds."""
SAME_NAME_PAUSE_SECONDS = 60
"""API reference, DeleteQueue: so long a deleted queue's name cannot be used again."""
POLICY_MAX_BYTES = 20_480
"""Developer guide: the policy of a queue or topic; Trine takes 20 KB."""
TAGS_MAX = 50

QUEUES_MAX = 10_000
MESSAGES_MAX = 1_000_000
"""Queues of one account, messages of one queue. Trine's own bounds; beyond them the API answers OverLimit."""
PUBLICATION_MAX_BYTES = 262_144
"""SNS API reference, Publish and PublishBatch: 256 KB with attributes, also of a whole batch."""
TOPICS_MAX = 10_000
SUBSCRIPTIONS_MAX = 10_000
"""Trine's own bounds."""
TOPIC_KEPT_MESSAGES = 1_000
"""The latest messages of a topic that people and tests can look at. Trine's own figure."""
FILTER_KEYS_MAX = 5
FILTER_COMBINATIONS_MAX = 150
"""SNS developer guide, "Filter policy constraints"."""
SUBJECT_MAX_CHARACTERS = 100
"""API reference, Publish."""
