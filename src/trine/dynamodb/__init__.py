"""The table wing: DynamoDB. Rooms in the order a request passes them:

`endpoint` (the corridor; `compression`, `response`) → `dispatch` (which operation) → `shape`, `members` (its body as
typed values) → `operations` (one file for each) → `expressions` or `partiql` (text compiled) → `model` (values, items,
keys, definitions, units) → `storage` (the store). `errors` and `limits` are at hand everywhere. `template` and
`fidelity` are what templates say of tables.
"""
