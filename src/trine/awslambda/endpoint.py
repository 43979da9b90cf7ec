"""The API of Lambda, as the door needs it: rest-json by botocore's model.

Enters the service, leaves a `ServiceApi`. Who hands an execution role over needs `iam:PassRole` on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.awslambda.admission import trace_header_of
from trine.awslambda.api.events import EventConfigOperations
from trine.awslambda.api.functions import Describer, FunctionOperations, Given
from trine.awslambda.api.invoke import Answer, InvokeOperations
from trine.awslambda.api.layers import LayerOperations
from trine.awslambda.api.policy import PolicyOperations
from trine.awslambda.api.provisioned import ProvisionedOperations
from trine.awslambda.api.sources import SourceOperations
from trine.awslambda.api.tags import TagOperations
from trine.awslambda.api.urls import UrlOperations
from trine.awslambda.api.versions import VersionOperations
from trine.awslambda.function import split_name
from trine.awslambda.layers import layer_name
from trine.awslambda.registry import not_here
from trine.awslambda.service import Service
from trine.iam.door import Deed, Output, Right, ServiceApi, ServiceCall, passing
from trine.iam.policy import CompiledPolicy
from trine.trace import Trace

KIND = "lambda-api"
"""The kind of its traces: `lambda` are invocations."""
_ACTIONS = dict.fromkeys(("Invoke", "InvokeAsync", "InvokeWithResponseStream"), "lambda:InvokeFunction")
"""Operations whose action has another name than theirs."""


def lambda_api(service: Service, ids: Ids) -> ServiceApi:
    """The functions of one account and region."""
    describer = Describer(
        service.machinery.starter.snapshots.is_pending, service.deployment.layers, service.deployment.state_directory
    )
    plain: dict[str, Callable[[Given], Awaitable[dict[str, Any]]]] = {
        **FunctionOperations(service, describer, ids).operations(),
        **VersionOperations(service, describer).operations(),
        **PolicyOperations(service).operations(),
        **UrlOperations(service, ids).operations(),
        **EventConfigOperations(service).operations(),
        **ProvisionedOperations(service).operations(),
        **LayerOperations(service).operations(),
        **TagOperations(service).operations(),
        **SourceOperations(service).operations(),
    }
    operations = {
        **{name: _control(run) for name, run in plain.items()},
        **{name: _invocation(run) for name, run in InvokeOperations(service).operations().items()},
    }
    model = ServiceModel("lambda", frozenset(operations))

    def rights(call: ServiceCall) -> Iterator[Right]:
        resource, policy = _resource(call, service)
        yield Right(_ACTIONS.get(call.operation, f"lambda:{call.operation}"), resource, policy=policy)
        if (role := call.input.get("Role")) is not None:
            yield passing(role, "lambda.amazonaws.com")

    return ServiceApi(
        service="lambda",
        kind=KIND,
        model_of=lambda _: model,
        operations=operations,
        rights=rights,
        internal=AwsError("Service encountered an internal failure.", code="ServiceException"),
        subject=lambda call: str(call.input.get("FunctionName", "")),
    )


def _control(run: Callable[[Given], Awaitable[dict[str, Any]]]) -> Deed:
    return lambda call: run(call.input)


def _invocation(run: Callable[[Given, Trace, str | None], Awaitable[Answer]]) -> Deed:
    async def invoked(call: ServiceCall) -> Output:
        header = trace_header_of(call.request.headers.get(b"x-amzn-trace-id"))
        output, call.request_id = await run(call.input, call.trace, header)
        return output

    return invoked


def _resource(call: ServiceCall, service: Service) -> tuple[str, CompiledPolicy | None]:
    """The ARN that the caller must be allowed to use, and the resource policy that may allow it (service
    authorization reference, "Actions, resources, and condition keys for AWS Lambda")."""
    place, given = service.place, call.input
    if "EventSourceMapping" in call.operation:
        uuid = given.get("UUID")
        return ("*" if uuid is None else place.arn("lambda", f"event-source-mapping:{uuid}")), None
    if "Resource" in given:
        return given["Resource"], None
    if call.operation == "GetLayerVersionByArn":
        return given["Arn"], None
    if "LayerName" in given:
        name, version = layer_name(given["LayerName"], place), given.get("VersionNumber")
        arn = place.arn("lambda", f"layer:{name}" if version is None else f"layer:{name}:{version}")
        return arn, None if version is None else service.deployment.layers.policy(arn)
    named = given.get("FunctionName")
    if named is None:
        return "*", None
    try:
        name, qualifier = split_name(named, place)
    except ValueError:
        raise not_here(named, place) from None
    qualifier = given.get("Qualifier") or qualifier
    arn, entry = place.function(name), service.registry.get(name)
    return (f"{arn}:{qualifier}" if qualifier else arn), None if entry is None else entry.policy(qualifier)
