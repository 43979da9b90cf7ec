"""API Gateway: REST APIs (payload 1.0) and HTTP APIs (payload 1.0 and 2.0), in front of functions.

Rooms in the order of a request: stage (which API, which stage), limits, router, cors, authorizers/, usage_plans
(quota), throttle, validation, response_cache, event (parameters, body), integrations/ (mapping/, roles), response,
gateway_responses, compression, access_log. `gateway` is the corridor, `exchange` the request under way, `served` a
stage with its rooms, `errors` everything the gateway itself answers.
Rooms in the order of a template: openapi and resources (definition, domains) read documents into `api` values, `build`
joins them, `usage_resources` reads keys and plans, `deployment` makes a stage's routes ready, `listing` shows them.
`endpoint` (description) is API Gateway's own API, for reading.
"""
