"""The function wing: AWS Lambda. Rooms in the order in which an invocation passes them:

`endpoint` (the API's door) → `service` (the corridor) → `registry` (names, versions, aliases; `function`, `code`,
`layers`, `permission` make what it holds) → `admission` (sizes, headers) → `concurrency` (limits) → `invocation` → `pool`
(warm or new) → `starter`, `launch`, `interpreters`, `zygote`, `process` (a new one) → `environment` (states) ⇄ `link`,
`runtime_api` ⇄ `bootstrap` (the guest) → `fault`, `report`, `output`, `log`. `watch` and `memory` look after what runs,
`reload` after what is saved. Asynchronous events pass `async_events`: `async_invoke`, `event_store`, `destination`.
`roles` is what is asked of `iam`.
"""
