"""Who may call a route, in the order a request meets them.

resource_policy (REST), then by the route's authorization: iam_authorizer (AWS_IAM), lambda_authorizer (TOKEN and
REQUEST) with identity (identity sources) and verdict (what it answered, cached), jwt_authorizer (JWT and Cognito) with
jwks (key sets) and jwt (tokens). `guard` picks the rooms of a stage and is what the corridor calls.
"""
