"""AWS straight to DynamoDB: `arn:aws:apigateway:REGION:dynamodb:action/PutItem`, with the integration's role.

Enters an `Exchange`; the request template makes the operation's document, which goes to the table endpoint signed with
credentials of the role that `credentials` names (its trust policy must admit apigateway.amazonaws.com), so the role's
policy decides as for anyone. The endpoint's status chooses the integration response.
"""

from __future__ import annotations

import asyncio
from asyncio import Future

from trine.apigateway.api import Integration
from trine.apigateway.deployment import DeployedStage, fill_stage_variables
from trine.apigateway.errors import API_CONFIGURATION_ERROR, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.signing import sign_post
from trine.apigateway.integrations.transformation import Transformation
from trine.apigateway.roles import Roles
from trine.clock import Clock
from trine.http.message import Handler, Headers, Request, Response

TARGET_PREFIX = "DynamoDB_20120810."


class DynamodbAction:
    """Runs one service integration with DynamoDB."""

    def __init__(
        self,
        transformation: Transformation,
        deployed: DeployedStage,
        endpoint: Handler | None,
        roles: Roles,
        clock: Clock,
    ) -> None:
        integration: Integration = transformation.integration
        self._transformation = transformation
        self._endpoint, self._roles, self._clock = endpoint, roles, clock
        uri = fill_stage_variables(integration.uri, deployed.stage.variables)
        self._region = uri.split(":")[3] or deployed.place.region
        self._action = uri.rpartition("/")[2]
        self._role = fill_stage_variables(integration.credentials or "", deployed.stage.variables)

    def start(self, exchange: Exchange) -> Future[Response]:
        """Render the document, sign it and hand it to the table endpoint."""
        if self._endpoint is None:
            raise GatewayError(API_CONFIGURATION_ERROR, "no DynamoDB endpoint is set up behind the front door")
        if not self._role:
            raise GatewayError(API_CONFIGURATION_ERROR, "the integration names no role in `credentials`")
        body = self._transformation.request_body(exchange)
        session = self._roles.session(self._role)
        host = f"dynamodb.{self._region}.amazonaws.com"
        pairs = [
            (b"content-type", b"application/x-amz-json-1.0"),
            (b"x-amz-target", (TARGET_PREFIX + self._action).encode()),
        ]
        headers = sign_post(session, "dynamodb", self._region, host, pairs, body, self._clock.now())
        session.trace = exchange.trace  # the endpoint reads it as it begins, before it first waits
        answer = self._endpoint(Request("POST", b"/", Headers(headers), body, exchange.source_ip))
        if isinstance(answer, Response):
            future: Future[Response] = asyncio.get_running_loop().create_future()
            future.set_result(answer)
            return future
        return asyncio.ensure_future(answer)

    def complete(self, exchange: Exchange, settled: Future[Response]) -> Response:
        """The integration response that the endpoint's status chooses."""
        answer = settled.result()
        exchange.integration_status = answer.status
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
        exchange.endpoint_request_id = next(
            (value for name, value in headers.items() if name.lower() == "x-amzn-requestid"), None
        )
        index = self._transformation.choose(str(answer.status))
        body = answer.body if isinstance(answer.body, bytes) else b""
        return self._transformation.respond(exchange, index, body, headers)
