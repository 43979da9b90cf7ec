"""Identity: who are you, may you. Rooms in the order a request passes them:

claims → canonical → signature (with credentials) → caller → authority → policy, matching, principals, conditions →
evaluator → refusal. `access` is the corridor that the other wings use; `directory`, `holdings`, `keys` and
`provision` hold the account's identities; `sts` hands out temporary credentials.
"""
