"""The APIs of STS and of IAM, as the door needs them: query protocol in, XML out.

Enters the `Access` that they are about, leaves a `ServiceApi`. Permission for an operation is asked on the resource
that its row names; three of STS's need none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.iam.access import Access
from trine.iam.api import groups, policies, providers, roles, simulate, tokens, users
from trine.iam.api.operation import ApiOperation, Turn
from trine.iam.caller import Caller
from trine.iam.door import Deed, Right, ServiceApi, ServiceCall
from trine.iam.errors import UnrecognizedClient

Service = Literal["sts", "iam"]
OPERATIONS: Mapping[Service, Mapping[str, ApiOperation]] = {
    "sts": tokens.OPERATIONS,
    "iam": {
        **roles.OPERATIONS,
        **users.OPERATIONS,
        **groups.OPERATIONS,
        **policies.OPERATIONS,
        **simulate.OPERATIONS,
        **providers.OPERATIONS,
    },
}


def identity_api(service: Service, access: Access) -> ServiceApi:
    """STS or IAM, by `service`."""
    operations = OPERATIONS[service]
    model = ServiceModel(service, frozenset(operations))

    def turn(call: ServiceCall) -> Turn:
        return Turn(access, call.caller, call.input)

    def deed(operation: ApiOperation) -> Deed:
        return lambda call: operation.run(turn(call))

    def rights(call: ServiceCall) -> Iterator[Right]:
        if service == "iam" and _is_session_token(call.signer):
            raise UnrecognizedClient("iam")
        known, under_way = operations[call.operation], turn(call)
        if known.resource is not None:
            context = known.context(under_way) if known.context is not None else None
            yield Right(f"{service}:{call.operation}", known.resource(under_way), context)

    return ServiceApi(
        service=service,
        model_of=lambda _: model,
        operations={name: deed(operation) for name, operation in operations.items()},
        rights=rights,
        internal=AwsError("We encountered an internal error.", code="InternalFailure"),
        unsigned=frozenset(name for name, operation in operations.items() if not operation.signed),
        settled=access.settled,
    )


def _is_session_token(caller: Caller) -> bool:
    """Credentials of GetSessionToken without MFA: IAM takes none of those (STS API reference, GetSessionToken)."""
    return caller.session is not None and caller.principal.kind in {"user", "root"}
