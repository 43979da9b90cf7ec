"""API Gateway: REST APIs (payload 1.0) and HTTP APIs (payload 1.0 and 2.0), in front of functions.

Rooms in the order of a request: stage (which API, which stage), limits, router, cors, authorizers/, usage_plans,
throttle, validation, event, integrations/, response; `gateway` is the corridor, `exchange` the request under way.
Rooms in the order of a template: openapi and resources read documents into `api` values, `build` joins them,
`deployment` makes a stage's routes ready.
"""
