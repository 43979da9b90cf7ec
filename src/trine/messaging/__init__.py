"""Queues and topics: SQS and SNS of one account, durable and local.

In order: `sqs_endpoint` and `sns_endpoint` (the doors), `*_operations` (one function an operation), `queues` and
`topics` (the services), `queue` (what is visible to whom, when), `message`, `queue_attributes`, `message_store`
(bytes), and `neighbour` (what other wings see of it).
"""
