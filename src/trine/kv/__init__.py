"""Ordered bytes with atomic, durable, serializable writes; knows nothing of AWS.

Rooms, in the order a write passes them: `store` (the promise), `group` (transactions become groups), `writer` (waits
for the disk), `tree` (LMDB), `memtable` and `history` (the recent past), `view` (what a reader sees). `memory` and
`lmdb` are the stores; `directory` holds the lock and the format; `tuple` encodes keys in DynamoDB's order.
"""
