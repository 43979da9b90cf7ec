"""What stands behind a route, one room for each kind: lambda_proxy (AWS_PROXY)."""
