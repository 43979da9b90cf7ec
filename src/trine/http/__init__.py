"""HTTP/1.1, and nothing of AWS: bytes become a `Request`, a `Response` becomes bytes.

The rooms, in the order of a request's way: server (listens, watches the time) → connection (order, backpressure,
half-closed sockets) → protocol (the parser: bytes → Request) → the handler → rendering (Response → bytes). `message`
holds the values, `limits` every ceiling, `errors` the named faults, `loop` the choice of event loop; `client` is the
way out for what the house itself must call.
"""
