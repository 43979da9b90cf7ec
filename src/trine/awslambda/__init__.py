"""The function wing: AWS Lambda. Rooms in the order in which an invocation passes them:

`endpoint` (the API's door) → `service` (the corridor) → `registry` (names, versions, aliases) → `admission` (sizes,
headers) → `concurrency` (limits) → `invocation` → `pool` (warm or new) → `starter`, `launch`, `interpreters`, `zygote`,
`process` (a new one) → `environment` (states) ⇄ `link`, `runtime_api` ⇄ `bootstrap` (the guest) → `fault`, `report`,
`output`, `log`.

Environments of versions with SnapStart come from `snapshots` instead. `control_groups` divides the CPU, `telemetry`
tells extensions what happens. What a function is: `function`, `code`, `layers`, `permission`, `describe`; what a
template and the API make of it: `template`, `api`, `function_store`. What looks after it: `watch` and `memory` while
it runs, `reload` when it is saved, `provisioned` before anyone calls. Asynchronous events: `async_events`,
`async_invoke`, `event_store`, `destination`. `roles` is what is asked of `iam`, `peer` knows who knocks.
What depends on a function's language: `runtimes`. What makes its code before it runs: `building`; `fresh_folder` is how
folders come to lie. `head_start` comes before everything else: the interpreters of the zygotes start while the server
loads.
"""
