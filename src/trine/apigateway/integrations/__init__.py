"""What stands behind a route, one room for each kind of integration.

lambda_proxy (AWS_PROXY), lambda_custom (AWS with a function), dynamodb_action with signing (AWS with DynamoDB), mock
(MOCK), http_endpoint (HTTP, HTTP_PROXY). transformation holds the mappings of REST integrations, parameter_mapping
those of HTTP APIs; `runner` picks the room of a route when its API is set up.
"""
