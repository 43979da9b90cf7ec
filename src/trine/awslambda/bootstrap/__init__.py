"""The guest: what runs inside a function's process. It imports nothing of the house and only the standard library.

`start` is the file an interpreter is given; `zygote` forks environments, `supervisor` owns one environment's processes,
`worker` turns a fork into the function's process, `runtime` is the client of the Runtime API (with `wire`, `context`,
`faults`, `logs`), `snapshot`, `restore` and `hooks` are SnapStart, `sdk` warms boto3, `linux` holds the system calls
that Python does not know.
"""
