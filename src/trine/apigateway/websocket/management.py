"""@connections: PostToConnection, GetConnection and DeleteConnection, for functions and people with the SDK.

Corridor: signature → target → policy (`execute-api:ManageConnections`) → connection → answer. Enters an `http.Request`
that came to the front door or to the AWS port; leaves an `http.Response`; it never raises. Sources: botocore's model
`apigatewaymanagementapi`, and "Use @connections commands in your backend service" (API Gateway Developer Guide).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from trine.apigateway.authorizers.resource_policy import masked
from trine.apigateway.throttle import TokenBucket
from trine.apigateway.websocket.connections import Connection, is_connection_id
from trine.apigateway.websocket.directory import Directory, Target
from trine.apigateway.websocket.limits import POST_BYTES
from trine.apigateway.websocket.sockets import KIND, Sockets
from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.http.message import Request, Response
from trine.http.websocket import QueueFull, SocketClosed
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.metering.tally import metered_messages
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.apigateway.websocket")
ROOM = "apigateway.connections"
CLOSED_BY_API = "Connection Closed Normally"
"""What a client reads in the close frame after DeleteConnection."""


class Gone(AwsError):
    """The connection has ended, or never was."""

    code = "GoneException"
    status = 410


class PayloadTooLarge(AwsError):
    """More than 128 KB."""

    code = "PayloadTooLargeException"
    status = 413


class LimitExceeded(AwsError):
    """Too many calls, or the client does not take what waits for it."""

    code = "LimitExceededException"
    status = 429


class Forbidden(AwsError):
    """No such stage, path or method."""

    code = "ForbiddenException"
    status = 403


class BadConnectionId(AwsError):
    """The id has not the form of one."""

    code = "BadRequestException"
    status = 400


class Management:
    """The door of the API Gateway Management API."""

    def __init__(
        self,
        directory: Directory,
        sockets: Sockets,
        access: Access,
        account: TokenBucket,
        ids: Ids,
        place: Place,
        traces: TraceBook,
    ) -> None:
        self._directory, self._sockets, self._access = directory, sockets, access
        self._account, self._ids, self._place, self._traces = account, ids, place, traces
        self._operations: dict[str, Callable[[Connection, Request], Response]] = {
            "POST": self._post,
            "GET": self._get,
            "DELETE": self._delete,
        }

    def handle(self, request: Request) -> Response:
        """Answer a call that came to the AWS port."""
        host = (request.headers.get(b"host") or b"").decode("latin-1")
        path = request.path.decode("utf-8", "replace")
        return self.answer(request, self._directory.find_connection_path(path, self._directory.by_host(host)))

    def answer(self, request: Request, target: Target | None) -> Response:
        """Answer a call whose path is known to mean `target`."""
        request_id = self._ids.uuid()
        trace = self._traces.open(KIND, request_id)
        trace.title = f"{request.method} @connections"
        try:
            response = self._answer(request, target, trace)
        except AwsError as error:
            if trace.refusal is None:
                trace.refuse(ROOM, error.message or error.code, code=error.code)
            response = _error(error)
        except Exception:
            _log.exception("request %s failed unexpectedly", request_id)
            response = _error(AwsError("Internal server error", code="InternalServerErrorException"))
        response.headers.append((b"x-amzn-RequestId", request_id.encode()))
        self._traces.close(trace, response.status)
        return response

    def _answer(self, request: Request, target: Target | None, trace: Trace) -> Response:
        caller = self._access.authenticate(request, "execute-api", trace)
        if caller.session is not None and caller.session.trace is not None:
            trace.link_to(caller.session.trace)
        operation = self._operations.get(request.method)
        if target is None or operation is None or target.connection_id is None:
            path = request.path.decode("utf-8", "replace")
            raise Forbidden(f"No method found matching route {path.lstrip('/')} for http method {request.method}.")
        if target.stage is None:
            raise Forbidden("Forbidden")
        self._authorize(request, target, caller, trace)
        if not self._account.take():
            raise LimitExceeded("Too Many Requests")
        if not is_connection_id(target.connection_id):
            raise BadConnectionId(f"Invalid connectionId: {target.connection_id[:128]}")
        connection = self._sockets.connections.find(target.connection_id)
        if connection is None or connection.stage is not target.stage:
            raise Gone("")
        trace.title = f"{request.method} @connections {connection.id}"
        response = operation(connection, request)
        if request.method == "POST":
            trace.usage = (metered_messages(len(request.body)), 0.0)
        trace.step(ROOM, {"connectionId": connection.id, "bytes": len(request.body)})
        return response

    def _authorize(self, request: Request, target: Target, caller: Caller, trace: Trace) -> None:
        suffix = f"{target.stage_name}/{request.method}/@connections/{target.connection_id}"
        arn = self._place.execute_api(target.api.id, suffix)
        try:
            self._access.authorize(caller, "execute-api:ManageConnections", arn, trace=trace)
        except AwsError as error:
            message = error.message.replace(arn, masked(arn, self._place.account_id))
            raise AwsError(message, code=error.code, status=403) from None

    # -- the three operations --------------------------------------------------------------------------------------

    def _post(self, connection: Connection, request: Request) -> Response:
        body = request.body
        if len(body) > POST_BYTES:
            message = f"The data has {len(body)} bytes, more than {POST_BYTES}"
            raise PayloadTooLarge(message, members={"message": message})
        assert connection.websocket is not None
        try:
            # A frame of text must be UTF-8, and API Gateway sends no binary ones.
            connection.websocket.send(body.decode("utf-8", "replace").encode())
        except SocketClosed:
            raise Gone("") from None
        except QueueFull:
            raise LimitExceeded("The WebSocket client side buffer is full") from None
        return Response(200)

    def _get(self, connection: Connection, request: Request) -> Response:
        assert connection.websocket is not None
        active_at = max(self._sockets.now() - connection.websocket.active_seconds_ago, connection.connected_at)
        agent = {"userAgent": connection.user_agent} if connection.user_agent else {}
        document = {
            "connectedAt": _iso(connection.connected_at),
            "identity": {"sourceIp": connection.source_ip, **agent},
            "lastActiveAt": _iso(active_at),
        }
        return Response(200, [(b"Content-Type", b"application/json")], orjson.dumps(document))

    def _delete(self, connection: Connection, request: Request) -> Response:
        assert connection.websocket is not None
        connection.websocket.close(reason=CLOSED_BY_API)
        return Response(204)


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(error: AwsError) -> Response:
    """rest-json: the type in a header, the message in the body."""
    document = {"message": error.message or None, **error.members}
    headers = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", error.code.encode())]
    return Response(error.status, headers, orjson.dumps(document))
