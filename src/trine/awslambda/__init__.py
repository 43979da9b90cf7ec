"""The function wing: AWS Lambda. Rooms in the order in which an invocation passes them:

`endpoint` (the API's door; its operations: `api`) and `urls` (function URLs) → `service` (the corridor) → `registry`
(names, versions, aliases) → `admission` (sizes, headers) → `concurrency` (limits) → `invocation` → `environments` (a
warm one, or a new one) ⇄ `guest_apis` (what the code inside may call) ⇄ `bootstrap` (the guest) → `fault`, `report`,
`log`.

Who calls without being waited for: `asynchronous` events, and the `sources` of streams and queues. What a function is:
`function`, `code`, `layers`, `permission`, `describe`; what a template and the API make of it: `template`,
`deployment`, `function_store`. What depends on its language: `runtimes`; what makes its code before it runs:
`building`; `fresh_folder` is how folders come to lie. What looks after it: `reload` when it is saved, `provisioned`
before anyone calls, `debugging`. `roles` is what is asked of `iam`, `neighbours` of the other wings.

`head_start` comes before everything else: the interpreters of the zygotes start while the server loads.
"""
