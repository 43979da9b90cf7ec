"""The differential fuzzer: the same random operations to Trine and to AWS's DynamoDB Local, answers compared.

Opt-in (`make differential`): it needs Java 17 and Maven, which nothing else here does. Rooms in order: `oracle`
(installs and starts DynamoDB Local), `drawing` with `expressions` (random operations), `exchange` (one operation to
both servers), `differences` (what differs, and the list of what may).
"""
