"""The door of Cognito user pools: JSON 1.1 in and out, and the public documents of each pool.

Enters an `http.Request`, leaves a `Response`. Calls pass the corridor of all services (`iam.door`): an administrator's
is signed and permitted by policy on the pool, a person's is not. `GET /{pool}/.well-known/jwks.json` and
`…/openid-configuration` need no signature.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from functools import cached_property

import orjson

from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.aws.protocol_errors import Violations
from trine.cognito.errors import InvalidParameter
from trine.cognito.operations import account, administration, groups, pools, second_factor, sign_in, sign_up
from trine.cognito.operations.operation import Operation, Rooms, Turn
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.door import Deed, Right, ServiceApi, ServiceCall, ServiceDoor, passing
from trine.trace import TraceBook

_log = logging.getLogger("trine.cognito")
SERVICE = "cognito-idp"
OPERATIONS: Mapping[str, Operation] = {
    **pools.OPERATIONS,
    **groups.OPERATIONS,
    **sign_up.OPERATIONS,
    **sign_in.OPERATIONS,
    **second_factor.OPERATIONS,
    **account.OPERATIONS,
    **administration.OPERATIONS,
}
_FROM_BROWSERS = (b"Access-Control-Allow-Origin", b"*")
_WELL_KNOWN = b"/.well-known/"


def user_pools_api(rooms: Rooms) -> ServiceApi:
    """The API alone, as the door needs it."""
    model = ServiceModel(SERVICE, frozenset(OPERATIONS))

    def deed(operation: Operation) -> Deed:
        return lambda call: operation.run(Turn(rooms, call.input, call.trace))

    def rights(call: ServiceCall) -> list[Right]:
        pool_id = call.input.get("UserPoolId")
        resource = rooms.place.arn(SERVICE, f"userpool/{pool_id}") if pool_id is not None else "*"
        wanted = [Right(f"{SERVICE}:{call.operation}", resource)]
        if OPERATIONS[call.operation].passes_role and (role := call.input.get("RoleArn")):
            wanted.append(passing(role, f"{SERVICE}.amazonaws.com"))
        return wanted

    return ServiceApi(
        service=SERVICE,
        model_of=lambda _: model,
        operations={name: deed(operation) for name, operation in OPERATIONS.items()},
        rights=rights,
        internal=AwsError("Internal error", code="InternalErrorException"),
        unsigned=frozenset(name for name, operation in OPERATIONS.items() if not operation.signed),
        restate=lambda error: InvalidParameter(error.message) if isinstance(error, Violations) else error,
        settled=rooms.directory.settled,
    )


class CognitoEndpoint:
    """The user pools API of one account and region. `base_url` is where clients reach it."""

    def __init__(self, rooms: Rooms, access: Access, traces: TraceBook, base_url: str) -> None:
        self._rooms, self._access, self._traces, self._base_url = rooms, access, traces, base_url

    @cached_property
    def _door(self) -> ServiceDoor:
        # Made when first needed: pools that only authorizers ask for their keys never pay for the model.
        return ServiceDoor(user_pools_api(self._rooms), self._access, self._rooms.ids, self._traces)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request; never raises."""
        if request.method == "OPTIONS":
            return _preflight(request)
        return self._document(request) if _WELL_KNOWN in request.path else self._call(request)

    async def _call(self, request: Request) -> Response:
        response = await self._door.handle(request)
        response.headers.append(_FROM_BROWSERS)
        return response

    async def _document(self, request: Request) -> Response:
        """A pool's key set or its OpenID configuration."""
        pool_id, _, name = request.path.decode("latin-1").strip("/").partition("/.well-known/")
        pool = self._rooms.directory.pools.get(pool_id)
        if pool is None or request.method not in ("GET", "HEAD"):
            return _json(404, {"message": "Not found"})
        if name == "jwks.json":
            try:
                return _json(200, await self._rooms.mint.key_set(pool))
            except Exception:
                _log.exception("the key of %s could not be had", pool.id)
                return _json(500, {"message": "Internal error"})
        if name == "openid-configuration":
            issuer = self._rooms.mint.issuer(pool)
            return _json(
                200,
                {
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "issuer": issuer,
                    "jwks_uri": f"{self._base_url}/{pool.id}/.well-known/jwks.json",
                    "response_types_supported": ["code", "token"],
                    "scopes_supported": ["openid", "email", "phone", "profile"],
                    "subject_types_supported": ["public"],
                },
            )
        return _json(404, {"message": "Not found"})


def _json(status: int, document: Mapping[str, object]) -> Response:
    return Response(status, [(b"Content-Type", b"application/json"), _FROM_BROWSERS], orjson.dumps(document))


def _preflight(request: Request) -> Response:
    """Web pages call user pools directly; Cognito lets any origin do so."""
    asked = request.headers.get(b"access-control-request-headers") or b"*"
    headers = [
        _FROM_BROWSERS,
        (b"Access-Control-Allow-Methods", b"POST, GET"),
        (b"Access-Control-Allow-Headers", asked),
        (b"Access-Control-Max-Age", b"172800"),
    ]
    return Response(200, headers, b"")
