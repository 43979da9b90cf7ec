"""Roles that an API names in `credentials`: assumed by the gateway, and asked before a function is run in their name.

Enters a role's ARN; leaves a `Session`, or a `GatewayError` when its trust policy does not admit the gateway's service.
With `credentials` a function's own resource policy is not asked; the role's identity policies decide, as on AWS.
`arn:aws:iam::*:user/*` stands for the caller's own credentials (AWS_IAM methods).
"""

from __future__ import annotations

from trine.apigateway.deployment import APIGATEWAY
from trine.apigateway.errors import API_CONFIGURATION_ERROR, INTEGRATION_REFUSED, GatewayError
from trine.apigateway.exchange import Exchange
from trine.aws.errors import AwsError
from trine.clock import Clock
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.iam.principal import Session

SESSION_NAME = "BackplaneAssumeRoleSession"
"""What API Gateway calls the sessions it assumes; it shows in ARNs of refusals."""
SESSION_SECONDS = 3_600
RENEW_SECONDS = 300
"""A session is replaced so long before it ends."""
CALLER = "arn:aws:iam::*:user/*"
ROOM = "iam.policy"


class Roles:
    """Sessions of the roles that integrations and authorizers name, kept until they are nearly over."""

    def __init__(self, access: Access | None, clock: Clock) -> None:
        self._access, self._clock = access, clock
        self._sessions: dict[str, Session] = {}

    def _identity(self) -> Access:
        if self._access is None:
            raise GatewayError(API_CONFIGURATION_ERROR, "roles need the identity wing, which is not set up", room=ROOM)
        return self._access

    def session(self, role: str) -> Session:
        """Credentials of `role`. GatewayError when it cannot be assumed."""
        access = self._identity()
        session = self._sessions.get(role)
        if session is None or session.revoked or session.expires_at - self._clock.now() < RENEW_SECONDS:
            try:
                session = access.assume_role_for_service(role, SESSION_NAME, APIGATEWAY, SESSION_SECONDS)
            except AwsError as error:
                reason = f"API Gateway cannot assume {role}: {error.message}"
                raise GatewayError(API_CONFIGURATION_ERROR, reason, room=ROOM, role=role) from None
            self._sessions[role] = session
        return session

    def allow_invoke(self, role: str, function: str, exchange: Exchange) -> None:
        """GatewayError unless `role` may invoke `function`."""
        access = self._identity()
        try:
            access.authorize(self._caller(role, exchange), "lambda:InvokeFunction", function, trace=exchange.trace)
        except AwsError as error:
            raise GatewayError(INTEGRATION_REFUSED, error.message, room=ROOM, role=role, function=function) from None

    def _caller(self, role: str, exchange: Exchange) -> Caller:
        if role != CALLER:
            return self._identity().caller_of(self.session(role))
        if exchange.caller is None:
            reason = "the caller's credentials are wanted, but the method is not AWS_IAM"
            raise GatewayError(API_CONFIGURATION_ERROR, reason, room=ROOM)
        return exchange.caller
