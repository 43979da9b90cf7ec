"""What the code inside an environment may call: the Runtime API, the Extensions API, the Telemetry API.

runtime_calls        what a runtime may say when
guest_link           Trine's own client, over a socket that the environment is born with
link                 everybody else's, by HTTP; `peer` knows which process knocks
runtime_api          the paths, and what is answered
extensions           who has registered, and what they are told
telemetry            what they subscribe to; `telemetry_delivery` brings it to them
"""
