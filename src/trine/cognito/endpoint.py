"""The door of Cognito user pools: JSON 1.1 in and out, and the public documents of each pool.

Enters an `http.Request`, leaves a `Response` once what it changed is durable. The order of rooms: the model makes out
the operation; an administrator's is signed and permitted by policy on the pool; the operation answers. `GET
/{pool}/.well-known/jwks.json` and `…/openid-configuration` need no signature.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping

import orjson

from trine.aws.errors import AwsError
from trine.aws.protocol import Operation as Described
from trine.aws.protocol import ServiceModel
from trine.aws.protocol_errors import Violations
from trine.cognito.errors import InvalidParameter
from trine.cognito.operations import account, administration, groups, pools, sign_in, sign_up
from trine.cognito.operations.operation import Input, Operation, Rooms, Turn
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.cognito")
SERVICE = "cognito-idp"
OPERATIONS: Mapping[str, Operation] = {
    **pools.OPERATIONS,
    **groups.OPERATIONS,
    **sign_up.OPERATIONS,
    **sign_in.OPERATIONS,
    **account.OPERATIONS,
    **administration.OPERATIONS,
}
_FROM_BROWSERS = (b"Access-Control-Allow-Origin", b"*")
_WELL_KNOWN = b"/.well-known/"


class CognitoEndpoint:
    """The user pools API of one account and region. `base_url` is where clients reach it."""

    def __init__(self, rooms: Rooms, access: Access, traces: TraceBook, base_url: str) -> None:
        self._rooms, self._access, self._traces, self._base_url = rooms, access, traces, base_url
        self._loaded: ServiceModel | None = None

    @property
    def _model(self) -> ServiceModel:
        # Read when first needed: a pool that only authorizers ask for its keys never pays for it.
        if self._loaded is None:
            self._loaded = ServiceModel(SERVICE, frozenset(OPERATIONS))
        return self._loaded

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request; never raises."""
        if request.method == "OPTIONS":
            return _preflight(request)
        return self._document(request) if _WELL_KNOWN in request.path else self._call(request)

    async def _call(self, request: Request) -> Response:
        trace = self._traces.open(SERVICE, self._rooms.ids.uuid())
        try:
            response = await self._pass(request, trace)
        except Violations as error:
            response = self._refused(InvalidParameter(error.message), trace)
        except AwsError as error:
            response = self._refused(error, trace)
        except Exception:
            _log.exception("a request to %s failed", SERVICE)
            response = self._refused(AwsError("Internal error", code="InternalErrorException"), trace)
        response.headers.append(_FROM_BROWSERS)
        self._traces.close(trace, response.status)
        return response

    async def _pass(self, request: Request, trace: Trace) -> Response:
        described = self._model.operation_for(request)
        trace.title = f"{SERVICE}:{described.name}"
        operation = OPERATIONS[described.name]
        given = self._permitted(request, described, trace) if operation.signed else self._model.parse(request).input
        trace.step("cognito.shape")
        output = await operation.run(Turn(self._rooms, given, trace))
        await self._rooms.directory.settled()
        trace.step("cognito.operation")
        return self._model.render(described, output, trace.request_id)

    def _permitted(self, request: Request, described: Described, trace: Trace) -> Input:
        caller = self._access.authenticate(request, SERVICE, trace)
        if caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        given = self._model.parse(request).input
        pool_id = given.get("UserPoolId")
        resource = self._rooms.place.arn(SERVICE, f"userpool/{pool_id}") if pool_id is not None else "*"
        self._access.authorize(caller, f"{SERVICE}:{described.name}", resource, trace=trace)
        return given

    def _refused(self, error: AwsError, trace: Trace) -> Response:
        if trace.refusal is None:
            trace.refuse("cognito.operation", error.message, code=error.code)
        return self._model.render_error(error, trace.request_id)

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
