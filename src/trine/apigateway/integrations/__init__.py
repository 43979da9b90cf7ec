"""What stands behind a route, one room for each kind of integration.

lambda_proxy (AWS_PROXY), mock (MOCK), transformation (the mappings that MOCK, AWS and HTTP share); `runner` picks the
room of a route when its API is set up.
"""
