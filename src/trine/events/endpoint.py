"""The APIs of EventBridge (JSON) and of its Scheduler (rest-json), as the door needs them.

Enters the wing, leaves a `ServiceApi`. Who hands a role over with a call needs `iam:PassRole` on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.events import events_operations, scheduler_operations
from trine.events.eventbridge import EventBridge
from trine.iam.door import Deed, Right, ServiceApi, ServiceCall, passing

Service = Literal["events", "scheduler"]


def event_api(service: Service, wing: EventBridge) -> ServiceApi:
    """EventBridge or Scheduler, by `service`."""
    module: Any = events_operations if service == "events" else scheduler_operations
    operations: Mapping[str, Callable[[Any], Any]] = module.OPERATIONS
    model = ServiceModel(service, frozenset(operations))

    def deed(run: Callable[[Any], Any]) -> Deed:
        return lambda call: run(module.Turn(wing, call.input))

    def rights(call: ServiceCall) -> Iterator[Right]:
        for arn in module.resources_of(wing, call.operation, call.input):
            yield Right(f"{service}:{call.operation}", arn)
        for role_arn in module.passed_roles(call.operation, call.input):
            yield passing(role_arn, f"{service}.amazonaws.com")

    return ServiceApi(
        service=service,
        charged=lambda call, output: module.charged(call.operation, call.input, output),
        model_of=lambda _: model,
        operations={name: deed(run) for name, run in operations.items()},
        rights=rights,
        internal=AwsError("An internal error occurred.", code="InternalException"),
    )
