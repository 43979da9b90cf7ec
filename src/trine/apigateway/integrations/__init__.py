"""What stands behind a route, one room for each kind of integration.

lambda_proxy and lambda_streaming (AWS_PROXY), lambda_custom (AWS with a function), service_action (AWS with another
service, REST) and service_subtype (the same for HTTP APIs) with service_call, mock (MOCK), http_endpoint (HTTP,
HTTP_PROXY) with own_apis (APIs of this stack). transformation and request_parameters hold the mappings of REST
integrations, parameter_mapping those of HTTP APIs; `runner` picks the room of a route when its API is set up.
"""
