"""Event source mappings: pollers that turn records of streams and messages of queues into invocations.

In order: `mapping` (what was wished), `filters`, `reader` (what a stream holds, dealt to lanes), `lane` (batches, in
order), `attempts` (retries, bisecting, partial failures), `answer` (what the function said), `window` (tumbling
windows), `checkpoint` (how far it is done), `queue_poller`, `failure_record` (what destinations hear), and `mappings`:
all of them.
"""
