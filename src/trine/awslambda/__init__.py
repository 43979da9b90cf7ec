"""The function wing: AWS Lambda. Rooms in the order in which an invocation passes them:

`endpoint` (the API's door) → `service` (the corridor) → `function`, `code`, `permission` (what it is) → `admission`
(sizes, headers) → `concurrency` (limits) → `invocation` → `pool` (warm or new) → `starter`, `launch`, `zygote`,
`process` (a new one) → `environment` (states) ⇄ `link`, `runtime_api` ⇄ `bootstrap` (the guest) → `fault`, `report`,
`memory`, `log`.
"""
