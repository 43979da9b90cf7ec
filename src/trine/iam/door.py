"""The door of an AWS API: the one corridor that every service on the AWS port shares, but for the table's data plane.

Enters an `http.Request`, leaves a `Response`; it never raises. The rooms in order: the wire makes out the operation,
the signature tells who asks, the input is read and checked, the policies say whether the caller may, the operation
runs, what it changed becomes durable, the answer is written in the protocol of the request. What differs from service
to service is a value, its `ServiceApi`. It stands in this wing because it is here that both questions of the wing are
asked, and because IAM's own API goes through it too (docs/adr/0008).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.iam.errors import AccessDenied
from trine.iam.policy import CompiledPolicy
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.iam.door")
CAUSES_MAX_COUNT = 64
"""Calls that cause calls (a function that invokes itself) hang under one another down to here; then a new tree begins,
so that whoever reads a trace never walks deeper."""

Input = Mapping[str, Any]
Output = Mapping[str, Any]


class Right(NamedTuple):
    """What a caller needs to be allowed: `action` (`sqs:SendMessage`) on `resource_arn`."""

    action: str
    resource_arn: str
    context: Mapping[str, Sequence[str]] | None = None
    """Condition keys that the service knows."""
    policy: CompiledPolicy | None = None
    """The policy of the resource itself."""


def passing(role_arn: str, to_service: str) -> Right:
    """The right to hand `role_arn` to a service principal such as `lambda.amazonaws.com`."""
    return Right("iam:PassRole", role_arn, {"iam:PassedToService": (to_service,)})


@dataclass(slots=True)
class ServiceCall:
    """One call under way."""

    operation: str
    input: Input
    """Checked, by the model's member names."""
    caller: Caller | None
    """None only for operations that carry no signature."""
    request: Request
    trace: Trace
    request_id: str
    """What the answer bears; an operation that makes an id of its own (an invocation) puts it here."""

    @property
    def signer(self) -> Caller:
        """The caller of an operation that is signed."""
        assert self.caller is not None
        return self.caller


Deed = Callable[[ServiceCall], "Output | Awaitable[Output]"]
"""An operation: it answers with its output's members, or raises an `AwsError`."""
Charged = Callable[[ServiceCall, Output], "Mapping[str, float] | None"]
"""What a call counts as, by the names of `metering.usage.COUNTED`; None for one that costs nothing."""


def _nothing(call: ServiceCall) -> str:
    return ""


def _free(call: ServiceCall, output: Output) -> None:
    return None


def _as_it_is(error: AwsError) -> AwsError:
    return error


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceApi:
    """One AWS API as its door needs it: how it speaks, what it can do, which rights that takes."""

    service: str
    """Its name in actions (`sqs` in `sqs:SendMessage`) and in the rooms of traces."""
    model_of: Callable[[Request], ServiceModel]
    """The API in the protocol and version that a request speaks; never raises."""
    operations: Mapping[str, Deed]
    rights: Callable[[ServiceCall], Iterable[Right]]
    """Asked one after another, before the operation runs. May raise an AwsError of its own."""
    internal: AwsError
    """What the service answers when something of ours broke."""
    kind: str = ""
    """The kind of its traces, where the service's name stands for its data plane."""
    signed_as: str = ""
    """Its name in the scope of signatures, where that is another."""
    unsigned: frozenset[str] = frozenset()
    """Operations that carry no signature and need no right."""
    subject: Callable[[ServiceCall], str] = _nothing
    """What a call is about, for the title of its trace; empty for nothing in particular."""
    unpack: Callable[[Request], Request] | None = None
    """Undoes what a client did to the body after it had signed it no more; the signature holds for what came in."""
    restate: Callable[[AwsError], AwsError] = _as_it_is
    """An error of the shared rooms in the words of this service."""
    charged: Charged = _free
    """Asked of calls that succeeded."""
    settled: Callable[[], Awaitable[None]] | None = None
    """Waits until what operations changed is durable; nothing is acknowledged before."""


class ServiceDoor:
    """Answers the requests for one API."""

    def __init__(self, api: ServiceApi, access: Access, ids: Ids, traces: TraceBook) -> None:
        self._api, self._access, self._ids, self._traces = api, access, ids, traces

    async def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        api = self._api
        trace = self._traces.open(api.kind or api.service, self._ids.uuid())
        model = api.model_of(request)
        try:
            response = await self._pass(request, model, trace)
        except AwsError as error:
            response = self._refused(error, model, trace)
        except Exception:
            _log.exception("request %s to %s failed unexpectedly", trace.request_id, api.service)
            response = self._refused(api.internal, model, trace)
        self._traces.close(trace, response.status)
        return response

    async def _pass(self, request: Request, model: ServiceModel, trace: Trace) -> Response:
        api = self._api
        plain = request if api.unpack is None else api.unpack(request)
        name = model.operation_for(plain).name
        trace.title = f"{api.service}:{name}"
        caller = None
        if name not in api.unsigned:
            caller = self._access.authenticate(request, api.signed_as or api.service, trace)
            _hang(trace, caller)
        operation, given = model.parse(plain)
        call = ServiceCall(name, given, caller, request, trace, trace.request_id)
        trace.title = f"{trace.title} {api.subject(call)}".rstrip()
        trace.step(f"{api.service}.shape")
        if caller is not None:
            for right in api.rights(call):
                self._access.authorize(caller, *right, trace=trace, dialect=api.service)
        output = api.operations[name](call)
        if not isinstance(output, Mapping):
            output = await output
        if api.settled is not None:
            await api.settled()
        trace.usage = api.charged(call, output)
        trace.step(f"{api.service}.operation")
        return model.render(operation, output, call.request_id)

    def _refused(self, error: AwsError, model: ServiceModel, trace: Trace) -> Response:
        shown = self._api.restate(error)
        if trace.refusal is None:
            facts = error.facts if isinstance(error, AccessDenied) else {}
            trace.refuse(f"{self._api.service}.{_room_after(trace)}", shown.message, code=shown.code, **facts)
        return model.render_error(shown, trace.request_id)


def _room_after(trace: Trace) -> str:
    """The room in which a request ended: the one after the last that it had passed."""
    if not trace.title:
        return "dispatch"
    return "shape" if trace.last_room in ("", "iam.signature") else "operation"


def _hang(trace: Trace, caller: Caller) -> None:
    """Hang `trace` under the invocation whose credentials signed the call."""
    cause = caller.session.trace if caller.session is not None else None
    above, count = cause, 0
    while above is not None and count < CAUSES_MAX_COUNT:
        above, count = above.parent, count + 1
    if cause is not None and above is None:
        trace.link_to(cause)
