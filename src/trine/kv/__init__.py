"""Ordered bytes with atomic, durable, serializable writes; knows nothing of AWS.

The promise is in `store`; `memory` (keeps nothing) and `durable` (on disk) keep it. The rooms a durable write passes:
`group` (transactions become groups), `record` and `log` (a group becomes a synced record), `memtable` (readers see
it), `checkpointer` and `fold` (finished segments go into the `tree`), and after a start `recovery`. Readers: `view`,
`history`. Around them: `directory` (owner, format), `disk` (the seam for faults), `writer` (the thread that waits),
`ranges`. `tuple` encodes keys in DynamoDB's order.
"""
