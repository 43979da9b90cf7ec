"""AWS_IAM: the request's SigV4 signature is verified and its principal's policies are asked.

Enters an `Exchange` with its route; leaves nothing, with the caller noted, or a `GatewayError` 403.
"""

from __future__ import annotations

from asyncio import Future
from typing import Any

from trine.apigateway.authorizers.lambda_authorizer import request_arn
from trine.apigateway.authorizers.resource_policy import ResourcePolicy, condition_values, masked
from trine.apigateway.errors import (
    ACCESS_DENIED,
    API_CONFIGURATION_ERROR,
    EXPIRED_TOKEN,
    INVALID_SIGNATURE,
    GatewayError,
    Refusal,
)
from trine.apigateway.exchange import Exchange
from trine.aws.errors import AwsError
from trine.iam.access import Access
from trine.iam.caller import Caller, iam_context

ROOM = "apigateway.authorizer"
FORBIDDEN_TOKEN = Refusal("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token",
                          "MissingAuthenticationTokenException", 403, "Forbidden")  # fmt: skip
_UNRECOGNIZED = Refusal("INVALID_SIGNATURE", 403, "The security token included in the request is invalid.",
                        "UnrecognizedClientException", 403, "Forbidden")  # fmt: skip
_BY_CODE = {
    "MissingAuthenticationTokenException": FORBIDDEN_TOKEN,
    "ExpiredTokenException": EXPIRED_TOKEN,
    "UnrecognizedClientException": _UNRECOGNIZED,
}


class IamAuthorizer:
    """Checks signed requests of one stage."""

    def __init__(self, access: Access | None, policy: ResourcePolicy | None) -> None:
        self._access = access
        self._policy = policy

    def check(self, exchange: Exchange) -> Future[None] | None:
        """GatewayError 403 unless the request is signed by someone who may invoke."""
        access = self._access
        if access is None:
            raise GatewayError(
                API_CONFIGURATION_ERROR, "AWS_IAM needs the identity wing, which is not set up", room=ROOM
            )
        try:
            caller = access.authenticate(exchange.request, "execute-api", exchange.trace)
        except AwsError as error:
            refusal = _BY_CODE.get(error.code, INVALID_SIGNATURE)
            message = None if refusal is FORBIDDEN_TOKEN else error.message
            raise GatewayError(refusal, error.message, message=message, room="iam.signature", code=error.code) from None
        arn = request_arn(exchange)
        context = {key: list(values) for key, values in condition_values(exchange).items()}
        policy = self._policy.compiled if self._policy is not None else None
        try:
            access.authorize(caller, "execute-api:Invoke", arn, context, policy, exchange.trace)
        except AwsError as error:
            message = error.message.replace(arn, masked(arn, exchange.deployed.place.account_id))
            facts: dict[str, Any] = dict(getattr(error, "facts", {}))
            for name in ("room", "reason", "message", "headers"):
                facts.pop(name, None)
            raise GatewayError(ACCESS_DENIED, error.message, message=message, room="iam.policy", **facts) from None
        self._note(exchange, caller)
        return None

    @staticmethod
    def _note(exchange: Exchange, caller: Caller) -> None:
        principal = caller.principal
        exchange.caller = caller
        if exchange.rest:
            exchange.identity = {
                "accountId": principal.account_id,
                "caller": principal.user_id,
                "accessKey": caller.access_key_id,
                "userArn": principal.arn,
                "user": principal.user_id,
            }
            return
        exchange.authorizer = {"iam": iam_context(caller)}
